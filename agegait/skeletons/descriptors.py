"""Anthropometric descriptors of single skeletons: what was used before anything was learned of how people walk."""

from itertools import pairwise

import numpy as np

from agegait.skeletons import JOINTS

D13 = (
    *("head height", "neck height"),
    *("neck to left shoulder", "neck to right shoulder", "torso to right shoulder"),
    *("right arm", "left arm", "right upper leg", "left upper leg"),
    *("torso", "hip to hip", "torso / right upper leg", "torso / left upper leg"),
)
"""What the values of `d13` are, in order."""

D16 = (*D13, "right lower leg", "left lower leg", "shoulder to shoulder")
"""What the values of `d16` are, in order."""


def d13(skeleton: np.ndarray) -> np.ndarray:
    """The 13 measures of Munaro et al., of each skeleton by itself.

    Lengths are metres between joints, the last two are ratios. Measures and their order are those of Munaro et al. as
    a published implementation of their work has them; its ratios are in per cent. Decided here: the neck is
    ShoulderCenter and the torso Spine, what Kinect v1 has nearest to the joints of the tracker of that work; an arm
    goes by the elbow to the hand; heights, there above a known floor, are above the lower foot along y, the upright of
    a sensor that stands level; a ratio to a leg of no length, a joint that was not seen, is 0.

    Args:
        skeleton: `[..., 20, 3]` metres, canonical joints; where the person is does not matter.

    Returns:
        `[..., 13]`, as `D13` names them.

    Raises:
        ValueError: Skeletons of another shape.

    Reference:
        Munaro et al., One-shot person re-identification with a consumer depth camera, in Person Re-Identification,
        Springer 2014; and 3D reconstruction of freely moving persons for re-identification with a depth sensor, ICRA
        2014.
    """
    skeleton = _checked(skeleton)
    torso = _length(skeleton, "ShoulderCenter", "Spine")
    right, left = (_length(skeleton, f"Hip{side}", f"Knee{side}") for side in ("Right", "Left"))
    measures = (
        _height(skeleton, "Head"),
        _height(skeleton, "ShoulderCenter"),
        _length(skeleton, "ShoulderCenter", "ShoulderLeft"),
        _length(skeleton, "ShoulderCenter", "ShoulderRight"),
        _length(skeleton, "Spine", "ShoulderRight"),
        _length(skeleton, "ShoulderRight", "ElbowRight", "HandRight"),
        _length(skeleton, "ShoulderLeft", "ElbowLeft", "HandLeft"),
        right,
        left,
        torso,
        _length(skeleton, "HipLeft", "HipRight"),
        _ratio(torso, right),
        _ratio(torso, left),
    )
    return np.stack(measures, axis=-1)


def d16(skeleton: np.ndarray) -> np.ndarray:
    """16 measures: `d13`, both lower legs and the distance between the shoulders.

    Pala et al. describe people by 16 measures, and the papers call that D16. Their list was not to be had, so the three
    here that Munaro et al. do not have are ours: lengths that their 13 leave out. Figures of it stand for what 16
    measures of skeletons can do, not for that work.

    Args:
        skeleton: `[..., 20, 3]` metres, canonical joints; where the person is does not matter.

    Returns:
        `[..., 16]`, as `D16` names them.

    Raises:
        ValueError: Skeletons of another shape.

    Reference:
        Pala et al., Enhanced skeleton and face 3D data for person re-identification from depth cameras, Computers &
        Graphics 2019.
    """
    skeleton = _checked(skeleton)
    measures = (
        _length(skeleton, "KneeRight", "AnkleRight"),
        _length(skeleton, "KneeLeft", "AnkleLeft"),
        _length(skeleton, "ShoulderLeft", "ShoulderRight"),
    )
    return np.concatenate([d13(skeleton), np.stack(measures, axis=-1)], axis=-1)


def _checked(skeleton: np.ndarray) -> np.ndarray:
    skeleton = np.asarray(skeleton)
    if skeleton.ndim < 2 or skeleton.shape[-2:] != (len(JOINTS), 3):
        raise ValueError(f"skeleton: expected [..., {len(JOINTS)}, 3], received {list(skeleton.shape)}.")
    return skeleton


def _joint(skeleton: np.ndarray, name: str) -> np.ndarray:
    return skeleton[..., JOINTS.index(name), :]


def _length(skeleton: np.ndarray, *names: str) -> np.ndarray:
    """Along a chain of joints."""
    joints = [_joint(skeleton, name) for name in names]
    return sum(np.linalg.norm(one - other, axis=-1) for one, other in pairwise(joints))


def _height(skeleton: np.ndarray, name: str) -> np.ndarray:
    """Above the lower foot, whether y points up or down."""
    feet = [abs(_joint(skeleton, name)[..., 1] - _joint(skeleton, foot)[..., 1]) for foot in ("FootLeft", "FootRight")]
    return np.maximum(*feet)


def _ratio(length: np.ndarray, to: np.ndarray) -> np.ndarray:
    return np.divide(length, to, out=np.zeros_like(length), where=to > 0)
