import contextlib
import os
import stat
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from agegait.storage.disk_full import naming_full_disk
from agegait.storage.private_files import private_files


@contextlib.contextmanager
def whole_file(path: str | PathLike) -> Iterator[Path]:
    """Gives another name to write a file under, so that nothing half-written ever has its own.

    The file is for its owner alone; one that it takes the place of passes on its permissions. Where anything fails, all
    is as it was.

    Args:
        path: The file's own name.

    Yields:
        The name to write it under, in the same folder and with the same ending.

    Raises:
        DiskFullError: There was no room for it.
    """
    path = Path(path)
    aside = path.with_name(f".partial.{path.name}")
    try:
        with private_files(), naming_full_disk(path):
            if aside.exists():  # a killed process left it, perhaps with other permissions
                aside.unlink()
            yield aside
            if path.exists():
                _pass_on_permissions(path.stat(), aside)
            aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def write_text(path: str | PathLike, text: str) -> None:
    """Writes a text as a file, whole or not at all, see `whole_file`."""
    with whole_file(path) as aside:
        aside.write_text(text)


def _pass_on_permissions(before: os.stat_result, aside: Path) -> None:
    mode = stat.S_IMODE(before.st_mode)
    if before.st_gid != aside.stat().st_gid:
        try:
            os.chown(aside, -1, before.st_gid)
        except PermissionError:
            mode &= ~stat.S_IRWXG  # meant for another group than the one that it has
    aside.chmod(mode)
