"""JSON of MediaPipe's pose landmarks, as people write them: MediaPipe itself writes none."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from agegait.recordings.file_format import FileFormat
from agegait.recordings.files import opening
from agegait.recordings.files.json_text import parse_json, shown
from agegait.recordings.formats.body_tracks import Sighting, recordings_of
from agegait.recordings.formats.json_keys import by_letters, first_of, has_key, id_or_none, number_or_none
from agegait.recordings.formats.mediapipe_landmarks import JOINTS, is_pose, landmarks
from agegait.recordings.formats.tracking import tracked_of
from agegait.recordings.frame_times import Clock, read_clock
from agegait.recordings.recording import Recording
from agegait.recordings.walk_format import WalkFormat, is_rate

# Keys, spelled as `by_letters` has them.
_WORLD = ("poseworldlandmarks", "worldlandmarks", "poselandmarksworld", "landmarksworld", "poselandmarks3d")
_IMAGE = ("poselandmarks", "normalizedlandmarks", "poselandmarksimage", "imagelandmarks")
_EITHER = ("landmarks", "landmark", "keypoints3d", "keypoints", "pose", "points")
_PEOPLE = ("people", "persons", "bodies", "poses")
_FRAMES = ("frames", "results", "data", "sequence")
_IDS = ("personid", "trackid", "bodyid", "poseid", "id")
_NUMBERS = ("frame", "frameindex", "framenumber", "frameid", "frameno", "index")
_TIMES = {
    **dict.fromkeys(("timestampus", "timestampusec", "timeus"), 1e-6),
    **dict.fromkeys(("timestampms", "timems"), 1e-3),
    **dict.fromkeys(("timestamps", "timestampsec", "times", "timesec", "timeseconds", "seconds"), 1.0),
    **dict.fromkeys(("timestamp", "time"), None),
}
_RATES = ("fps", "framerate", "videofps", "samplingrate")

_NUMBERED = re.compile("[^0-9]*([0-9]{1,12})[^0-9]*")
_HIPS = [JOINTS.index("left_hip"), JOINTS.index("right_hip")]
_NEAR = 0.1
"""Metres from the middle of the hips that the origin of world landmarks may be; in images it is half a picture away."""


def _read(path: Path, within: Path | None, walk_format: WalkFormat) -> list[Recording]:
    source = str(path)
    document = parse_json(opening.read_regular(path, within), source)
    frames = _frames(document, source)
    images: list[str] = []
    sightings = [
        sighting
        for index, frame in enumerate(frames)
        for sighting in _sightings(frame, index, f"{source}, frame {index}", images)
    ]
    if (images and not sightings) or (sightings and not _about_the_hips(sightings)):
        raise ValueError(
            f"{source}: expected world landmarks (pose_world_landmarks: metres about the middle of the hips), found "
            "image landmarks (x and y of 0 to 1, parts of the picture) or others. MediaPipe gives both of each frame; "
            "write pose_world_landmarks."
        )
    described = {index: by_letters(frame) for index, frame in enumerate(frames) if isinstance(frame, dict)}
    described = {index: described.get(index, {}) for index in sorted({sighting.frame for sighting in sightings})}
    numbers, (clock, remarks) = frame_numbers(described), frame_clock(described, source)
    seconds = {} if clock.seconds is None else dict(zip(described, clock.seconds.tolist(), strict=True))
    timed = [
        replace(sighting, frame=numbers.get(sighting.frame, sighting.frame), seconds=seconds.get(sighting.frame))
        for sighting in sightings
    ]
    rate = stated_rate(document) or clock.frame_rate
    return recordings_of(timed, source, JOINTS, who="person_id", units="m", up="-y", frame_rate=rate, remarks=remarks)


def _frames(document: Any, source: str) -> list[Any]:
    """The frames of a document: a list, alone, below a word such as frames, or by the frames' numbers."""
    if isinstance(document, dict):
        own = by_letters(document)
        key = next((key for key in (*_FRAMES, *_WORLD, *_IMAGE, *_EITHER) if isinstance(own.get(key), list)), None)
        below = own[key] if key else None
        if is_pose(below) or (below is None and any(key in own for key in (*_WORLD, *_IMAGE, *_PEOPLE))):
            return [document]  # the only frame
        numbered = {match[1]: document[match[0]] for match in map(_NUMBERED.fullmatch, document) if match}
        if key in (*_WORLD, *_IMAGE, *_EITHER):
            document = [{key: poses} for poses in own[key]]
        elif below is None and len(numbered) == len(document) > 0:
            document = [numbered[number] for number in sorted(numbered, key=int)]
        else:
            document = below
    if not isinstance(document, list):
        raise ValueError(f"{source}: expected a list of frames with pose_world_landmarks, found {shown(document)}.")
    return document


