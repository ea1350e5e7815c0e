"""The landmarks of one pose of MediaPipe, in the forms in which people write them."""

from typing import Any

import numpy as np

from agegait import skeletons
from agegait.recordings.files.json_text import numbers, shown
from agegait.recordings.formats.json_keys import by_letters, first_of

JOINTS = skeletons.SCHEMAS["mediapipe_pose"].joints

_J = len(JOINTS)
_LETTERS = {joint.replace("_", ""): index for index, joint in enumerate(JOINTS)}
_VISIBILITY = ("visibility", "v", "score", "confidence")
_LONGEST = 5
"""Numbers of a landmark: x, y, z, visibility and presence."""


def is_pose(entry: object) -> bool:
    """Whether this is one pose, and not several in a list.

    A pose is landmarks by their names; or a list of landmarks, which are objects with x or lists of numbers; or all
    their numbers in one list.
    """
    first = entry[0] if isinstance(entry, list) and entry else None
    if isinstance(first, dict):
        return "x" in first or "X" in first
    if isinstance(first, list):
        return 0 < len(first) <= _LONGEST and not isinstance(first[0], (list, dict))
    return isinstance(entry, dict) or isinstance(first, (int, float))


def landmarks(pose: Any, place: str) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates [33, 3] of a pose and visibilities [33], NaN where there are none.

    Raises:
        ValueError: It is no pose of 33 landmarks.
    """
    if isinstance(pose, dict):
        named = by_letters(pose)
        if set(named) != set(_LETTERS):
            raise ValueError(f"{place}: expected the {_J} landmarks of MediaPipe, found {shown(list(pose))}.")
        pose = [named[name] for name in _LETTERS]
    if (
        isinstance(pose, list)
        and len(pose) in range(3 * _J, _LONGEST * _J + 1, _J)
        and isinstance(pose[0], (int, float))
    ):
        each = len(pose) // _J
        pose = [pose[start : start + each] for start in range(0, len(pose), each)]
    if not isinstance(pose, list) or len(pose) != _J:
        raise ValueError(f"{place}: expected {_J} landmarks, found {shown(pose)}.")
    rows = np.stack([_landmark(entry, f"{place}, joint {name}") for entry, name in zip(pose, JOINTS, strict=True)])
    return rows[:, :3], rows[:, 3]


def _landmark(entry: Any, place: str) -> np.ndarray:
    """x, y, z and visibility."""
    if isinstance(entry, dict):
        own = by_letters(entry)
        return numbers([own.get("x"), own.get("y"), own.get("z"), first_of(own, _VISIBILITY)], 4, place)
    if isinstance(entry, list) and 3 < len(entry) <= _LONGEST:
        return numbers(entry, len(entry), place)[:4]
    return np.append(numbers(entry, 3, place), np.nan)
