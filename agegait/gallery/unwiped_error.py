from agegait.gallery.database_error import GalleryDatabaseError


class UnwipedError(GalleryDatabaseError):
    """People are deleted, and nobody finds them any more; what the files held of them is not overwritten yet."""