def _sightings(frame: Any, index: int, place: str, images: list[str]) -> Iterator[Sighting]:
    """The people in a frame; those with image landmarks alone are added to `images`."""
    poses, own = frame, {}
    if isinstance(frame, dict):
        own = by_letters(frame)
        poses = first_of(own, (*_WORLD, *_EITHER))
        people = first_of(own, _PEOPLE)
        if poses is None and isinstance(people, list):
            for person in people:
                yield from _sightings(person, index, place, images)
            return
        if poses is None and any(own.get(key) for key in _IMAGE):
            images.append(place)
        if not any(key in own for key in (*_WORLD, *_EITHER, *_IMAGE, *_PEOPLE)):
            raise ValueError(f"{place}: expected pose_world_landmarks, found {shown(list(frame))}.")
    if not poses:  # nobody was found
        return
    poses = _unwrapped(poses)
    if not isinstance(poses, (dict, list)):
        raise ValueError(f"{place}: expected {len(JOINTS)} landmarks, found {shown(poses)}.")
    for pose in [poses] if is_pose(poses) else [pose for pose in map(_unwrapped, poses) if pose]:
        coordinates, visibility = landmarks(pose, place)
        tracked = None if np.isnan(visibility).all() else tracked_of(visibility, place)
        yield Sighting(index, coordinates, tracked, id_or_none(first_of(own, _IDS), place))


def _unwrapped(poses: Any) -> Any:
    """What stands under `landmark`, as protocol buffers have it."""
    inner = first_of(by_letters(poses), ("landmark", "landmarks")) if isinstance(poses, dict) else None
    return poses if inner is None else inner


def _about_the_hips(sightings: Sequence[Sighting]) -> bool:
    """Whether the origin is where world landmarks have it."""
    middles = np.stack([sighting.coordinates[_HIPS].mean(axis=0) for sighting in sightings])
    distances = np.linalg.norm(middles, axis=1)
    distances = distances[~np.isnan(distances)]
    return not len(distances) or float(np.median(distances)) <= _NEAR


def frame_numbers(described: dict[int, dict[str, Any]]) -> dict[int, int]:
    """The frames' own numbers by their places, where all have one and they never fall."""
    for key in _NUMBERS:
        found = [number for frame in described.values() if type(number := frame.get(key)) is int]
        if len(found) == len(described) and found == sorted(found) and all(0 <= number < 2**53 for number in found):
            return dict(zip(described, found, strict=True))
    return {}


def frame_clock(described: dict[int, dict[str, Any]], source: str) -> tuple[Clock, list[str]]:
    """When frames were taken, where all say it, and a remark on how that was understood."""
    for key, unit in _TIMES.items():
        found = [number_or_none(frame.get(key), f"{source}, frame {i}, {key}") for i, frame in described.items()]
        times = [time for time in found if time is not None]
        if times and len(times) == len(described):
            clock = read_clock(np.array(times), unit)
            return clock, [f"{key} {clock.remark}"] if clock.remark else []
    return Clock(None), []


def stated_rate(document: Any) -> float | None:
    """Frames a second, where the document says it, itself or in what describes it."""
    described = [document, *document.values()] if isinstance(document, dict) else []
    rates = [first_of(by_letters(entry), _RATES) for entry in described if isinstance(entry, dict)]
    return next((float(rate) for rate in rates if is_rate(rate)), None)


FORMATS = (
    FileFormat(
        "mediapipe",
        "JSON of MediaPipe's world landmarks",
        (".json", ".jsonl"),
        _read,
        has_key("[a-z_]{0,40}landmarks?[a-z0-9_]{0,40}", "visibility"),
    ),
)
