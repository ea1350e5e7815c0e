"""In which order arrays of walks have their axes: frames, bodies, joints, and x, y and z."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from agegait import skeletons
from agegait.recordings.recording import Recording

_JOINT_COUNTS = frozenset(len(schema.joints) for schema in skeletons.SCHEMAS.values())
_MOST_BODIES = 6
_PAIR = 50
"""Joints of two bodies of Kinect v2 beside each other, as NTU RGB+D's arrays have them, the second often empty."""

_TITLES = {"T": "frames", "M": "bodies", "J": "joints", "C": "x, y, z"}
_ORDERS = ("TMJC", "MTJC", "CTJM", "JCTM", "TJC", "CTJ", "TCJ", "JCT", "CJT")
"""Of axes, as programs write them. Of graph networks' arrays the first is of coordinates, of MATLAB's the last is of
frames."""


@dataclass(frozen=True)
class Layout:
    """The axes of an array: `order` has T, M, J and C for frames, bodies, joints and coordinates.

    `shape` is without axes of length 1, which are of one person or one recording.
    """

    order: str
    shape: tuple[int, ...]

    @property
    def walk_shape(self) -> tuple[int, int]:
        """How many frames and joints there are."""
        return self.shape[self.order.index("T")], self.shape[self.order.index("J")]

    @property
    def remark(self) -> str:
        """What is said of an array in another order than [T, J, 3]; empty of that one."""
        return "" if self.order == "TJC" else f"axes taken as {', '.join(_TITLES[axis] for axis in self.order)}"

    def bodies(self, values: np.ndarray) -> np.ndarray:
        """The values as [M, T, J, C]."""
        order = self.order if "M" in self.order else f"M{self.order}"
        shaped = values.reshape(self.shape if "M" in self.order else (1, *self.shape))
        return shaped.transpose([order.index(axis) for axis in "MTJC"])


def layout_of(shape: tuple[int, ...]) -> Layout | None:
    """The layout of an array of some shape; None where there is none, or more than one.

    [T, J, 3] and [T, 3 J] are of any number of joints; others are known by the number of a schema's joints.
    """
    if len(shape) == 2 and shape[1] and shape[1] % 3 == 0:
        return Layout("TJC", (shape[0], shape[1] // 3, 3))
    if len(shape) > 3:
        shape = tuple(size for size in shape if size != 1) if sum(size != 1 for size in shape) >= 3 else shape[-3:]
    if len(shape) == 3 and shape[2] == 3 and shape[1]:
        return Layout("TJC", shape)
    found = [order for order in _ORDERS if len(order) == len(shape) and _fits(order, shape)]
    return Layout(found[0], shape) if len(found) == 1 else None


def has_states(layout: Layout) -> bool:
    """Whether a fourth number is behind x, y and z."""
    return layout.shape[layout.order.index("C")] == 4


def recordings_of_bodies(
    recording: Recording, bodies: np.ndarray, tracked: np.ndarray | None, pairs: bool
) -> list[Recording]:
    """A recording for each body that is there.

    Args:
        recording: What is known of all of them.
        bodies: [M, T, J, 3].
        tracked: [M, T, J]; None where nothing says so.
        pairs: Whether 50 joints may be those of two bodies.
    """
    if pairs and bodies.shape[2] == _PAIR:
        bodies = np.concatenate(np.split(bodies, 2, axis=2))
        tracked = None if tracked is None else np.concatenate(np.split(tracked, 2, axis=2))
    there = [number for number, body in enumerate(bodies) if np.nan_to_num(body).any()]
    if not there or len(bodies) == 1:
        there = [0]
    return [
        dataclasses.replace(
            recording,
            coordinates=bodies[number],
            tracked=None if tracked is None else tracked[number],
            body=str(number + 1) if len(there) > 1 else None,
        )
        for number in there
    ]


def _fits(order: str, shape: tuple[int, ...]) -> bool:
    sizes = dict(zip(order, shape, strict=True))
    bodies = sizes.get("M", 2)
    coordinates = (3, 4) if order.endswith("C") else (3,)
    return sizes["J"] in _JOINT_COUNTS and sizes["C"] in coordinates and 2 <= bodies <= _MOST_BODIES < sizes["T"]
