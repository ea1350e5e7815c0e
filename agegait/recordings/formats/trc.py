"""TRC, the marker files of OpenSim and of motion capture systems."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from agegait.recordings.file_format import FileFormat
from agegait.recordings.files import opening
from agegait.recordings.files.limits import MOST_LINE, check_size
from agegait.recordings.formats.column_names import LENGTHS
from agegait.recordings.formats.marker_names import by_subject
from agegait.recordings.frame_times import MOST_MISSING, missing_frames
from agegait.recordings.recording import Recording, listed
from agegait.recordings.walk_format import WalkFormat, is_rate

_BEFORE = 2
"""Columns before the first marker's: the frame and the time."""

_HEADER_LINES = 12
_AXIS = re.compile(r"(.+?)[_. ]?([xyz])", re.IGNORECASE)


def _read(path: Path, within: Path | None, walk_format: WalkFormat) -> list[Recording]:
    source = str(path)
    lines = opening.read_regular(path, within).decode("utf-8-sig", "replace").splitlines()
    start = next((i for i, line in enumerate(lines[:_HEADER_LINES]) if re.match(r'\s*"?Frame\s?#?', line, re.I)), None)
    if start is None:
        raise ValueError(
            f"{source}: expected a line of TRC that begins with Frame#, Time and markers' names, found none."
        )
    if (long := next((i for i, line in enumerate(lines) if len(line) > MOST_LINE), None)) is not None:
        raise ValueError(f"{source}, line {long + 1}: expected at most {MOST_LINE:,} characters.")
    separator = next((mark for mark in "\t,;" if mark in lines[start]), None)
    header = _header(lines[:start], separator)
    markers = _markers(_fields(lines[start], separator), f"{source}, line {start + 1}")
    table, numbers = _rows(lines, start + 1, separator, 3 * (1 + max(markers)), source)
    check_size(source, len(table), len(markers))
    rate = _number(header.get("datarate", header.get("camerarate", "")))
    recording = Recording(
        source,
        table[:, _BEFORE:].reshape(len(table), 1 + max(markers), 3)[:, list(markers)],
        names=tuple(markers.values()),
        units=LENGTHS.get(header.get("units", "").lower()),
        frame_rate=rate if is_rate(rate) else None,
        lines=np.array(numbers),
        up="y",
    )
    return _people(_timed(recording, table[:, 1], table[:, 0]))


def _header(lines: Sequence[str], separator: str | None) -> dict[str, str]:
    """What the header says, by small letters."""
    for keys, values in itertools.pairwise(lines):
        names = [name.lower() for name in _fields(keys, separator)]
        if "units" in names or "datarate" in names:
            return dict(zip(names, _fields(values, separator), strict=False))
    return {}


def _fields(line: str, separator: str | None) -> list[str]:
    return [field.strip().strip('"').strip() for field in line.split(separator)]


def _markers(fields: Sequence[str], place: str) -> dict[int, str]:
    """Names of markers by which three columns they have."""
    names = {column: name for column, name in enumerate(fields[_BEFORE:]) if name}
    if not names:
        raise ValueError(f"{place}: expected markers' names, found none.")
    axes = [_AXIS.fullmatch(name) for name in names.values()]
    if len(names) % 3 == 0 and all(match and match[2].lower() == "xyz"[i % 3] for i, match in enumerate(axes)):
        found = [match[1] for match in axes if match]
        if found[::3] == found[1::3] == found[2::3]:  # nose_x, nose_y, nose_z
            return dict(enumerate(found[::3]))
    if all(column % 3 == 0 for column in names):
        return {column // 3: name for column, name in names.items()}
    if list(names) == list(range(len(names))):  # blanks between names, however many
        return dict(enumerate(names.values()))
    raise ValueError(
        f"{place}: expected a marker's name over each three columns, found {listed(list(names.values()))}."
    )


def _rows(
    lines: Sequence[str], start: int, separator: str | None, columns: int, source: str
) -> tuple[np.ndarray, list[int]]:
    """The numbers [T, 2 + columns], NaN where there are none, and the lines in which they stand."""
    rows: list[np.ndarray] = []
    numbers: list[int] = []
    width = _BEFORE + columns
    for number, line in enumerate(lines[start:], start + 1):
        fields = _fields(line, separator)
        while fields and not fields[-1]:
            fields.pop()
        if not fields or (not rows and re.match(r"[Xx]1?$", next(filter(None, fields)))):
            continue  # X1, Y1, Z1 and so on stand below the names
        if len(fields) > width or (separator is None and len(fields) < width):
            raise ValueError(f"{source}, line {number}: expected {width} columns, found {len(fields)}.")
        row = np.full(width, np.nan)
        for column, field in enumerate(fields):
            if (found := _number(field)) is None:
                raise ValueError(f"{source}, line {number}: expected numbers, found {field[:40]!r}.")
            row[column] = found
        if not np.isfinite(row[0]) or len(fields) < _BEFORE:
            raise ValueError(f"{source}, line {number}: expected a frame's number and its time.")
        check_size(source, len(rows) + 1, columns // 3)
        rows.append(row)
        numbers.append(number)
    return np.array(rows, "float64").reshape(len(rows), width), numbers


def _number(field: str) -> float | None:
    """A field's number, NaN for none at all; None for something else."""
    if not field or field.lower() in ("nan", "-", "null", "none"):
        return np.nan
    try:
        return float(field) if "_" not in field else None
    except ValueError:
        return None


def _timed(recording: Recording, times: np.ndarray, frames: np.ndarray) -> Recording:
    """A recording with its times, where it has them, and its holes.

    Raises:
        ValueError: Times or frames fall.
    """
    source, lines = recording.source, recording.lines
    timed = len(times) > 1 and np.isfinite(times).all() and times[-1] > times[0]
    when = times if timed else frames
    if (fall := np.flatnonzero(np.diff(when) < 0)).size and lines is not None:
        raise ValueError(f"{source}, line {lines[fall[0] + 1]}: expected frames in order, and one walk a file.")
    keep = np.diff(when, prepend=-np.inf) > 0
    remarks = recording.remarks
    if repeated := int((~keep).sum()):
        remarks = (*remarks, f"{repeated} frames are there twice and were left out")
    missing = missing_frames(when[keep], counted=not timed)
    if missing.any() and lines is not None:
        remarks = (
            *remarks,
            f"{int(missing.sum())} frames are missing, most above line {lines[keep][missing.argmax()]}",
        )
    return replace(
        recording,
        coordinates=recording.coordinates[keep],
        lines=None if lines is None else lines[keep],
        seconds=(times - times[0])[keep] if timed else None,
        breaks=tuple(np.flatnonzero(missing > MOST_MISSING).tolist()),
        remarks=remarks,
    )


def _people(recording: Recording) -> list[Recording]:
    """A recording for each subject that markers' names tell."""
    return [
        replace(
            recording,
            coordinates=recording.coordinates[:, list(own)],
            names=tuple(own.values()),
            body=subject or None,
        )
        for subject, own in by_subject(recording.names or ()).items()
    ]


FORMATS = (FileFormat("trc", "TRC of OpenSim", (".trc",), _read),)
