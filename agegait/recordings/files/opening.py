"""Opens the files of walks: regular files alone, of a size that can be read."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from agegait.recordings.files.limits import MIB, MOST_BYTES

_KINDS = {
    stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}  # fmt: skip


def open_regular(path: Path, within: Path | None = None, most: int | None = MOST_BYTES) -> BinaryIO:
    """Opens a file to read it.

    Args:
        path: The file, or a link to it.
        within: The folder that links may not lead out of; None for any place.
        most: Bytes that it may have; None for any number.

    Raises:
        ValueError: A link out of the folder, something other than a regular file, or a file that is too large.
        OSError: No such file, or one that may not be read.
    """
    target = path if within is None else inside(path, within)
    _check(path, os.stat(target), most)  # before it is opened: opening a device may already do something
    beyond = 0 if within is None else getattr(os, "O_NOFOLLOW", 0)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(target, flags | beyond), "rb")
    try:
        _check(path, os.fstat(file.fileno()), most)  # what was opened, should it be another by now
    except ValueError:
        file.close()
        raise
    return file


def read_regular(path: Path, within: Path | None = None, most: int = MOST_BYTES) -> bytes:
    """Reads a file whole, see `open_regular`."""
    with open_regular(path, within, most) as file:
        content = file.read(most + 1)  # one that grows, or whose size the system does not know
    if len(content) > most:
        raise ValueError(_too_large(path, len(content), most))
    return content


def inside(path: Path, folder: Path) -> Path:
    """Where a path leads, which is in a folder.

    Raises:
        ValueError: A link leads out of it.
    """
    target, root = Path(os.path.realpath(path)), Path(os.path.realpath(folder))
    if not target.is_relative_to(root):
        raise ValueError(f"{path}: expected a path inside {folder}, found a link that leads out of it.")
    return target


def _check(path: Path, status: os.stat_result, most: int | None) -> None:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        raise ValueError(f"{path}: expected a regular file, found {_KINDS.get(kind, 'something else')}.")
    if most is not None and status.st_size > most:
        raise ValueError(_too_large(path, status.st_size, most))


def _too_large(path: Path, size: int, most: int) -> str:
    return f"{path}: expected a file of at most {most // MIB} MiB, found {size / MIB:.1f} MiB or more."
