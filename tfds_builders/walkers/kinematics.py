"""Forward kinematics: from a body and its joint angles to the 20 joints, walking on the floor.

The walker's frame is right-handed: x to the walker's left, y up, z forward.
"""

import numpy as np

from agegait import skeletons
from tfds_builders.walkers.anthropometry import Body
from tfds_builders.walkers.gait import Gait, leg_angles

STEADINESS = 0.5
"""Share by which the body's speed departs less from its mean than the standing foot's angles ask for (ours)."""

FOOTING = 0.008
"""Softness, in metres, with which the weight passes from one point of the soles to the next."""


def pose(body: Body, gait: Gait, phase: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The joints around the middle of the hips, whatever the floor.

    Args:
        body: Segment lengths.
        gait: How the person walks.
        phase: Phase of the left leg, in cycles, [T].

    Returns:
        Joints [T, 20, 3] in canonical order, and the soles [T, 4, 3]: heel and ball of the left foot, then of the
        right; metres, in the walker's frame.
    """
    t = gait.traits
    zero = np.zeros_like(phase)
    centre = np.stack([t["sway"] * _swing(phase - 0.30), zero, zero], -1)  # over the standing leg in mid stance
    pelvis = _compose(
        _about("y", -np.radians(t["pelvis_yaw"]) * _swing(phase)),  # the side of the leading leg is ahead
        _about("z", np.radians(t["pelvis_roll"]) * _swing(phase - 0.13)),  # the unloaded side drops
    )
    trunk = _compose(_about("y", np.radians(t["thorax_yaw"]) * _swing(phase)), _about("x", np.radians(t["lean"])))
    stooped = _compose(trunk, _about("x", np.radians(t["stoop"])))

    hips = centre + _apply(pelvis, np.array([0, body.hip_drop, 0]))
    neck = hips + _apply(trunk, np.array([0, body.chest, 0]))
    joints = {
        "HipCenter": hips,
        "Spine": hips + _apply(trunk, np.array([0, body.spine, 0])),
        "ShoulderCenter": neck,
        "Head": neck + _apply(stooped, np.array([0, body.neck, 0])),
    }
    soles = []
    for side, name in enumerate(("Left", "Right")):
        sign = 1 - 2 * side
        own_phase = phase + 0.5 * side
        hip = centre + _apply(pelvis, np.array([sign * body.hip_width / 2, 0, 0]))
        shoulder = neck + _apply(trunk, np.array([sign * body.shoulder_width / 2, -body.shoulder_drop, 0]))
        leg, sole = _leg(body, gait, side, own_phase + t["phase_asymmetry"] * side, hip)
        limbs = {**leg, **_arm(body, gait, side, own_phase, shoulder)}
        joints |= {f"{joint}{name}": place for joint, place in limbs.items()}
        soles += sole
    return np.stack([joints[name] for name in skeletons.JOINTS], 1), np.stack(soles, 1)


def footing(soles: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Where the floor puts the walker: the lowest point of the soles carries the body, and all but stays in place.

    Args:
        soles: Points of the soles [T, 4, 3] around the middle of the hips, metres.
        rate: Frames a second.

    Returns:
        Height of the middle of the hips [T] in metres, and its speed forward [T] in metres a second.
    """
    heights = soles[..., 1]
    lowest = heights.min(1, keepdims=True)
    weights = np.exp((lowest - heights) / FOOTING)
    # A soft minimum lies below the hard one, so no point comes to lie under the floor.
    height = FOOTING * np.log(weights.sum(1)) - lowest[:, 0]
    weights /= weights.sum(1, keepdims=True)
    speed = -(weights * np.gradient(soles[..., 2], axis=0)).sum(1) * rate
    return height, speed + STEADINESS * (speed.mean() - speed)


def place(joints: np.ndarray, ground: np.ndarray, heading: np.ndarray) -> np.ndarray:
    """Turns the joints to their heading and moves them to their place in the room.

    Args:
        joints: [T, J, 3], metres, in the walker's frame.
        ground: Where the walker is [T, 3], metres, in the room's frame.
        heading: Angle about the vertical from the room's z axis towards its x axis [T], radians.
    """
    return _apply(_about("y", heading)[:, None], joints) + ground[:, None]


def _leg(
    body: Body, gait: Gait, side: int, phase: np.ndarray, hip: np.ndarray
) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
    """A leg's joints and its heel and ball, each [T, 3], from its own phase [T] and its hip [T, 3]."""
    t, sign = gait.traits, 1 - 2 * side
    thigh, flexion, dorsiflexion = leg_angles(gait, side, phase)
    shank = thigh - flexion
    pitch = shank + dorsiflexion
    # The leg tilts inward by what brings the ankle over its own track.
    drop = body.thigh * np.cos(thigh) + body.shank * np.cos(shank)
    tilt = _about("z", np.arcsin((sign * t["step_width"] / 2 - hip[:, 0]) / drop))
    knee = hip + _apply(tilt, body.thigh * _hanging(thigh))
    ankle = knee + _apply(tilt, body.shank * _hanging(shank))
    outward = _about("y", np.radians(sign * t["toe_out"]))
    along, below = _apply(outward, _hanging(pitch + np.pi / 2)), _apply(outward, _hanging(pitch))
    heel = ankle + body.ankle_height * below - body.heel * along
    ball = ankle + body.ankle_height * below + body.ball * along
    return {"Hip": hip, "Knee": knee, "Ankle": ankle, "Foot": ball - body.ankle_height / 2 * below}, [heel, ball]


def _arm(body: Body, gait: Gait, side: int, phase: np.ndarray, shoulder: np.ndarray) -> dict[str, np.ndarray]:
    """An arm's joints, each [T, 3], from the phase [T] of the leg on its side and its shoulder [T, 3]."""
    t, sign = gait.traits, 1 - 2 * side
    swing = -_swing(phase - t["arm_phase"])  # an arm is back when its own leg is ahead
    upper = np.radians(t["shoulder_mean"] + (t["shoulder_swing"] + sign * t["shoulder_asymmetry"]) * swing)
    lower = upper + np.radians(np.maximum(t["elbow_mean"] + t["elbow_swing"] * swing, 5))
    away = _about("z", np.radians(sign * t["arm_abduction"]))
    elbow = shoulder + _apply(away, body.upper_arm * _hanging(upper))
    wrist = elbow + _apply(away, body.forearm * _hanging(lower))
    hand = wrist + _apply(away, body.hand * _hanging(lower))
    return {"Shoulder": shoulder, "Elbow": elbow, "Wrist": wrist, "Hand": hand}


def _swing(phase: np.ndarray) -> np.ndarray:
    """One oscillation a stride, at its peak when the phase is whole."""
    return np.cos(2 * np.pi * phase)


def _hanging(angle: np.ndarray) -> np.ndarray:
    """Directions [T, 3] of a limb that hangs, swung forward by the angle."""
    return np.stack([np.zeros_like(angle), -np.cos(angle), np.sin(angle)], -1)


def _about(axis: str, angle: np.ndarray | float) -> np.ndarray:
    """Rotations [..., 3, 3] about an axis by angles [...], right-handed."""
    first = "xyz".index(axis)
    i, j = (first + 1) % 3, (first + 2) % 3
    rotation = np.zeros((*np.shape(angle), 3, 3))
    rotation[..., first, first] = 1
    rotation[..., i, i] = rotation[..., j, j] = np.cos(angle)
    rotation[..., j, i] = np.sin(angle)
    rotation[..., i, j] = -np.sin(angle)
    return rotation


def _compose(second: np.ndarray, first: np.ndarray) -> np.ndarray:
    """The rotations that turn by `first`, then by `second`."""
    return np.einsum("...ij,...jk->...ik", second, first)


def _apply(rotation: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Rotates vectors [..., 3] by rotations [..., 3, 3], either of them broadcast."""
    # Not matmul: its threads cost more than these sums, and BLAS rounds otherwise on every machine.
    return (rotation * vectors[..., None, :]).sum(-1)
