"""Archives of recordings, as they are sent and downloaded."""

import dataclasses
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from agegait.recordings.file_format import FileFormat
from agegait.recordings.files import opening
from agegait.recordings.files.bounded_reads import BoundedReads
from agegait.recordings.files.limits import MIB, MOST_ARRAYS_LISTED, MOST_BYTES
from agegait.recordings.recording import Recording, listed
from agegait.recordings.walk_format import WalkFormat

_MOST_FILES = 5000
_FRAMES = ("_keypoints.json", "_skel.txt")
"""Files that hold one frame each."""

_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)
"""What a damaged archive may end in; a RuntimeError for a password, a NotImplementedError for a compression that Python
lacks."""


FormatOf = Callable[[Path], FileFormat | None]
"""Gives the kind of a file; None for one that is none of walks."""


def archive_format(format_of: FormatOf) -> FileFormat:
    """The kind of an archive whose files are of the kinds that are known."""

    def read(path: Path, within: Path | None, walk_format: WalkFormat) -> list[Recording]:
        return _read(path, within, walk_format, format_of)

    return FileFormat("zip", "an archive of files of walks", (".zip",), read)


def _read(path: Path, within: Path | None, walk_format: WalkFormat, format_of: FormatOf) -> list[Recording]:
    recordings, others, room = [], [], MOST_BYTES
    with opening.open_regular(path, within) as file, _archive(file, str(path)) as archive:
        members = [member for member in archive.infolist() if not member.is_dir() and not _is_hidden(member.filename)]
        if len(members) > _MOST_FILES:
            raise ValueError(
                f"{path}: expected at most {_MOST_FILES:,} files, found {len(members):,}; unpack it first."
            )
        for member in members:
            name = PurePosixPath(member.filename)
            if name.suffix.lower() == ".zip" or name.name.endswith(_FRAMES):
                raise ValueError(f"{path}: expected files of whole walks, found {name.name:.60}; unpack it first.")
            with tempfile.TemporaryDirectory() as folder:
                unpacked = Path(folder, f"walk{name.suffix}")
                room -= _unpack(archive, member, unpacked, room, str(path))
                source = f"{path}/{name}"
                try:
                    if (kind := format_of(unpacked)) is None:
                        others.append(str(name))
                        continue
                    found = kind.read(unpacked, None, walk_format)
                except ValueError as error:
                    raise ValueError(str(error).replace(str(unpacked), source)) from None
                recordings += [_as_member(recording, str(unpacked), source, name) for recording in found]
    if not recordings:
        raise ValueError(f"{path}: expected files of walks in it, found {listed(others) or 'none'}.")
    remarks = (f"not read: {listed(others)}",) if others else ()
    return [dataclasses.replace(recording, remarks=(*recording.remarks, *remarks)) for recording in recordings]


def _archive(file: BinaryIO, source: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(BoundedReads(file, MOST_ARRAYS_LISTED))
    except _DAMAGED as error:
        raise ValueError(f"{source}: expected an archive: {error}") from None


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) and part != ".." for part in PurePosixPath(name).parts)


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, room: int, source: str) -> int:
    """Writes a file of the archive, and returns its size."""
    size = 0
    try:
        with archive.open(member) as packed, path.open("wb") as out:
            while size <= room and (piece := packed.read(min(MIB, room - size + 1))):
                size += out.write(piece)
    except _DAMAGED as error:
        raise ValueError(f"{source}/{member.filename:.200}: expected a file that can be unpacked: {error}") from None
    if size > room:
        raise ValueError(f"{source}: expected at most {MOST_BYTES // MIB} MiB in all, found more; unpack it first.")
    return size


def _as_member(recording: Recording, unpacked: str, source: str, name: PurePosixPath) -> Recording:
    """The recording of a file of the archive; its folder is the person's, as in a folder of walks."""
    return dataclasses.replace(
        recording,
        source=source,
        person=recording.person or name.parent.name or None,
        walk=name.stem if recording.walk is None else f"{name.stem}-{recording.walk}",
        remarks=tuple(remark.replace(unpacked, source) for remark in recording.remarks),
    )
