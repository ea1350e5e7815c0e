"""The walks of a file: of one person, whose folder it is in, or of people whom it names itself."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from agegait.data.folder.layout import FolderWalk
from agegait.recordings.pieces import Piece, at_once, pieces_of
from agegait.recordings.recording import Recording, listed

_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f/\\]+")


def walks_of_file(place: FolderWalk, recordings: Sequence[Recording]) -> Iterator[tuple[FolderWalk, Recording]]:
    """Names the walks in a file.

    Args:
        place: Where the file is; without a person where the file itself says who walks.
        recordings: What the file holds.

    Raises:
        ValueError: People in a file of one person, or nobody in one of several.
    """
    pieces = pieces_of(recordings)
    if place.person:
        _check_one_person(place, pieces)
    elif any(piece.recording.person is None for piece in pieces):
        raise ValueError(
            f"{place.path}: expected a column that tells who walks, or a folder for each person, found neither; "
            "person_column names such a column."
        )
    several = len({piece.recording.walk for piece in pieces}) > 1
    for part, piece in enumerate(pieces):
        person, name, group = place.person, place.name, str(place.path)
        if not person:
            person = in_names(piece.recording.person or "")
            name = f"{person}/{in_names(piece.recording.walk or place.path.stem)}"
            group = f"{group} {piece.number}"
        elif several and piece.recording.walk:
            name = f"{name}#{in_names(piece.recording.walk)}"
        found = _with_other_name(piece.recording, place.person) if place.person else piece.recording
        yield FolderWalk(person, name + piece.suffix, place.split, place.path, part, group), found


def _with_other_name(recording: Recording, folder: str) -> Recording:
    """A recording with a remark where its file says that somebody else walks than its folder does."""
    told, own = recording.person, [re.sub(r"[\W_]+", "", text).casefold() for text in (recording.person or "", folder)]
    # Files often number whom folders name.
    if told is None or told.isdecimal() or own[0] in own[1] or own[1] in own[0]:
        return recording
    remark = f"the file says that {listed([told])} walks, its folder says {listed([folder])}"
    return replace(recording, remarks=(*recording.remarks, remark))


def in_names(text: str) -> str:
    """What a file says of a person or a walk, as a part of a walk's name."""
    return _NOT_IN_NAMES.sub("_", text).strip().lstrip(".") or "_"


def _check_one_person(place: FolderWalk, pieces: Sequence[Piece]) -> None:
    persons = list(dict.fromkeys(piece.recording.person for piece in pieces if piece.recording.person is not None))
    if len(persons) > 1:
        raise ValueError(
            f"{place.path}: expected walks of one person, as it is in the folder of {place.person}, found those of "
            f"{listed(persons)}; a file of several people is to be given by itself."
        )
    recordings = {piece.number: piece.recording for piece in pieces}
    for walk in dict.fromkeys(recording.walk for recording in recordings.values()):
        own = [recording for recording in recordings.values() if recording.walk == walk]
        if both := at_once(own):
            names = " and ".join(recording.body or "without a number" for recording in both)
            raise ValueError(
                f"{place.path}: expected one body at a time, as it is in the folder of {place.person}, found "
                f"{'two' if len(own) == 2 else len(own)} bodies ({'body ' if both[0].body else ''}{names}): split the "
                "file, which `agegait convert-recordings FILE` does, and keep that of the person."
            )
