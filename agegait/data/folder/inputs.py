"""Walks from any mixture of files and folders, as they are given on a command line."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from agegait.data.folder.file_walks import in_names, walks_of_file
from agegait.data.folder.layout import FolderWalk, find_files, find_walks, find_walks_of_one
from agegait.data.folder.shared_frames import frame_descriptors, with_frames_in_common
from agegait.recordings.joint_recognition import recognize_joints
from agegait.recordings.pieces import at_once, pieces_of
from agegait.recordings.recording import Recording, listed
from agegait.recordings.registry import format_of
from agegait.recordings.walk import Walk
from agegait.recordings.walk_files import read_recordings
from agegait.recordings.walk_format import WalkFormat


@dataclass(frozen=True, eq=False)
class InputWalk:
    """A walk of a file.

    Attributes:
        person: Who walks: by the file, else by its folder. Several bodies at once in a file of nobody's are people of
            their own.
        name: Of the walk, among those of the person.
        path: Its file, or folder of frames.
        suffix: What tells it from the other walks of the file, empty where it is the only one.
        format: Name of the kind of file.
        body: The sensor's number for the body; None where it has none.
        alone: Whether no other body is in the file at the same time.
        walk: What it is.
        given: The file or folder that was asked for.
    """

    person: str
    name: str
    path: Path
    suffix: str
    format: str
    body: str | None
    alone: bool
    walk: Walk
    given: Path

    @property
    def label(self) -> str:
        """What it is called where its file was asked for."""
        return f"{self.path}{self.suffix}"


@dataclass(frozen=True)
class Inputs:
    """What was read.

    Attributes:
        walks: In the order in which their files were given.
        left_out: Files that are no walks, each with why: where `skip_bad` lets them be left out.
        remarks: What was left alone in folders.
    """

    walks: tuple[InputWalk, ...]
    left_out: tuple[str, ...]
    remarks: tuple[str, ...]


def read_inputs(
    paths: Iterable[str | PathLike], walk_format: WalkFormat | None = None, person: str | None = None
) -> Inputs:
    """Reads all walks of files and folders.

    Args:
        paths: Files, folders of frames, people's folders, and folders of people, mixed.
        walk_format: What files hold where they do not say so.
        person: Who walks in files that are given by themselves and do not say so; None for the name of the folder that
            they are given with, or else of the file.

    Raises:
        ValueError: Something is no walk; the message has all of what is wrong.
    """
    walk_format = walk_format or WalkFormat()
    walks: list[InputWalk] = []
    faults: list[str] = []
    remarks: list[str] = []
    for path in map(Path, paths):
        try:
            places, within, said = _places(path)
        except ValueError as error:
            faults.append(str(error))
            continue
        remarks += said
        for place in places:
            try:
                walks += _walks_of(place, path, within, walk_format, person)
            except ValueError as error:
                faults.append(str(error))
    faults = list(dict.fromkeys(faults))
    if faults and not (walk_format.skip_bad and walks):
        raise ValueError(faults[0] if len(faults) == 1 else "\n".join([f"found {len(faults)} faults:", *faults]))
    return Inputs(tuple(walks), tuple(faults), tuple(remarks))


def check_labels(walks: Sequence[InputWalk]) -> None:
    """Refuses one recording of two people.

    Raises:
        ValueError: There is one.
    """
    same: dict[bytes, list[InputWalk]] = defaultdict(list)
    for found in walks:
        same[hashlib.sha256(found.walk.skeleton.tobytes()).digest()].append(found)
    descriptors = [frame_descriptors(found.walk.skeleton) for found in walks]
    shared = with_frames_in_common(descriptors, [found.person for found in walks])
    for group in (*same.values(), *([walks[one], walks[other]] for one, other in shared)):
        people = list(dict.fromkeys(found.person for found in group))
        if len(people) > 1:
            files = listed([found.label for found in group])
            raise ValueError(
                f"{files}: one recording under {'two' if len(people) == 2 else len(people)} people, "
                f"{' and '.join(people)}: one of the labels is wrong."
            )


def _places(path: Path) -> tuple[Sequence[FolderWalk], Path | None, Sequence[str]]:
    """The files of an input, and the folder that links may not lead out of."""
    if not path.is_dir():
        return [FolderWalk("", path.stem, None, path)], None, ()
    one = find_walks_of_one(path)
    if one is not None:
        return one.walks, path, one.remarks
    try:
        layout = find_walks(path, persons_at_least=1)
        if layout.faults:
            raise ValueError("\n".join(layout.faults))
    except ValueError:
        files = find_files(path)
        if files is None:
            raise
        return files.walks, path, ()
    return layout.walks, path, layout.remarks


def _walks_of(
    place: FolderWalk, given: Path, within: Path | None, walk_format: WalkFormat, person: str | None
) -> Iterator[InputWalk]:
    recordings = read_recordings(place.path, within, walk_format)
    schema = recognize_joints(recordings, walk_format)
    kind = "frames" if place.path.is_dir() else format_of(place.path, within).name
    named = _of_a_person(place, recordings) if place.person else _of_nobody(place, recordings, person)
    alone = not _strangers(recordings)
    for one in named:
        walk = Walk.of(one.recording, walk_format, schema)
        yield InputWalk(one.person, one.name, place.path, one.suffix, kind, one.recording.body, alone, walk, given)


class _Named(NamedTuple):
    person: str
    name: str
    suffix: str
    recording: Recording


def _of_a_person(place: FolderWalk, recordings: Sequence[Recording]) -> Iterator[_Named]:
    """The walks in a file that is in a person's folder."""
    for where, recording in walks_of_file(place, recordings):
        suffix = where.name.removeprefix(place.name)
        yield _Named(place.person, place.name.rpartition("/")[2] + suffix, suffix, recording)


def _of_nobody(place: FolderWalk, recordings: Sequence[Recording], person: str | None) -> Iterator[_Named]:
    """The walks in a file that is in nobody's folder."""
    stem = place.path.name if place.path.is_dir() else place.path.stem
    who = person or _folder_name(place.path) or stem
    strangers = _strangers(recordings)
    pieces = pieces_of(recordings)
    several = len({(piece.recording.person, piece.recording.walk) for piece in pieces}) > 1
    for piece in pieces:
        recording = piece.recording
        own = who if recording.person is None else in_names(recording.person)
        if strangers and recording.person is None:
            own = f"{own}#{recording.body or piece.number + 1}"
        name = stem if recording.walk is None else in_names(recording.walk)
        suffix = f"#{own}/{name}{piece.suffix}" if several else piece.suffix
        yield _Named(own, name + piece.suffix, suffix, recording)


def _strangers(recordings: Sequence[Recording]) -> bool:
    """Whether several people are in a file that does not say who they are."""
    unnamed = [recording for recording in recordings if recording.person is None]
    return any(
        at_once([recording for recording in unnamed if recording.walk == walk])
        for walk in {recording.walk for recording in unnamed}
    )


def _folder_name(path: Path) -> str:
    name = path.parent.name
    return name if name not in ("", "..") else ""
