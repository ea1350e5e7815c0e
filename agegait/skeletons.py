"""Joint schemas: which joint is which, and which bones join them."""

from collections.abc import Iterable

JOINTS = (
    "HipCenter", "Spine", "ShoulderCenter", "Head",
    "ShoulderLeft", "ElbowLeft", "WristLeft", "HandLeft",
    "ShoulderRight", "ElbowRight", "WristRight", "HandRight",
    "HipLeft", "KneeLeft", "AnkleLeft", "FootLeft",
    "HipRight", "KneeRight", "AnkleRight", "FootRight",
)  # fmt: skip
"""The canonical joints, in the order of the Kinect v1 SDK."""

BONES = (
    (0, 1), (1, 2), (2, 3),
    (2, 4), (4, 5), (5, 6), (6, 7),
    (2, 8), (8, 9), (9, 10), (10, 11),
    (0, 12), (12, 13), (13, 14), (14, 15),
    (0, 16), (16, 17), (17, 18), (18, 19),
)  # fmt: skip
"""The 19 bones that join them, each from the joint nearer to the hip."""

KGBD = {
    "Head": "Head", "Shoulder-Center": "ShoulderCenter",
    "Shoulder-Right": "ShoulderRight", "Shoulder-Left": "ShoulderLeft",
    "Elbow-Right": "ElbowRight", "Elbow-Left": "ElbowLeft",
    "Wrist-Right": "WristRight", "Wrist-Left": "WristLeft",
    "Hand-Right": "HandRight", "Hand-Left": "HandLeft",
    "Spine": "Spine", "Hip-centro": "HipCenter",
    "Hip-Right": "HipRight", "Hip-Left": "HipLeft",
    "Knee-Right": "KneeRight", "Knee-Left": "KneeLeft",
    "Ankle-Right": "AnkleRight", "Ankle-Left": "AnkleLeft",
    "Foot-Right": "FootRight", "Foot-Left": "FootLeft",
}  # fmt: skip
"""The joints as KGBD's files name and order them, each with its canonical name."""


def canonical_order(joints: Iterable[str]) -> list[int]:
    """Finds the canonical joints among joints of another order.

    Args:
        joints: Canonical names in the order at hand, such as `KGBD.values()`; further names are ignored.

    Returns:
        Indices that put a skeleton [..., joints, 3] into canonical order: `skeleton[..., order, :]`.

    Raises:
        ValueError: A canonical joint is missing, or there twice.
    """
    joints = list(joints)
    for joint in JOINTS:
        if joints.count(joint) != 1:
            raise ValueError(f"`joints` must hold {joint!r} once. Received {joints.count(joint)} of it in {joints}")
    return [joints.index(joint) for joint in JOINTS]
