"""A file of which no great part is read at once."""

import io
from typing import IO


class BoundedReads(io.RawIOBase):
    """Passes on what is read of a file, and refuses to read much at once.

    zipfile and tarfile read tables of contents and long headers whole, of a length that the file itself claims.

    Args:
        file: What is read; it can seek, and is not closed.
        most: Bytes of one read.
    """

    def __init__(self, file: IO[bytes], most: int) -> None:
        super().__init__()
        self._file = file
        self._most = most

    def read(self, size: int | None = -1) -> bytes:  # type: ignore[override]
        """Reads, see `io.RawIOBase.read`.

        Raises:
            OSError: More than may be read at once is there.
        """
        if size is not None and 0 <= size <= self._most:
            return self._file.read(size)
        content = self._file.read(self._most + 1)
        if len(content) > self._most:
            raise OSError(f"expected at most {self._most:,} bytes in one piece, found more")
        return content

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves within the file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Where the file is read next."""
        return self._file.tell()

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True
