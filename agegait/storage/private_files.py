"""Files that hold biometrics can be read by their owner alone, from the moment they are there."""

import contextlib
import os
import shlex
import stat
import threading
import warnings
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

_OTHERS = stat.S_IROTH | stat.S_IXOTH
_lock = threading.Lock()
_inside = 0
_umask_before = 0


class OpenFolderWarning(UserWarning):
    """A folder that biometrics are written to is open to everybody on the machine."""


@contextlib.contextmanager
def private_files() -> Iterator[None]:
    """Lets files and folders be made for their owner alone, by whatever library: with a umask of 077 or stricter.

    A umask is the process's, so this holds for other threads too, until the last of those inside has left. It works as
    a decorator as well.
    """
    global _inside, _umask_before
    with _lock:
        if not _inside:
            _umask_before = os.umask(0o077)
            os.umask(_umask_before | 0o077)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                os.umask(_umask_before)


def private_folder(path: str | PathLike) -> Path:
    """Makes a folder, and those above it, for their owner alone. One that is there is left as it is.

    Warns with `OpenFolderWarning` of a folder that everybody can look into.
    """
    path = Path(path)
    with private_files():
        path.mkdir(parents=True, exist_ok=True)
    if is_open(path):
        close = f"chmod -R o= {shlex.quote(str(path))}"
        text = f"{path}: everybody on this machine can look into this folder, where biometrics go. To close it: {close}"
        warnings.warn(text, OpenFolderWarning, stacklevel=2)
    return path


def is_open(folder: Path) -> bool:
    """Whether everybody on the machine can look into a folder."""
    folder = folder.resolve()
    way = all(parent.stat().st_mode & stat.S_IXOTH for parent in folder.parents)
    return way and bool(folder.stat().st_mode & _OTHERS)
