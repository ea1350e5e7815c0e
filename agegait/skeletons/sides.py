"""Whether a walk's left and right are on their sides: feet point and knees bend to the front, and people walk there."""

import numpy as np

from agegait.skeletons import JOINTS

_BACKWARDS = 0.015
"""By so much of the body, from ankles to head, feet point back where the sides are exchanged: half of a foot's length
as sensors see it."""

_BENT = 0.035
"""By so much of the body knees bend, over a walk, where no sensor is that unsure of them."""

_AWAY = 0.004
"""By so much of the body a person moves in each frame, at least, who gets anywhere."""

_AGAINST = -0.3
"""Cosine between the hips' and the shoulders' line; in the middle of KGBD's walks it is never under 0.4."""

_FEW = 12
"""Fewer frames say nothing."""


def sides_exchanged(skeleton: np.ndarray) -> bool:
    """Whether left and right look exchanged, or the coordinates mirrored.

    What is left and right says, with what is up, where the front is. Feet say so too: they point there. Where a
    schema has no feet, knees bend there and people walk there; both have to say otherwise, or knees clearly, as people
    may walk backwards, and sensors are not sure of knees.

    Args:
        skeleton: [T, 20, 3], canonical joints, y up.
    """
    joints = dict(zip(JOINTS, np.moveaxis(np.asarray(skeleton, float), -2, 0), strict=True))
    if len(skeleton) < _FEW:
        return False
    right = sum(joints[f"{part}Right"] - joints[f"{part}Left"] for part in ("Hip", "Shoulder"))
    right = right * [1, 0, 1]
    width = np.linalg.norm(right, axis=-1, keepdims=True)
    front = np.cross([0.0, 1.0, 0.0], np.divide(right, width, where=width > 0, out=np.zeros_like(right)))
    ankles = (joints["AnkleLeft"] + joints["AnkleRight"]) / 2
    body = float(np.median(np.linalg.norm(joints["Head"] - ankles, axis=-1)))
    if not body > 0:
        return False
    feet = np.array([joints[f"Foot{side}"] - joints[f"Ankle{side}"] for side in ("Left", "Right")])
    if np.median(np.linalg.norm(feet, axis=-1)) > 0.02 * body:
        toes = np.median(_forwards(feet, front)) / body
        return bool(toes < -_BACKWARDS)
    knees = np.median([_forwards(_bend(joints, side), front) for side in ("Left", "Right")]) / body
    hips = (joints["HipLeft"] + joints["HipRight"]) / 2
    way = np.median(_forwards((hips[4:] - hips[:-4]) / 4, front[2:-2])) / body
    return bool(knees < -_BENT or (knees < 0 and way < -_AWAY))


def turned_against_each_other(skeleton: np.ndarray) -> bool:
    """Whether hips and shoulders face opposite ways: left and right are exchanged in the arms or the legs alone.

    Args:
        skeleton: [T, 20, 3], canonical joints, y up.
    """
    hips, shoulders = (
        (skeleton[:, JOINTS.index(f"{part}Right")] - skeleton[:, JOINTS.index(f"{part}Left")]).astype(float) * [1, 0, 1]
        for part in ("Hip", "Shoulder")
    )
    lengths = np.linalg.norm(hips, axis=-1) * np.linalg.norm(shoulders, axis=-1)
    cosines = np.divide((hips * shoulders).sum(axis=-1), lengths, where=lengths > 0, out=np.zeros_like(lengths))
    return bool(len(skeleton) >= _FEW and np.median(cosines) < _AGAINST)


def _forwards(places: np.ndarray, front: np.ndarray) -> np.ndarray:
    return (places * front).sum(axis=-1)


def _bend(joints: dict[str, np.ndarray], side: str) -> np.ndarray:
    """[T, 3] from the line between hip and ankle to the knee."""
    hip, knee, ankle = (joints[f"{part}{side}"] for part in ("Hip", "Knee", "Ankle"))
    leg, thigh = ankle - hip, knee - hip
    squared = (leg**2).sum(axis=-1, keepdims=True)
    share = np.divide((thigh * leg).sum(axis=-1, keepdims=True), squared, where=squared > 0, out=np.zeros_like(squared))
    return thigh - share * leg
