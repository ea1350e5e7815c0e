"""JSON of joints in the forms in which people's own programs write it: by name, in lists, or in lists of numbers."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from agegait.recordings.file_format import FileFormat
from agegait.recordings.files import opening
from agegait.recordings.files.json_text import numbers, parse_json, shown
from agegait.recordings.files.limits import MOST_JOINTS
from agegait.recordings.files.numbers import NUMBER
from agegait.recordings.formats.body_tracks import Sighting, recordings_of
from agegait.recordings.formats.json_keys import by_letters, first_of, id_or_none
from agegait.recordings.formats.mediapipe_json import frame_clock, frame_numbers, stated_rate
from agegait.recordings.formats.tracking import STATES, tracked_of
from agegait.recordings.recording import Recording
from agegait.recordings.walk_format import WalkFormat

# Keys, spelled as `by_letters` has them.
_FRAMES = ("frames", "data", "sequence", "recording", "skeletonframes", "bodyframes", "samples", "results")
_BODIES = ("bodies", "people", "persons", "skeletons", "users", "players", "skeleton", "body", "person")
_JOINTS = ("joints", "keypoints", "keypoints3d", "jointpositions", "positions", "points", "landmarks", "joint", "bones")
_NAMES = ("name", "jointname", "jointtype", "type", "joint", "part", "bodypart", "label", "jointid", "id", "index")
_PLACES = ("position", "pos", "cameraspacepoint", "camera", "location", "coordinates", "xyz", "real", "world", "point")
_STATES = ("trackingstate", "tracked", "state", "confidence", "confidencelevel", "visibility", "score")
_IDS = ("trackingid", "bodyid", "personid", "userid", "playerid", "trackid", "id")
_AXES = ("x", "y", "z")
_NUMBERS_ALONE = re.compile(rb"\s*(\{[^\[]{0,200})?(\[\s*){3}-?[0-9]")

_KEYS = re.compile(
    rb'"(?:joints?|bones|skeletons?|bod(?:y|ies))"\s{0,99}:\s{0,99}(?:\[\s{0,99}[\[{]|\{\s{0,99}")'
    rb'|"(?:head|spine_?base|hip_?center|pelvis)"\s{0,99}:\s{0,99}(?:\{|\[\s{0,99}-?[0-9])',
    re.IGNORECASE,
)


class _Joint(NamedTuple):
    name: str | None
    place: np.ndarray
    state: float


def _read(path: Path, within: Path | None, walk_format: WalkFormat) -> list[Recording]:
    source = str(path)
    document = parse_json(opening.read_regular(path, within), source)
    frames = _below(document, _FRAMES) if isinstance(document, dict) else document
    if not isinstance(frames, list):
        raise ValueError(f"{source}: expected frames with joints, found {shown(frames)}.")
    found: list[tuple[int, str | None, list[_Joint]]] = []
    for index, frame in enumerate(frames):
        place = f"{source}, frame {index}"
        found += [(index, body, joints) for body, joints in _bodies(frame, place) if joints]
    if not found:
        raise ValueError(f"{source}: expected joints with x, y and z in its frames, found none.")
    described = {
        index: {key: _unquoted(value) for key, value in by_letters(frames[index]).items()}
        for index, _, _ in found
        if isinstance(frames[index], dict)
    }
    clock, remarks = frame_clock(described, source)
    numbered = frame_numbers(described)
    seconds = {} if clock.seconds is None else dict(zip(described, clock.seconds.tolist(), strict=True))
    names = _names(found, source)
    sightings = [
        _sighting(numbered.get(index, index), body, joints, names, seconds.get(index), f"{source}, frame {index}")
        for index, body, joints in found
    ]
    rate = stated_rate(document) or clock.frame_rate
    recordings = recordings_of(
        sightings, source, names or [], who="id", units=None, up=None, frame_rate=rate, remarks=remarks
    )
    return recordings if names else [dataclasses.replace(recording, names=None) for recording in recordings]


def _below(document: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    own = by_letters(document)
    return next((own[key] for key in keys if isinstance(own.get(key), list)), None)


def _bodies(frame: Any, place: str) -> Iterator[tuple[str | None, list[_Joint]]]:
    if isinstance(frame, dict):
        own = by_letters(frame)
        bodies = first_of(own, _BODIES)
        if isinstance(bodies, list) and all(isinstance(body, dict) and not _is_joint(body) for body in bodies):
            for body in bodies:
                yield from _bodies(body, place)
            return
        joints = first_of(own, _JOINTS)
        joints = first_of(own, _BODIES) if joints is None else joints
        yield id_or_none(first_of(own, _IDS), place), _joints(frame if joints is None else joints, place)
    else:
        yield None, _joints(frame, place)


def _joints(joints: Any, place: str) -> list[_Joint]:
    if isinstance(joints, dict):
        entries = [(name, entry) for name, entry in joints.items() if _is_joint(entry)]
    elif isinstance(joints, list):
        entries = [(None, entry) for entry in joints]
    else:
        raise ValueError(f"{place}: expected joints, found {shown(joints)}.")
    if len(entries) > MOST_JOINTS:
        raise ValueError(f"{place}: expected at most {MOST_JOINTS:,} joints, found {len(entries):,}.")
    return [_joint(name, entry, f"{place}, joint {index}") for index, (name, entry) in enumerate(entries)]


def _is_joint(entry: Any) -> bool:
    if isinstance(entry, list):
        return len(entry) in (3, 4) and all(isinstance(one, (int, float)) or one is None for one in entry)
    if not isinstance(entry, dict):
        return False
    own = by_letters(entry)
    return all(axis in own or f"camera{axis}" in own for axis in _AXES) or any(key in own for key in _PLACES)


def _joint(name: str | None, entry: Any, place: str) -> _Joint:
    if isinstance(entry, dict):
        own = by_letters(entry)
        told = first_of(own, _NAMES) if name is None else name
        where = first_of(own, _PLACES)
        if where is None:
            where = [own.get(f"camera{axis}", own.get(axis)) for axis in _AXES]
        elif isinstance(where, dict):
            inner = by_letters(where)
            where = [inner.get(axis) for axis in _AXES]
        state = first_of(own, _STATES)
        if isinstance(state, str):
            state = STATES.get(state.lower())
        return _Joint(
            None if told is None else id_or_none(told, place),
            numbers([*map(_unquoted, where)] if isinstance(where, list) else where, 3, place),
            float(numbers([state], 1, place)[0]),
        )
    if isinstance(entry, list) and len(entry) == 4:
        return _Joint(name, numbers(entry[:3], 3, place), float(numbers(entry[3:], 1, place)[0]))
    return _Joint(name, numbers(entry, 3, place), float("nan"))


def _unquoted(value: Any) -> Any:
    """A number that is written in quotes, as some programs do, as a number; anything else as it is."""
    return float(value) if isinstance(value, str) and NUMBER.fullmatch(value) else value


def _names(found: list[tuple[int, str | None, list[_Joint]]], source: str) -> list[str] | None:
    """Names of the joints, in the order of the first body; None where they are numbered in order or have none."""
    names = [joint.name for joint in found[0][2]]
    if all(name is None for name in names) or names == [str(number) for number in range(len(names))]:
        counts = {len(joints) for _, _, joints in found}
        if len(counts) > 1:
            raise ValueError(f"{source}: expected as many joints in each frame, found {min(counts)} and {max(counts)}.")
        return None
    if None in names or len(set(names)) < len(names):
        raise ValueError(f"{source}: expected another name for each joint, found {len(names) - len(set(names))} again.")
    return [str(name) for name in names]


def _sighting(
    frame: int,
    body: str | None,
    joints: list[_Joint],
    names: list[str] | None,
    seconds: float | None,
    place: str,
) -> Sighting:
    if names is not None:
        own = {joint.name: joint for joint in joints}
        absent = _Joint(None, np.full(3, np.nan), 0.0)  # of a joint that is not seen, some write nothing
        joints = [own.get(name, absent) for name in names]
    states = np.array([joint.state for joint in joints])
    return Sighting(
        frame,
        np.stack([joint.place for joint in joints]),
        tracked=None if np.isnan(states).all() else tracked_of(states, place),
        body=body,
        seconds=seconds,
    )


def _recognizes(head: bytes) -> bool:
    """Whether a text begins with lists of numbers, or has joints: a list of names alone is what a description has."""
    text = head.replace(b"\0", b"")
    return bool(_NUMBERS_ALONE.match(text) or _KEYS.search(text))


FORMATS = (FileFormat("json", "JSON of joints with x, y and z", (".json", ".jsonl"), _read, _recognizes),)
