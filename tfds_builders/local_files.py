"""Files that may be on this machine, where they must be regular files, or elsewhere."""

import os
from pathlib import Path
from typing import IO

from etils import epath

from agegait.recordings.files import opening
from agegait.recordings.files.limits import MOST_BYTES


def open_binary(path: epath.PathLike, most: int | None = None) -> IO[bytes]:
    """Opens a file to read it.

    Raises:
        ValueError: Something other than a regular file, or one of more than `most` bytes.
    """
    if "://" in os.fspath(path):
        return epath.Path(path).open("rb")
    return opening.open_regular(Path(path), None, most)


def read_bytes(path: epath.PathLike, most: int = MOST_BYTES) -> bytes:
    """Reads a file whole, see `open_binary`."""
    with open_binary(path, most) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{path}: expected a file of at most {most:,} bytes, found more.")
    return content
