"""Tables that OptiTrack's Motive exports: six or seven lines of header, with the names of bones or markers in one."""

import csv
import io
import re
from collections.abc import Callable, Sequence, Set
from pathlib import Path

import numpy as np

from agegait.recordings.file_format import FileFormat
from agegait.recordings.files import opening
from agegait.recordings.files.limits import MOST_COLUMNS, check_size
from agegait.recordings.files.numbers import NUMBER
from agegait.recordings.formats.column_names import LENGTHS
from agegait.recordings.formats.marker_names import by_subject
from agegait.recordings.formats.table import looks_like_number
from agegait.recordings.frame_times import MOST_MISSING, missing_frames
from agegait.recordings.recording import Recording, listed
from agegait.recordings.walk_format import WalkFormat, is_rate

_HEADER_LINES = 20
_KINDS = ("Bone", "Bone Marker", "Marker", "Rigid Body Marker")
"""Types of columns whose places are read: those of the first that is there."""


def _read(path: Path, within: Path | None, walk_format: WalkFormat) -> list[Recording]:
    source = str(path)
    text = opening.read_regular(path, within).decode("utf-8-sig", "replace")
    try:
        rows = list(csv.reader(io.StringIO(text)))
    except csv.Error as error:
        raise ValueError(f"{source}: expected fields of a table: {error}.") from None
    start = next((i for i, row in enumerate(rows[:_HEADER_LINES]) if row and row[0].strip().lower() == "frame"), None)
    if start is None or start < 3:
        raise ValueError(
            f"{source}: expected a line of Motive that begins with Frame, below Type and Name, found none."
        )
    if len(rows[start]) > MOST_COLUMNS:
        raise ValueError(f"{source}: expected at most {MOST_COLUMNS:,} columns, found {len(rows[start]):,}.")
    said = dict(zip(map(_compact, rows[0][::2]), rows[0][1::2], strict=False))
    places = _places(rows[1:start], rows[start], source)
    read = {0, *(column for columns in places.values() for column in columns)}
    numbers, lines = _numbers(rows, start + 1, read, source)
    check_size(source, len(numbers), len(places))
    coordinates = np.stack([numbers[:, list(columns)] for columns in places.values()], axis=1)
    rate = next((_rate(said[key]) for key in ("exportframerate", "captureframerate") if key in said), None)
    seconds = numbers[:, 1] - numbers[0, 1] if "time" in "".join(rows[start][1:2]).lower() else None
    if seconds is not None and not (np.isfinite(seconds).all() and (np.diff(seconds) > 0).all()):
        seconds = None
    breaks = () if seconds is None else tuple(np.flatnonzero(missing_frames(seconds) > MOST_MISSING).tolist())
    return [
        Recording(
            source,
            coordinates[:, list(own)],
            names=tuple(own.values()),
            units=LENGTHS.get(said.get("lengthunits", "").strip().lower()),
            seconds=seconds,
            frame_rate=rate if seconds is None else None,
            lines=lines,
            body=subject or None,
            breaks=breaks,
        )
        for subject, own in by_subject(list(places)).items()
    ]


def _places(header: Sequence[Sequence[str]], axes: Sequence[str], source: str) -> dict[str, tuple[int, int, int]]:
    """Columns of x, y and z by the name of a bone or a marker."""
    kinds = _line(header, lambda row: any(field in _KINDS for field in row))
    names = _line(header, lambda row: row is not kinds and any(field.strip() for field in row[2:]))
    what = _line(header[::-1], lambda row: "Position" in row)
    width = len(axes)
    found: dict[str, dict[str, tuple[int, int, int]]] = {}
    for column in range(1, width - 2):
        own = [_field(axes, column + axis).upper() for axis in range(3)] == ["X", "Y", "Z"]
        if own and _field(what, column) == "Position" and not _field(names, column).startswith("Unlabeled"):
            place = (column, column + 1, column + 2)
            found.setdefault(_field(kinds, column), {}).setdefault(_field(names, column), place)
    kind = next((kind for kind in _KINDS if len(found.get(kind, ())) > 1), None)
    if kind is None:
        known = listed(sorted(filter(None, found))) or "none"
        raise ValueError(f"{source}: expected places of bones or markers, found {known}; export positions of them.")
    return found[kind]


def _line(header: Sequence[Sequence[str]], wanted: Callable[[Sequence[str]], bool]) -> Sequence[str]:
    return next((row for row in header if wanted(row)), [])


def _field(row: Sequence[str], column: int) -> str:
    return row[column].strip() if column < len(row) else ""


def _numbers(rows: Sequence[Sequence[str]], start: int, read: Set[int], source: str) -> tuple[np.ndarray, np.ndarray]:
    width = len(rows[start - 1])
    found: list[np.ndarray] = []
    lines: list[int] = []
    for number, row in enumerate(rows[start:], start + 1):
        if not any(field.strip() for field in row):
            continue
        values = np.full(width, np.nan)
        for column, field in enumerate(row[:width]):
            text = field.strip()
            if NUMBER.fullmatch(text):
                values[column] = float(text)
            elif column in read and (column == 0 or not looks_like_number(text)) and (text or column == 0):
                raise ValueError(f"{source}, line {number}: expected a number, found {text[:40]!r}.")
        check_size(source, len(found) + 1, 1)
        found.append(values)
        lines.append(number)
    if not found:
        raise ValueError(f"{source}: expected at least one frame, found none.")
    return np.stack(found), np.array(lines)


def _rate(text: str) -> float | None:
    try:
        rate = float(text)
    except ValueError:
        return None
    return rate if is_rate(rate) else None


def _compact(text: str) -> str:
    return re.sub("[^a-z]", "", text.lower())


def _recognizes(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf").startswith(b"Format Version,")


FORMATS = (FileFormat("motive", "a table of OptiTrack's Motive", (".csv",), _read, _recognizes),)
