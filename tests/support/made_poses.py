"""Poses of made-up people before a made-up camera, as a pose estimator has them."""

import numpy as np

from agegait.recordings.video.pose import Pose
from agegait.skeletons import SCHEMAS

_PLACES = {
    **{"nose": (0, 0.62), "eye": (0.04, 0.66), "ear": (0.08, 0.64), "mouth": (0.02, 0.58)},
    **{"shoulder": (0.17, 0.48), "elbow": (0.21, 0.2), "wrist": (0.22, -0.04), "pinky": (0.22, -0.12)},
    **{"index": (0.21, -0.13), "thumb": (0.2, -0.1), "hip": (0.1, 0), "knee": (0.1, -0.4), "ankle": (0.1, -0.8)},
    **{"heel": (0.1, -0.84), "foot_index": (0.1, -0.84)},
}
"""Metres to the side of the hips and above them."""

_FOCAL = 1000.0
_MIDDLE = 960, 540


def _standing() -> np.ndarray:
    body = np.zeros((33, 3))
    for row, name in enumerate(SCHEMAS["mediapipe_pose"].joints):
        part = max((part for part in _PLACES if part in name), key=len)
        side, above = _PLACES[part]
        body[row] = (side if "left" in name else -side, -above, -0.12 if part in ("foot_index", "nose") else 0)
    return body


def made_pose(x: float, depth: float = 4.0, size: float = 1.0, phase: float = 0.0, noise: float = 0.0, seed: int = 0):
    """Somebody who walks along the picture.

    Args:
        x: Metres to the right of the camera.
        depth: Metres before it.
        size: Of their body, 1 for legs of 80 cm.
        phase: Of their step, in radians.
        noise: Metres, of the estimator.
        seed: Of the noise.
    """
    world = _standing() * size
    for row, name in enumerate(SCHEMAS["mediapipe_pose"].joints):
        if name.endswith(("knee", "ankle", "heel", "foot_index")):
            world[row, 0] += 0.3 * world[row, 1] * np.sin(phase) * (1 if "left" in name else -1)
    world += np.random.default_rng(seed).normal(0, noise, world.shape)
    image = _FOCAL * (world[:, :2] + (x, 0)) / depth + _MIDDLE
    return Pose(image, world, np.ones(33))


def made_estimator(poses, stop=None):
    """A class in place of `PoseEstimator`: of the n-th picture it finds `poses(n)`, or is stopped by Ctrl-C."""

    class Estimator:
        def __init__(self, model):
            self.frame = -1

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def estimate(self, picture, seconds):
            self.frame += 1
            if self.frame == stop:
                raise KeyboardInterrupt
            return poses(self.frame)

    return Estimator
