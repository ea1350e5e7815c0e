"""The `.skeleton` files of NTU RGB+D: bodies of Kinect v2, frame by frame, as text."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from agegait import skeletons
from agegait.recordings.file_format import FileFormat
from agegait.recordings.files import opening
from agegait.recordings.files.limits import MOST_FRAMES
from agegait.recordings.files.numbers import NUMBER
from agegait.recordings.formats.body_tracks import Sighting, recordings_of
from agegait.recordings.formats.tracking import tracked_of
from agegait.recordings.recording import Recording
from agegait.recordings.walk_format import WalkFormat

_JOINTS = skeletons.SCHEMAS["kinect_v2"].joints
_HZ = 30.0
_OF_BODY = 10
"""Numbers of a body: its id, clipped edges, the hands' confidences and states, whether it is restricted, its lean in x
and y, and its state of tracking."""

_OF_JOINT = (11, 12)
"""Of a joint: x, y and z in metres, its places in the two pictures, its orientation; in most files its state."""

_MOST_BODIES = 100
_NO_NUMBER = ("nan", "-nan", "nan(ind)", "-nan(ind)", "-1.#ind", "1.#qnan")


class Lines:
    """The lines of a file that have something in them, one after the other.

    Args:
        text: The file's text.
        source: What it is called in errors: the file's path.

    Attributes:
        place: Of the last line, for errors.
    """

    def __init__(self, text: str, source: str) -> None:
        self._source = source
        self._lines = iter([(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()])
        self.place = source

    def fields(self, what: str, *counts: int) -> list[str]:
        """The fields of the next line.

        Raises:
            ValueError: There is none, or it has another number of fields.
        """
        number, line = next(self._lines, (0, ""))
        self.place = f"{self._source}, line {number}" if number else f"{self._source}, end of the file"
        fields = line.split()
        if len(fields) not in counts:
            expected = " or ".join(map(str, counts))
            found = f"{len(fields)}: {line[:80]!r}" if number else "none; the file ends early"
            raise ValueError(f"{self.place}: expected {what} in {expected} numbers, found {found}.")
        return fields

    def count(self, what: str, most: int) -> int:
        """The number that is alone in the next line.

        Raises:
            ValueError: There is none, or one over `most`.
        """
        (field,) = self.fields(what, 1)
        if not field.isdecimal() or len(field) > 9 or int(field) > most:
            raise ValueError(f"{self.place}: expected {what}, at most {most:,}, found {field[:40]!r}.")
        return int(field)

    def is_over(self) -> bool:
        """Whether there are no more lines."""
        return next(self._lines, None) is None


def _read(path: Path, within: Path | None, walk_format: WalkFormat) -> list[Recording]:
    source = str(path)
    text = opening.read_regular(path, within).decode("utf-8-sig", "replace")
    return recordings_of(
        _sightings(Lines(text, source)), source, _JOINTS, who="body id", units="m", up="y", frame_rate=_HZ
    )


def _sightings(lines: Lines) -> Iterator[Sighting]:
    for frame in range(lines.count("how many frames there are", MOST_FRAMES)):
        for _ in range(lines.count("how many bodies there are", _MOST_BODIES)):
            body = lines.fields("a body's id and states", _OF_BODY)[0][:40]
            joints = lines.count("how many joints there are", len(_JOINTS))
            if joints != len(_JOINTS):
                raise ValueError(f"{lines.place}: expected the {len(_JOINTS)} joints of Kinect v2, found {joints}.")
            rows = [numbers_of(lines.fields("a joint", *_OF_JOINT), lines.place) for _ in _JOINTS]
            states = np.array([row[11] if len(row) > 11 else np.nan for row in rows])
            tracked = None if np.isnan(states).all() else tracked_of(states, lines.place)
            yield Sighting(frame, np.array([row[:3] for row in rows]), tracked, body)
    if not lines.is_over():
        raise ValueError(f"{lines.place}: expected the end of the file after the last frame, found more.")


def numbers_of(fields: list[str], place: str) -> list[float]:
    """The numbers in fields, NaN for what C programs write where there is none.

    Raises:
        ValueError: Something else.
    """
    found = []
    for field in fields:
        if not NUMBER.fullmatch(field) and field.lower() not in _NO_NUMBER:
            raise ValueError(f"{place}: expected numbers, found {field[:40]!r}.")
        found.append(float(field) if NUMBER.fullmatch(field) else np.nan)
    return found


def _recognizes(head: bytes) -> bool:
    """Whether a text begins with counts of frames and bodies, and a body: others are tables."""
    lines = [line.split() for line in head[:4096].splitlines() if line.strip()][:4]
    return [len(line) for line in lines] == [1, 1, _OF_BODY, 1] and all(
        line[0].isdigit() for line in (*lines[:2], lines[3])
    )


FORMATS = (
    FileFormat("ntu", "a skeleton file of NTU RGB+D", (".skeleton",), _read),
    FileFormat("ntu_text", "a skeleton file of NTU RGB+D", (".txt",), _read, _recognizes),
)
