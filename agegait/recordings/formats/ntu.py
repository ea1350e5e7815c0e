"""The `.skeleton` files of NTU RGB+D: bodies of Kinect v2, frame by frame, as text."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from agegait import skeletons
from agegait.recordings.file_format import FileFormat
from agegait.recordings.files import opening
from agegait.recordings.files.limits import MOST_FRAMES
from agegait.recordings.formats.body_tracks import Sighting, recordings_of
from agegait.recordings.formats.filled_lines import FilledLines
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


def _read(path: Path, within: Path | None, walk_format: WalkFormat) -> list[Recording]:
    source = str(path)
    text = opening.read_regular(path, within).decode("utf-8-sig", "replace")
    return recordings_of(
        _sightings(FilledLines(text, source)), source, _JOINTS, who="body id", units="m", up="y", frame_rate=_HZ
    )


def _sightings(lines: FilledLines) -> Iterator[Sighting]:
    for frame in range(lines.count("how many frames there are", MOST_FRAMES)):
        for _ in range(lines.count("how many bodies there are", _MOST_BODIES)):
            body = lines.fields("a body's id and states", _OF_BODY)[0][:40]
            joints = lines.count("how many joints there are", len(_JOINTS))
            if joints != len(_JOINTS):
                raise ValueError(f"{lines.place}: expected the {len(_JOINTS)} joints of Kinect v2, found {joints}.")
            rows = [lines.numbers("a joint", *_OF_JOINT) for _ in _JOINTS]
            states = np.array([row[11] if len(row) > 11 else np.nan for row in rows])
            tracked = None if np.isnan(states).all() else tracked_of(states, lines.place)
            yield Sighting(frame, np.array([row[:3] for row in rows]), tracked, body)
    if not lines.is_over():
        raise ValueError(f"{lines.place}: expected the end of the file after the last frame, found more.")


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
