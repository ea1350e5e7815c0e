"""Text files of Microsoft Research's action data sets: MSR DailyActivity3D, and others written as it is."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from agegait.recordings.file_format import FileFormat
from agegait.recordings.files import opening
from agegait.recordings.files.limits import MOST_FRAMES
from agegait.recordings.formats.body_tracks import Sighting, recordings_of
from agegait.recordings.formats.filled_lines import FilledLines
from agegait.recordings.recording import Recording
from agegait.recordings.walk_format import WalkFormat
from agegait.skeletons import JOINTS

_HZ = 30.0
_ROWS = 2 * len(JOINTS)
"""Of a body: each joint's place in metres, and below it its place in the picture."""

_MOST_BODIES = 6
_OF_ROW = 4
"""x, y and z, or the place in the picture and the depth; and a confidence, which its makers say is of no use."""

_HEAD = re.compile(rb"\s*[0-9]{1,6}[ \t]+20[ \t]*\r?\n\s*(?:0|%d|%d)[ \t]*\r?\n" % (_ROWS, 2 * _ROWS))


def _read(path: Path, within: Path | None, walk_format: WalkFormat) -> list[Recording]:
    source = str(path)
    text = opening.read_regular(path, within).decode("utf-8-sig", "replace")
    return recordings_of(
        _sightings(FilledLines(text, source)),
        source,
        JOINTS,
        who="place in the file",
        units="m",
        up="y",
        frame_rate=_HZ,
    )


def _sightings(lines: FilledLines) -> Iterator[Sighting]:
    frames, joints = lines.fields("how many frames and joints there are", 2)
    if not (frames.isdecimal() and len(frames) < 9 and int(frames) <= MOST_FRAMES and joints == str(len(JOINTS))):
        raise ValueError(
            f"{lines.place}: expected at most {MOST_FRAMES:,} frames, and {len(JOINTS)} joints, found {frames:.20} and "
            f"{joints:.20}."
        )
    for frame in range(int(frames)):
        rows = lines.count("how many rows there are", _MOST_BODIES * _ROWS)
        if rows % _ROWS:
            raise ValueError(f"{lines.place}: expected {_ROWS} rows of each body, found {rows}.")
        bodies = rows // _ROWS
        for body in range(bodies):
            places = [lines.numbers("a joint", _OF_ROW)[:3] for _ in range(_ROWS)][::2]
            if np.any(places):  # of a body that was lost, all numbers are 0
                yield Sighting(frame, np.array(places), body=str(body + 1))
    if not lines.is_over():
        raise ValueError(f"{lines.place}: expected the end of the file after the last frame, found more.")


FORMATS = (
    FileFormat(
        "msr_daily",
        "a skeleton file of MSR DailyActivity3D",
        (".txt",),
        _read,
        lambda head: bool(_HEAD.match(head.removeprefix(b"\xef\xbb\xbf"))),
    ),
)
