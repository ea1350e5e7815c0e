"""A sensor in the manner of the Kinect v1: its place in the room, its noise, and the joints that it loses.

Depth noise grows with the square of the distance: 1.4 mm at 1 m, 3.6 cm at 5 m (Khoshelham and Oude Elberink, 2012).
How much of it each joint takes, how slowly it wanders and how often a joint is lost are ours; jitter was set beside
what we measured in KGBD at 2.6 m: about 3 mm at the shoulders and 1 cm at the feet from frame to frame.
"""

import dataclasses

import numpy as np

from agegait import skeletons

DEPTH_NOISE = 1.425e-3
"""Standard deviation of depth over the square of depth, one over metres."""

MEMORY = 0.85
"""Correlation of a joint's noise from one frame to the next."""

LOST_FRAMES = 8
"""Mean number of frames for which a lost joint stays lost."""

_EXTREMITIES = {"Elbow": 1.2, "Wrist": 1.6, "Hand": 1.8, "Knee": 1.6, "Ankle": 2.2, "Foot": 2.8}
JITTER = np.array([next((v for k, v in _EXTREMITIES.items() if name.startswith(k)), 1.0) for name in skeletons.JOINTS])
"""A joint's noise over the depth noise at its distance, [20]."""

LOSABLE = np.array([any(name.startswith(k) for k in _EXTREMITIES) for name in skeletons.JOINTS])
"""Which joints are lost at times: those of the limbs, [20]."""


@dataclasses.dataclass(frozen=True)
class Sensor:
    """A camera and its quality.

    Attributes:
        height: Metres above the floor.
        tilt: Radians that it looks down.
        noise: Factor on `JITTER`.
        losses: Chance that a limb's joint gets lost in a frame; thrice that for one on the body's far side.
    """

    height: float
    tilt: float
    noise: float
    losses: float

    def see(self, joints: np.ndarray, pan: np.ndarray) -> np.ndarray:
        """The joints in the camera's frame, in metres.

        Args:
            joints: [T, 20, 3] in the room's frame, metres.
            pan: Bearing to which the camera is turned [T], radians.
        """
        x, y, z = np.moveaxis(joints, -1, 0)
        y = y - self.height
        sine, cosine = np.sin(pan)[:, None], np.cos(pan)[:, None]
        x, z = cosine * x - sine * z, sine * x + cosine * z
        sine, cosine = np.sin(self.tilt), np.cos(self.tilt)
        return np.stack([x, cosine * y + sine * z, cosine * z - sine * y], -1)

    def record(self, rng: np.random.Generator, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Adds noise and loses joints; a lost joint moves with the hip, frozen in the pose in which it was lost.

        Args:
            rng: The source of chance.
            seen: True joints [T, 20, 3] in the camera's frame, metres.

        Returns:
            Joints [T, 20, 3] and whether each is tracked [T, 20].
        """
        deviation = self.noise * DEPTH_NOISE * JITTER[:, None] * seen[..., 2:] ** 2
        noise = rng.standard_normal(seen.shape)
        for frame in range(1, len(noise)):
            noise[frame] = MEMORY * noise[frame - 1] + (1 - MEMORY**2) ** 0.5 * noise[frame]
        recorded = seen + deviation * noise

        far = seen[..., 2] > seen[:, :1, 2] + 0.05
        lost = rng.random(far.shape) < self.losses * LOSABLE * np.where(far, 3, 1)
        lengths = rng.geometric(1 / LOST_FRAMES, far.shape)
        tracked = np.ones(far.shape, bool)
        for frame, joint in np.argwhere(lost):
            gap = slice(frame, frame + lengths[frame, joint])
            before = max(frame - 1, 0)
            recorded[gap, joint] = recorded[gap, 0] + recorded[before, joint] - recorded[before, 0]
            tracked[gap, joint] = False
        return recorded, tracked
