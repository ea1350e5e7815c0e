def gallery_url(gallery: str) -> str:
    """A gallery's address: a plain path is a SQLite file."""
    return gallery if "://" in gallery else f"sqlite:///{gallery}"
