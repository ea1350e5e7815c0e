"""Archives that are read as they are, without unpacking anything to disk."""

import functools
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import IO

from etils import epath

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2")
"""Endings of the archives that can be read."""

_UNREADABLE = (
    tarfile.TarError, gzip.BadGzipFile, lzma.LZMAError, zlib.error, zipfile.BadZipFile, EOFError,
    RuntimeError,  # an encrypted zip
    KeyError,  # a link to what is not there
)  # fmt: skip
_Member = tuple[str, Callable[[], bytes] | None]


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


def read(archive: epath.Path, wanted: Callable[[str], object]) -> Iterator[tuple[str, bytes]]:
    """Reads the files of an archive whose paths are wanted, in its order.

    Raises:
        ValueError: The archive cannot be read, or has a path that climbs out of it.
    """
    for name, content in _members(archive, wanted):
        if content is not None:
            yield name, content


def _members(archive: epath.Path, wanted: Callable[[str], object]) -> Iterator[tuple[str, bytes | None]]:
    try:
        with archive.open("rb") as file:
            members = _zipped if zipfile.is_zipfile(file) else _tarred
            file.seek(0)  # is_zipfile has looked at the end
            for name, content in members(file):
                path = PurePosixPath(name.replace("\\", "/"))
                if path.is_absolute() or ".." in path.parts or ":" in "".join(path.parts[:1]):
                    raise ValueError(f"{archive}: expected paths that stay inside the archive, got {name!r}")
                if content is None:
                    yield f"{path}/", None
                else:
                    yield str(path), content() if wanted(str(path)) else None
    except _UNREADABLE as error:
        raise ValueError(f"{archive}: expected a whole zip or tar archive without a password, got: {error}") from error


def _zipped(file: IO[bytes]) -> Iterator[_Member]:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            yield member.filename, None if member.is_dir() else functools.partial(archive.read, member)


def _tarred(file: IO[bytes]) -> Iterator[_Member]:
    with tarfile.open(fileobj=file) as archive:
        for member in archive:
            if member.isdir():
                yield member.name, None
            elif member.isfile() or member.islnk():
                yield member.name, functools.partial(_extract, archive, member)
        if archive.fileobj:
            archive.fileobj.seek(archive.offset)
            if not archive.fileobj.read(1):  # cut between two files; tarfile takes that for the end
                raise tarfile.ReadError("unexpected end of data")


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    content = archive.extractfile(member)
    return content.read() if content else b""
