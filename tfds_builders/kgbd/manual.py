"""Copies of KGBD that someone put into the manual directory: a folder, or an archive that is read as it is."""

import gzip
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO

from etils import epath

_LAYOUTS = ("", "Data/", "kinect gait raw dataset/", "KinectGait*/Data/")
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2")
_OURS = re.compile(r"kgbd|kinect.?gait", re.IGNORECASE)
_WALK = re.compile(r"(?:^|/)(Person[^/]+/[^/.][^/]*)\.txt$")
_UNREADABLE = (
    tarfile.TarError, gzip.BadGzipFile, lzma.LZMAError, zlib.error, zipfile.BadZipFile, EOFError,
    RuntimeError,  # an encrypted zip
)  # fmt: skip


def find(manual_dir: epath.Path) -> epath.Path | None:
    """Finds a copy of KGBD: in `manual_dir`/kgbd, else in `manual_dir` itself, which other data sets may share.

    Returns:
        The folder that holds the folders PersonNNN, or an archive; None if there is neither.

    Raises:
        ValueError: `manual_dir`/kgbd is there without a copy in it, or there are several archives.
    """
    own = manual_dir / "kgbd"
    if not own.is_dir():
        return _folder(manual_dir) or _archive(path for path in manual_dir.iterdir() if _OURS.search(path.name))
    copy = _folder(own) or _archive(own.iterdir())
    if copy is None:
        raise ValueError(
            f"{own}: expected KGBD as Data/PersonNNN/W.txt or as an archive of that ({', '.join(_ARCHIVES)}), "
            f"got {sorted(path.name for path in own.iterdir())[:10] or 'an empty folder'}"
        )
    return copy


def files(folder: epath.Path) -> dict[str, epath.Path]:
    """Lists the walks of an unpacked copy: "Person001/1" -> its file."""
    paths = {f"{path.parent.name}/{path.name}": path for path in folder.glob("Person*/*.txt")}
    return {match[1]: path for name, path in paths.items() if (match := _WALK.search(name))}


def texts(archive: epath.Path) -> Iterator[tuple[str, bytes]]:
    """Reads the walks of an archive, in its order, without writing anything to disk.

    Yields:
        A walk's name, such as "Person001/1", and its text.

    Raises:
        ValueError: The archive cannot be read, holds a walk twice, or has a path that climbs out of it.
    """
    seen = set()
    try:
        with archive.open("rb") as file:
            members = _zipped if zipfile.is_zipfile(file) else _tarred
            file.seek(0)  # is_zipfile has looked at the end
            for name, content in members(file):
                path = PurePosixPath(name.replace("\\", "/"))
                if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
                    raise ValueError(f"{archive}: expected paths that stay inside the archive, got {name!r}")
                if match := _WALK.search(path.as_posix()):
                    if match[1] in seen:
                        raise ValueError(f"{archive}: expected each walk once, got {match[1]} again as {name!r}")
                    seen.add(match[1])
                    yield match[1], content.read()
    except _UNREADABLE as error:
        raise ValueError(f"{archive}: expected a whole zip or tar archive without a password, got: {error}") from error


def _folder(parent: epath.Path) -> epath.Path | None:
    for layout in _LAYOUTS:
        for file in parent.glob(f"{layout}Person*/*.txt"):
            return file.parent.parent
    return None


def _archive(paths: Iterator[epath.Path]) -> epath.Path | None:
    archives = sorted(path for path in paths if path.name.lower().endswith(_ARCHIVES))
    if len(archives) > 1:
        raise ValueError(f"{archives[0].parent}: expected one archive of KGBD, got {[path.name for path in archives]}")
    return archives[0] if archives else None


def _zipped(file: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                with archive.open(member) as content:
                    yield member.filename, content


def _tarred(file: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(fileobj=file) as archive:
        for member in archive:
            if content := archive.extractfile(member) if member.isfile() else None:
                yield member.name, content
