from pathlib import Path


def gallery_url(gallery: str) -> str:
    """A gallery's address: a plain path is a SQLite file, whatever characters it has."""
    from sqlalchemy import URL

    return gallery if "://" in gallery else URL.create("sqlite", database=gallery).render_as_string()


def gallery_file(url: str) -> Path | None:
    """The file at an address; None for a database that is none, and for what is no address."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        where = make_url(url)
    except ArgumentError:
        return None
    return Path(where.database) if where.database and where.get_backend_name() == "sqlite" else None
