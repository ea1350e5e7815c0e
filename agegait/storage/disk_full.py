import contextlib
import errno
import os
import re
from collections.abc import Iterator
from os import PathLike

_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SHORT = r"\d+ requested and \d+ written"
_SQLITE = "database or disk is full"
_REASON = re.compile("|".join((*(re.escape(os.strerror(number)) for number in _ERRORS), _SHORT, _SQLITE)))
"""What HDF5, TensorFlow, NumPy, SQLite and PostgreSQL say, in errors of their own."""


class DiskFullError(OSError):
    """There is no room for a file, which the message names."""


@contextlib.contextmanager
def naming_full_disk(path: str | PathLike) -> Iterator[None]:
    """Makes one kind of error of what libraries raise where the disk, a quota or a limit of file sizes is at its end.

    Args:
        path: What is written, for the message.

    Raises:
        DiskFullError: There was no room.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, DiskFullError) or isinstance(error.__cause__, DiskFullError):
            raise  # it has its name
        reason = _reason(error)
        if reason is None:
            raise
        named = error.filename if isinstance(error, OSError) and isinstance(error.filename, str) else path
        full = DiskFullError(f"{named}: expected room to write it, found none: {reason}.")
        full.errno = error.errno if isinstance(error, OSError) else errno.ENOSPC
        raise full from error


def _reason(error: Exception) -> str | None:
    if isinstance(error, OSError) and error.errno in _ERRORS:
        return os.strerror(error.errno)
    found = _REASON.search(str(error))
    return found and found[0]
