"""Keypoints of OpenPose: a file of JSON for each frame, or one for all."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agegait import skeletons
from agegait.recordings.file_format import FileFormat
from agegait.recordings.files import opening
from agegait.recordings.files.json_text import numbers, parse_json, shown
from agegait.recordings.formats.body_tracks import Sighting, recordings_of
from agegait.recordings.formats.json_keys import has_key, id_or_none
from agegait.recordings.formats.tracking import tracked_of
from agegait.recordings.recording import Recording
from agegait.recordings.walk_format import WalkFormat

_MPI_15 = (
    "Head", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist",
    "RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "Chest",
)  # fmt: skip
_NAMES = {
    len(names): names
    for names in (
        skeletons.SCHEMAS["openpose_body_25"].joints,
        skeletons.SCHEMAS["openpose_coco_18"].joints,
        _MPI_15,
    )
}

_REMARK = "units and axes of OpenPose's 3D keypoints are those of the cameras' calibration; y was taken to point down"

FLAT = (
    "walks in 3D are needed. VideoPose3D and MotionBERT lift 2D keypoints to 3D, MediaPipe estimates world landmarks, "
    "and OpenPose gives pose_keypoints_3d where it has several calibrated cameras (--3d)"
)
"""What to do about keypoints without depth."""


def read_frames(folder: Path, files: Sequence[Path], contents: Iterable[bytes]) -> list[Recording]:
    """Reads a folder of files, one for each frame, in which there may be nobody.

    Raises:
        ValueError: A file of something else; 2D keypoints alone; or several people without ids.
    """
    frames = (parse_json(content, str(file)) for file, content in zip(files, contents, strict=True))
    return _recordings(zip(_frame_numbers(files), map(str, files), frames, strict=True), str(folder))


def _read(path: Path, within: Path | None, walk_format: WalkFormat) -> list[Recording]:
    source = str(path)
    document = parse_json(opening.read_regular(path, within), source)
    frames = document.get("frames", document) if isinstance(document, dict) else document
    if isinstance(frames, dict) and "people" in frames:
        frames = [frames]
    elif isinstance(frames, dict):  # of files' names
        frames = list(frames.values())
    if not isinstance(frames, list):
        raise ValueError(f"{source}: expected a list of frames with people, found {shown(frames)}.")
    return _recordings(((index, f"{source}, frame {index}", frame) for index, frame in enumerate(frames)), source)


def _recordings(frames: Iterable[tuple[int, str, Any]], source: str) -> list[Recording]:
    flat: list[str] = []
    sightings = [sighting for number, place, frame in frames for sighting in _sightings(frame, number, place, flat)]
    if not sightings and flat:
        raise ValueError(
            f"{source}: expected 3D keypoints (pose_keypoints_3d), found 2D keypoints alone (pose_keypoints_2d, "
            f"pixels); {FLAT}."
        )
    counts = {len(sighting.coordinates) for sighting in sightings}
    if len(counts) > 1:
        raise ValueError(f"{source}: expected as many keypoints in each frame, found {min(counts)} and {max(counts)}.")
    names = _NAMES[counts.pop()] if counts else ()
    return recordings_of(sightings, source, names, who="person_id", units=None, up="-y", remarks=[_REMARK])


def _sightings(frame: Any, number: int, place: str, flat: list[str]) -> Iterator[Sighting]:
    """The people of a frame who have a place in space; others' places are added to `flat`."""
    people = frame.get("people") if isinstance(frame, dict) else None
    if not isinstance(people, list):
        raise ValueError(f"{place}: expected a frame of OpenPose with people, found {shown(frame)}.")
    for person in people:
        if not isinstance(person, dict):
            raise ValueError(f"{place}: expected people with pose_keypoints_3d, found {shown(person)}.")
        if not (keypoints := person.get("pose_keypoints_3d")):
            flat += [place] * bool(person.get("pose_keypoints_2d") or person.get("pose_keypoints"))
            continue
        coordinates, scores = _keypoints(keypoints, place)
        if not np.isnan(coordinates).all():
            yield Sighting(number, coordinates, tracked_of(scores, place), _id(person.get("person_id"), place))


def _keypoints(keypoints: object, place: str) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates [J, 3] and scores [J]; keypoints that were not rebuilt are at (0, 0, 0)."""
    count = len(keypoints) if isinstance(keypoints, list) else 0
    joints = next((joints for joints in _NAMES if count in (4 * joints, 3 * joints)), None)
    if joints is None:
        known = " or ".join(map(str, _NAMES))
        raise ValueError(
            f"{place}: expected x, y, z and a score of {known} keypoints in pose_keypoints_3d, found "
            f"{shown(keypoints)}."
        )
    table = numbers(keypoints, count, f"{place}, pose_keypoints_3d").reshape(joints, -1)
    coordinates = table[:, :3].copy()
    coordinates[~coordinates.any(axis=1)] = np.nan
    scores = table[:, 3] if table.shape[1] > 3 else np.ones(joints)
    return coordinates, np.where(np.isnan(coordinates).any(axis=1), 0, scores)


def _id(person_id: object, place: str) -> str | None:
    """A person's number; OpenPose writes [-1] where it does not know."""
    if isinstance(person_id, list) and len(person_id) == 1:
        (person_id,) = person_id
    if person_id is None or person_id == [] or person_id == -1:
        return None
    return id_or_none(person_id, f"{place}, person_id")


def _frame_numbers(files: Sequence[Path]) -> list[int]:
    """The numbers in files' names, where they rise: without those of frames that are missing."""
    found = [re.search("([0-9]{1,15})_[a-z]+$", file.stem) for file in files]
    given = np.array([int(match[1]) for match in found if match])
    if len(given) < len(files) or not (np.diff(given) > 0).all():
        return list(range(len(files)))
    return given.tolist()


FORMATS = (FileFormat("openpose", "JSON of OpenPose", (".json", ".jsonl"), _read, has_key("people")),)
