"""Archives that are read as they are, without unpacking anything to disk."""

import bz2
import functools
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import IO, cast

from etils import epath

from agegait.recordings.files.bounded_reads import BoundedReads
from agegait.recordings.files.limits import MIB, MOST_BYTES
from tfds_builders import local_files

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2")
"""Endings of the archives that can be read."""

MOST_MEMBERS = 1_000_000
"""Files and folders of an archive."""

MOST_UNPACKED = 1 << 37
"""Bytes that a compressed tar archive may take in all, which are read through to find what is wanted."""

LONGEST_PATH = 1024

_LISTED = 64 * MIB
"""Bytes of a zip archive's table of contents."""

_HEADER = MIB
"""Bytes of what a tar archive says about one file."""

_PIECE = 4096
"""Bytes read at once: of some compressions all that they inflate to comes at once."""

_UNREADABLE = (
    tarfile.TarError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, EOFError, OSError, MemoryError,
    RuntimeError,  # an encrypted zip
    KeyError,  # a link to what is not there
    UnicodeError, OverflowError,
)  # fmt: skip
_Read = Callable[[int], bytes]
_Member = tuple[str, _Read | None]


def stem(name: str) -> str | None:
    """An archive's name without its ending; None if it is no archive."""
    fitting = [suffix for suffix in SUFFIXES if name.lower().endswith(suffix)]
    return name[: -len(max(fitting, key=len))] if fitting else None


def names(archive: epath.Path) -> list[str]:
    """Lists what an archive holds, in its order: files, and folders with a "/" at the end.

    Raises:
        ValueError: The archive cannot be read, or has a path that climbs out of it.
    """
    return [name for name, _ in _members(archive, lambda name: False)]


def read(archive: epath.Path, wanted: Callable[[str], object], most: int = MOST_BYTES) -> Iterator[tuple[str, bytes]]:
    """Reads the files of an archive whose paths are wanted, in its order.

    Args:
        archive: Its path.
        wanted: Whether a path is.
        most: Bytes that each of these files may have.

    Raises:
        ValueError: The archive cannot be read, has a path that climbs out of it, or files that are too large or too
            many.
    """
    for name, content in _members(archive, wanted, most):
        if content is not None:
            yield name, content


def _members(
    archive: epath.Path, wanted: Callable[[str], object], most: int = MOST_BYTES
) -> Iterator[tuple[str, bytes | None]]:
    try:
        with local_files.open_binary(archive) as file:
            members = _zipped if zipfile.is_zipfile(file) else _tarred
            file.seek(0)  # is_zipfile has looked at the end
            for count, (name, content) in enumerate(members(file)):
                if count == MOST_MEMBERS:
                    raise ValueError(f"{archive}: expected at most {MOST_MEMBERS:,} files, found more.")
                if len(name) > LONGEST_PATH:
                    raise ValueError(
                        f"{archive}: expected paths of at most {LONGEST_PATH} characters, found {len(name):,}."
                    )
                path = PurePosixPath(name.replace("\\", "/"))
                if path.is_absolute() or ".." in path.parts or ":" in "".join(path.parts[:1]):
                    raise ValueError(f"{archive}: expected paths that stay inside the archive, got {name!r}")
                if content is None:
                    yield f"{path}/", None
                else:
                    yield str(path), content(most) if wanted(str(path)) else None
    except _UNREADABLE as error:
        raise ValueError(f"{archive}: expected a whole zip or tar archive without a password, got: {error}") from error


def _zipped(file: IO[bytes]) -> Iterator[_Member]:
    with zipfile.ZipFile(BoundedReads(file, _LISTED)) as archive:
        for member in archive.infolist():
            yield member.filename, None if member.is_dir() else functools.partial(_inflated, archive, member)


def _inflated(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    with archive.open(member) as file:
        return _whole(file, member.file_size, most, member.filename)


def _tarred(file: IO[bytes]) -> Iterator[_Member]:
    unpacked = _Unpacked(_decompressed(file), _HEADER)
    # What was read of each file by its name, for hard links, in place of what tarfile would keep.
    places: dict[str, tuple[int, int]] = {}
    with tarfile.open(fileobj=unpacked, mode="r:") as archive:
        while member := archive.next():
            archive.members = []  # type: ignore[attr-defined]
            if member.isdir():
                yield member.name, None
            elif member.issparse():
                yield member.name, functools.partial(_refused, member.name)
            elif member.isfile():
                places[member.name] = member.offset_data, member.size
                yield member.name, functools.partial(_extracted, unpacked, places, member.name)
            elif member.islnk():
                yield member.name, functools.partial(_extracted, unpacked, places, member.linkname)
        unpacked.seek(archive.offset)
        if not unpacked.read(1):  # cut between two files; tarfile takes that for the end
            raise tarfile.ReadError("unexpected end of data")


def _refused(name: str, most: int) -> bytes:
    raise tarfile.ReadError(f"file {name[-80:]!r} is stored with holes, which may be of any size")


def _extracted(unpacked: BoundedReads, places: dict[str, tuple[int, int]], name: str, most: int) -> bytes:
    start, size = places[name]
    unpacked.seek(start)
    return _whole(unpacked, size, most, name)


def _whole(file: IO[bytes] | BoundedReads, size: int, most: int, name: str) -> bytes:
    """A file of an archive, which may have as many bytes as it says that it has, and not over `most`."""
    content = bytearray()
    while size <= most and len(content) < size and (piece := file.read(min(_PIECE, size - len(content)))):
        content += piece
    if max(size, len(content)) > most:
        raise OSError(f"file {name[-80:]!r}: expected at most {most:,} bytes, found {size:,}")
    if len(content) < size:
        raise EOFError(f"file {name[-80:]!r}: expected {size:,} bytes, found {len(content):,}")
    return bytes(content)


def _decompressed(file: IO[bytes]) -> IO[bytes]:
    start = file.read(6)
    file.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.GzipFile(fileobj=file))
    if start.startswith(b"BZh"):
        return bz2.BZ2File(file)
    if start.startswith(b"\xfd7zXZ"):
        return lzma.LZMAFile(file)
    return file


class _Unpacked(BoundedReads):
    """A tar archive that may be compressed: moving on in it takes as much as reading."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        super().__init__(file, most)
        self._compressed = isinstance(file, (gzip.GzipFile, bz2.BZ2File, lzma.LZMAFile))
        self._passed = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if self._compressed:
            here = self.tell()
            self._passed += offset - here if offset >= here else offset
            if max(offset, self._passed) > MOST_UNPACKED:
                raise OSError(f"it takes over {MOST_UNPACKED:,} bytes unpacked")
        return super().seek(offset, whence)
