"""The walks that a file's recordings are: a body each, without holes in time."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from agegait.recordings.recording import Recording, listed

_SHORTEST = 10
"""Frames: shorter pieces of a recording, and bodies seen for less, are left out where there are longer ones."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A recording of one body without holes in time.

    Attributes:
        recording: Without breaks.
        number: Of the recording in its file.
        suffix: What tells its walk from the others of the file, of one person: `"#3"` is the body 3, `"#1"` a first
            piece, `"#3.1"` a first piece of that body; empty where it is the only one.
    """

    recording: Recording
    number: int
    suffix: str = ""


def pieces_of(recordings: Sequence[Recording]) -> list[Piece]:
    """Splits recordings where frames are missing, and tells apart the bodies of one file. Remarks say what was done."""
    found: list[Piece] = []
    for same in _of_one_walk(recordings).values():
        kept = _long_enough([recordings[number] for number in same])
        bodies = [number for number, keep in zip(same, kept, strict=True) if keep]
        left_out = len(same) - len(bodies)
        names = _body_names([recordings[number] for number in bodies])
        for number, name in zip(bodies, names, strict=True):
            recording = recordings[number]
            remarks = list(recording.remarks)
            if len(bodies) > 1 and not any("bodies are in" in remark for remark in remarks):
                remarks.append(_bodies_remark(recording, names))
            if left_out:
                remarks.append(f"{left_out} {_word('body', left_out)} seen for under {_SHORTEST} frames left out")
            parts = _cut(dataclasses.replace(recording, remarks=tuple(remarks)))
            for part, piece in enumerate(parts, start=1):
                own = [name] * (len(bodies) > 1) + [str(part)] * (len(parts) > 1)
                found.append(Piece(piece, number, f"#{'.'.join(own)}" if own else ""))
    return sorted(found, key=lambda piece: piece.number)


def at_once(recordings: Sequence[Recording]) -> tuple[Recording, Recording] | None:
    """Two recordings of a file that are not known to be one after the other: they show two people."""
    for number, one in enumerate(recordings):
        for other in recordings[number + 1 :]:
            if not _apart(one, other):
                return one, other
    return None


def _of_one_walk(recordings: Sequence[Recording]) -> dict[tuple[str | None, str | None], list[int]]:
    same: dict[tuple[str | None, str | None], list[int]] = {}
    for number, recording in enumerate(recordings):
        same.setdefault((recording.person, recording.walk), []).append(number)
    return same


def _long_enough(recordings: Sequence[Recording]) -> list[bool]:
    lengths = [len(recording.coordinates) for recording in recordings]
    return [length >= min(_SHORTEST, max(lengths)) for length in lengths]


def _body_names(recordings: Sequence[Recording]) -> list[str]:
    names = [recording.body for recording in recordings]
    if None in names or len(set(names)) < len(names):
        return [str(number) for number in range(1, len(names) + 1)]
    return [str(name) for name in names]


def _bodies_remark(recording: Recording, names: Sequence[str]) -> str:
    return f"{len(names)} bodies are in {recording.source}, {listed(names)}: a walk of each"


def _cut(recording: Recording) -> list[Recording]:
    """The pieces between breaks."""
    if not recording.breaks:
        return [recording]
    bounds = [0, *recording.breaks, len(recording.coordinates)]
    whole = [(start, end) for start, end in pairwise(bounds) if end > start]
    longest = max(end - start for start, end in whole)
    kept = [(start, end) for start, end in whole if end - start >= min(_SHORTEST, longest)]
    frames = sum(end - start for start, end in whole) - sum(end - start for start, end in kept)
    remarks = [f"split into {len(kept)} walks where frames are missing"] if len(kept) > 1 else []
    if frames:
        remarks.append(f"{frames} frames between holes, under {_SHORTEST} each, left out")

    def between(values: np.ndarray | None, start: int, end: int) -> np.ndarray | None:
        return None if values is None else values[start:end]

    return [
        dataclasses.replace(
            recording,
            coordinates=recording.coordinates[start:end],
            tracked=between(recording.tracked, start, end),
            seconds=between(recording.seconds, start, end),
            lines=between(recording.lines, start, end),
            breaks=(),
            remarks=(*recording.remarks, *remarks),
        )
        for start, end in kept
    ]


def _apart(one: Recording, other: Recording) -> bool:
    """Whether one recording ends before the other begins, by the lines of their file or else by their times."""
    for own, others in ((one.lines, other.lines), (one.seconds, other.seconds)):
        if own is not None and others is not None:
            return bool(own.max() < others.min() or others.max() < own.min())
    return False


def _word(word: str, count: int) -> str:
    return word if count == 1 else word.removesuffix("y") + "ies"
