class GalleryDatabaseError(OSError):
    """A gallery's database that cannot be reached, is no database, or did not do what it was asked for."""
