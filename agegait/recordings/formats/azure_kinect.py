"""JSON of Azure Kinect's offline processor, and of programs that write what it writes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from agegait import skeletons
from agegait.recordings.file_format import FileFormat
from agegait.recordings.files import opening
from agegait.recordings.files.json_text import numbers, parse_json, shown
from agegait.recordings.formats.body_tracks import Sighting, recordings_of
from agegait.recordings.formats.json_keys import first_of, has_key, id_or_none, number_or_none
from agegait.recordings.formats.tracking import tracked_of
from agegait.recordings.recording import Recording
from agegait.recordings.walk_format import WalkFormat

_JOINTS = skeletons.SCHEMAS["azure_kinect"].joints
_CONFIDENCES = ("joint_confidence_levels", "joint_confidences", "confidence_levels", "confidences", "confidence")


def _read(path: Path, within: Path | None, walk_format: WalkFormat) -> list[Recording]:
    source = str(path)
    document = parse_json(opening.read_regular(path, within), source)
    described = document if isinstance(document, dict) else {}
    frames = described.get("frames") if described else document
    if not isinstance(frames, list):
        raise ValueError(f"{source}: expected frames with bodies, found {shown(frames)}.")
    names = described.get("joint_names", list(_JOINTS))
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{source}: expected joint_names, found {shown(names)}.")
    bodies = [
        sighting
        for index, frame in enumerate(frames)
        for sighting in _sightings(frame, index, len(names), f"{source}, frame {index}")
    ]
    return recordings_of(bodies, source, names, who="body_id", units="mm", up="-y")


def _sightings(frame: Any, index: int, joints: int, place: str) -> Iterator[Sighting]:
    bodies = frame.get("bodies") if isinstance(frame, dict) else None
    if not isinstance(bodies, list):
        raise ValueError(f"{place}: expected a list of bodies, found {shown(bodies or frame)}.")
    microseconds = number_or_none(frame.get("timestamp_usec"), f"{place}, timestamp_usec")
    for body in bodies:
        positions = body.get("joint_positions") if isinstance(body, dict) else None
        if not isinstance(positions, list) or len(positions) != joints:
            raise ValueError(f"{place}: expected joint_positions of {joints} joints, found {shown(positions)}.")
        coordinates = np.stack([numbers(own, 3, f"{place}, joint {joint}") for joint, own in enumerate(positions)])
        levels = first_of(body, _CONFIDENCES)
        yield Sighting(
            index,
            coordinates,
            tracked=None if levels is None else tracked_of(numbers(levels, joints, f"{place}, confidences"), place),
            body=id_or_none(first_of(body, ("body_id", "id")), f"{place}, body_id"),
            seconds=None if microseconds is None else microseconds / 1e6,
        )


FORMATS = (
    FileFormat(
        "azure_kinect",
        "JSON of Azure Kinect's offline processor",
        (".json",),
        _read,
        has_key("joint_positions", "timestamp_usec", "bone_list"),
    ),
)
