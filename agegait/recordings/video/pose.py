from dataclasses import dataclass
from functools import cached_property

import numpy as np

_TORSO = [11, 12, 23, 24]
"""Shoulders and hips among MediaPipe's landmarks."""

_BODY = slice(11, 33)
"""All of them below the head, whose eleven landmarks say next to nothing of a body's size."""

_BONES = np.array([(11, 12), (23, 24), (11, 23), (12, 24), (23, 25), (25, 27), (24, 26), (26, 28)])
"""Those whose lengths tell bodies apart, and tell a body from half of one."""

_SHORTEST = 0.01
"""Metres; what is shorter was not estimated."""


@dataclass(frozen=True, eq=False)
class Pose:
    """A person in one picture, by MediaPipe's 33 landmarks.

    Attributes:
        image: [33, 2] pixels from the picture's upper left corner, x to the right and y down.
        world: [33, 3] metres from the middle of the hips: x to the right of the picture, y down, z away from the
            camera.
        visibility: [33], how likely each landmark is in the picture and not hidden, in 0..1.
    """

    image: np.ndarray
    world: np.ndarray
    visibility: np.ndarray

    @cached_property
    def center(self) -> np.ndarray:
        """[2] pixels, the middle of the torso."""
        return self.image[_TORSO].mean(axis=0)

    @cached_property
    def scale(self) -> float:
        """Pixels of a metre where the person is: how much larger the picture's landmarks spread than the body's."""
        image, world = self.image[_BODY], self.world[_BODY, :2]
        spread = np.sqrt(((world - world.mean(axis=0)) ** 2).sum())
        return float(np.sqrt(((image - image.mean(axis=0)) ** 2).sum()) / max(spread, _SHORTEST))

    @cached_property
    def lengths(self) -> np.ndarray:
        """[8] metres, of the trunk and the legs."""
        starts, ends = _BONES.T
        return np.maximum(np.linalg.norm(self.world[starts] - self.world[ends], axis=-1), _SHORTEST)
