"""Whether coordinates are those of a body in space: not flat, not parts of a picture, and not with a score for z."""

from collections.abc import Sequence

import numpy as np

from agegait.recordings.axes import standing_along
from agegait.recordings.recording import Recording
from agegait.skeletons import JOINTS, Schema, limbs

_FEW = 5
"""Fewer frames say nothing."""

_BODY = 1.7
"""Metres between a body's farthest joints, to which walks are scaled: their units are another question."""

_FLAT = 0.04
"""Least share of a body's largest extent that any of its extents is, by the middle of a walk's frames: of Kinects'
walks it is over 0.2."""

_PICTURE = (-0.25, 1.35)
"""What pose estimators say of joints that leave the picture, in parts of it."""

_FROM_ORIGIN = 0.15
"""World landmarks are about the hips' middle; those of a picture are farther from its corner."""

_ESTIMATED = ("mediapipe_pose", "coco_17", "openpose_body_25")
"""Schemas of pose estimators, which know pictures."""

_SCATTERED = 10
"""So many times as far from its body as usual a joint is no sensor's mistake; of KGBD's walks it is at most 3."""

_LIFT = "walks in 3D are needed, of a depth sensor, or lifted from 2D by a pose estimator"


def depth_fault(recording: Recording) -> str:
    """What is wrong with coordinates in which one of the three says next to nothing of the body; empty if none."""
    low, high = _within(recording.coordinates)
    if len(low) < _FEW:
        return ""
    extents = np.median(high - low, axis=0)
    if not extents.max() > 0 or not extents.min() < _FLAT * extents.max():
        return ""
    axis = int(extents.argmin())
    if axis == 2 and low[:, 2].min() >= 0 and high[:, 2].max() <= 1 and extents[2] > 0:
        return f"no depth: the third number is a score of 0 to 1, not z, and x and y are pixels or the like; {_LIFT}"
    return f"no depth: all joints of a frame have about the same {'xyz'[axis]}; {_LIFT}"


def score_fault(skeleton: np.ndarray) -> str:
    """What is wrong with a z that is a score: within 0 and 1, and it does not make limbs steadier.

    Args:
        skeleton: [T, 20, 3], canonical joints, axes and units as in the file.
    """
    depth = skeleton[..., 2]
    if len(skeleton) < _FEW or not (depth.min() >= 0 and depth.max() <= 1 and np.ptp(depth) > 0):
        return ""
    sides = depth[:, JOINTS.index("HipLeft")] - depth[:, JOINTS.index("HipRight")]
    body = np.median(np.ptp(skeleton[..., :2], axis=1).max(axis=-1))
    if abs(np.median(sides)) > 0.05 * body:
        return ""
    with_depth, without = (limbs.limb_lengths(walk) for walk in (skeleton, skeleton * [1, 1, 0]))
    if np.nanmedian(_variation(with_depth)) < 0.9 * np.nanmedian(_variation(without)):
        return ""
    return (
        f"no depth: the third number is a score rather than z: it is between {depth.min():.2g} and {depth.max():.2g} "
        f"and does not go with the body; {_LIFT}"
    )


def picture_fault(skeleton: np.ndarray, schema: Schema) -> str:
    """What is wrong with landmarks of a picture; empty if nothing.

    Args:
        skeleton: [T, 20, 3], canonical joints, axes and units as in the file.
        schema: That the joints were of.
    """
    x, y = skeleton[..., 0], skeleton[..., 1]
    hips = skeleton[:, JOINTS.index("HipCenter")]
    head, feet = (np.median(y[:, [JOINTS.index(name) for name in names]]) for names in (["Head"], _ANKLES))
    estimated = schema.name in _ESTIMATED and head < feet
    least, most = _PICTURE if estimated else (0, 1)
    inside = least <= min(x.min(), y.min()) and max(x.max(), y.max()) <= most
    if (
        len(skeleton) < _FEW
        or not inside
        or np.linalg.norm(np.median(hips[:, :2], axis=0)) < _FROM_ORIGIN
        or not np.ptp(y) > 0
    ):
        return ""
    return (
        "these look like image landmarks, x and y in parts of the picture, 0 to 1; world landmarks are needed, in "
        "metres (MediaPipe's pose_world_landmarks)"
    )


