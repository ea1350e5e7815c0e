import datetime
from os import PathLike

from agegait.gallery.check_pictures import histogram, scatter
from agegait.gallery.check_tables import check_tables
from agegait.gallery.gallery_check import GalleryCheck
from agegait.pages.picture import style
from agegait.pages.rendering import render
from agegait.storage.whole_file import write_text


def write_check(check: GalleryCheck, path: str | PathLike[str]) -> None:
    """Writes a check as a page of HTML, whole in itself, that needs neither network nor script.

    It has people's names. Its owner alone can read it.

    Args:
        check: What was found.
        path: The file.

    Example:
        >>> import pathlib, tempfile
        >>> threshold = agegait.gallery.Threshold(0.3, None, extrapolated=False)
        >>> check = agegait.gallery.GalleryCheck((), threshold, (), (), None, (), 0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     agegait.gallery.write_check(check, f"{folder}/check.html")
        ...     "Nobody is enrolled" in pathlib.Path(f"{folder}/check.html").read_text()
        True
    """
    with style():
        pictures = [picture for picture in (scatter(check), histogram(check)) if picture]
    page = render(
        "agegait.gallery",
        "check.html",
        check=check,
        tables=check_tables(check),
        pictures=pictures,
        date=datetime.datetime.now(datetime.UTC),
    )
    write_text(path, page)
