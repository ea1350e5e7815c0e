import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_PATTERN = frozenset("*?[]\\")
_DESCRIPTORS = Path("/proc/self/fd")


@contextlib.contextmanager
def plain_path(folder: Path) -> Iterator[Path]:
    """A path to a folder that TensorFlow reads as one.

    TensorFlow looks for a checkpoint by a pattern, and finds none in a folder whose path has a pattern's characters.
    Such a folder is opened, and reached by its descriptor.

    Args:
        folder: An existing folder.

    Raises:
        OSError: It can't be opened, or its path is a pattern and the system has no /proc.
    """
    text = str(folder)
    # Bytes that are no UTF-8 TensorFlow does not take either.
    if text.isprintable() and not _PATTERN.intersection(text):
        yield folder
        return
    if not _DESCRIPTORS.is_dir():
        raise OSError(f"expected a path without any of {' '.join(sorted(_PATTERN))} on this system")
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield _DESCRIPTORS / str(descriptor)
    finally:
        os.close(descriptor)
