"""Whether somebody walks, upright: what sits, stands still or leans says little of a gait, or of a sensor's axes."""

import numpy as np

from agegait.skeletons import JOINTS

_FEW = 12
_LEANING = 25
"""Degrees between a body and the vertical, over a walk, from which on it is the sensor that is tilted."""

_SITTING = 125
"""Degrees between thigh and shin, in the middle of a walk and of both legs, under which nobody stands."""

_STILL = 0.04
"""By so much of the body each ankle moves about the other, at least, where somebody walks."""

_TRAVEL = 0.3
"""Of the body, that somebody gets on who walks."""


def posture_remarks(skeleton: np.ndarray) -> list[str]:
    """Remarks on a body that leans, sits or does not walk.

    Args:
        skeleton: [T, 20, 3], metres, canonical joints, y up.
    """
    if len(skeleton) < _FEW:
        return []
    joints = dict(zip(JOINTS, np.moveaxis(np.asarray(skeleton, float), -2, 0), strict=True))
    ankles = (joints["AnkleLeft"] + joints["AnkleRight"]) / 2
    body = joints["Head"] - ankles
    size = float(np.median(np.linalg.norm(body, axis=-1)))
    if not size > 0:
        return []
    if max(bend := [_knee(joints, side) for side in ("Left", "Right")]) < _SITTING:
        return [f"nobody walks: the knees are bent to {max(bend):.0f} degrees all along, as of somebody who sits"]
    remarks = []
    lean = float(np.degrees(np.arccos(np.clip(np.median(body[:, 1]) / size, -1, 1))))
    if lean > _LEANING:
        remarks.append(f"the body leans by {lean:.0f} degrees: is the sensor tilted, or another axis up?")
    apart = joints["AnkleLeft"] - joints["AnkleRight"]
    swing = np.ptp(np.percentile(apart, [5, 95], axis=0), axis=0).max()
    travel = np.ptp(np.percentile(joints["HipCenter"], [5, 95], axis=0), axis=0).max()
    if swing < _STILL * size and travel < _TRAVEL * size:
        remarks.append("nobody walks: the feet stay where they are")
    return remarks


def _knee(joints: dict[str, np.ndarray], side: str) -> float:
    """Degrees between a thigh and its shin; 180 where the leg is straight."""
    thigh, shin = (joints[f"{end}{side}"] - joints[f"Knee{side}"] for end in ("Hip", "Ankle"))
    lengths = np.linalg.norm(thigh, axis=-1) * np.linalg.norm(shin, axis=-1)
    cosines = np.divide((thigh * shin).sum(axis=-1), lengths, where=lengths > 0, out=-np.ones_like(lengths))
    return float(np.degrees(np.arccos(np.clip(np.median(cosines), -1, 1))))