_ANKLES = ["AnkleLeft", "AnkleRight"]


def neck_fault(skeleton: np.ndarray, schema: Schema) -> str:
    """What is wrong with a head that is below its neck, of skeletons [T, J, 3] in a schema's order; empty if nothing.

    The canonical joints have no neck, so that limbs do not show it.
    """
    wanted = ("SpineShoulder", "Neck", "Head")
    if not all(joint in schema.joints for joint in wanted):
        return ""
    base, neck, head = (skeleton[:, schema.joints.index(joint)] for joint in wanted)
    lengths = [np.linalg.norm(joint - base, axis=-1) for joint in (neck, head)]
    known = np.isfinite(lengths).all(axis=0)
    if not known.any() or np.median(lengths[0][known]) <= 1.2 * np.median(lengths[1][known]):
        return ""
    return f"Head and Neck look exchanged: the neck is above the head; joints={schema.name} overrules their names"


def scatter_fault(skeleton: np.ndarray, tracked: np.ndarray) -> str:
    """What is wrong with a joint that is nowhere near its body in some frame; empty if nothing.

    Args:
        skeleton: [T, 20, 3], canonical joints, units as in the file.
        tracked: [T, 20]; places of joints that were not say nothing.
    """
    away = np.abs(skeleton - np.median(skeleton, axis=1, keepdims=True)).max(axis=-1) * tracked
    usual = float(np.median(away.max(axis=1)))
    frame, joint = np.unravel_index(int(away.argmax()), away.shape)
    if len(skeleton) < _FEW or not away[frame, joint] > _SCATTERED * usual > 0:
        return ""
    return (
        f"expected the joints of a body near each other, found {JOINTS[joint]} of frame {frame} "
        f"{away[frame, joint] / usual:.3g} times as far from the others as joints are in the middle of the walk"
    )


def body_axis(skeleton: np.ndarray, any_limbs: bool = False) -> str | None:
    """The axis that the body of canonical skeletons [T, 20, 3] stands along; None if there is no body or none such.

    Args:
        skeleton: In any axes.
        any_limbs: Whether limbs need not be as bodies have them.
    """
    ankles = skeleton[:, [JOINTS.index(joint) for joint in _ANKLES]].mean(axis=1)
    axis = standing_along(skeleton[:, JOINTS.index("Head")] - ankles)
    # What limbs do not show to be a body has another fault than its axes.
    return axis if len(skeleton) >= _FEW and (any_limbs or axis in (None, "y") or not limb_faults([skeleton])) else None


def limb_faults(walks: Sequence[np.ndarray]) -> list[str]:
    """What of the limbs of canonical skeletons makes no sense, whatever the units and the axes."""
    body = np.nanmax(limbs.summarize({"skeleton": walk} for walk in walks).distances, initial=0)
    scale = _BODY / body if body > 0 else 1.0
    return limbs.faults(limbs.summarize({"skeleton": walk * scale} for walk in walks), upright=False)


def _within(coordinates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest coordinates [T', 3] of each frame that has any."""
    known = np.isfinite(coordinates).all(axis=-1, keepdims=True)
    some = known.sum(axis=(1, 2)) > 1
    low = np.where(known, coordinates, np.inf).min(axis=1)
    high = np.where(known, coordinates, -np.inf).max(axis=1)
    return low[some], high[some]


def _variation(lengths: np.ndarray) -> np.ndarray:
    """[19] by which part each limb changes; NaN for those without length."""
    means = lengths.mean(axis=0)
    return np.divide(lengths.std(axis=0), means, where=means > 0, out=np.full_like(means, np.nan))
