"""A sensor drawn at random: where it takes joints to be, and the mistakes that sensors make when people walk past them.

Trained on one sensor alone, a model trusts what is particular to it. So each draw is another sensor. The kinds of
mistakes are those that are seen in KGBD (Andersson and Araujo, 2015): knees that jump, legs that are exchanged, a far
leg that is drawn to the near one. How large and how frequent they are is drawn from wide ranges of our own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.signal import lfilter

from agegait import skeletons
from tfds_builders.walkers.sensor import DEPTH_NOISE, JITTER, LOSABLE, Sensor

WANDER = {
    **{"Hip": 0.010, "Spine": 0.008, "Shoulder": 0.007, "Head": 0.006, "Elbow": 0.012, "Wrist": 0.018, "Hand": 0.008},
    **{"Knee": 0.022, "Ankle": 0.025, "Foot": 0.012},
}
"""Metres by which a joint wanders over tenths of seconds, standard deviation.

Hands and feet do so beside wrists and ankles: sensors know how long they are."""

DRIFT = {
    **{"Spine": 0.006, "Shoulder": 0.008, "Head": 0.008, "Elbow": 0.012, "Wrist": 0.012, "Hand": 0.004},
    **{"Hip": 0.005, "Knee": 0.014, "Ankle": 0.012, "Foot": 0.004},
}
"""The same over seconds."""

PELVIS = 0.025
"""Metres by which the hips, and half as far the spine, drift together over seconds, standard deviation."""

DRIFT_MEMORY = 0.98
"""Correlation of a drift from one frame to the next."""

BONES = 0.04
"""Metres by which a bone is taken to be longer or shorter, from sensor to sensor: standard deviation."""

SHORT_BONES = 0.25
"""The same over the bone's length, at most."""

DEPTH = 0.01
"""Metres by which a joint is taken to be nearer or farther, from sensor to sensor: standard deviation."""

BONES_OF_A_WALK = 0.015
"""The same from walk to walk: sensors measure a body anew in each."""

_WANDER, _DRIFT = (
    np.array([next(v for k, v in table.items() if name.startswith(k)) for name in skeletons.JOINTS])
    for table in (WANDER, DRIFT)
)
_PELVIS = np.array([1.0 if name.startswith("Hip") else 0.5 * (name == "Spine") for name in skeletons.JOINTS])
_SIDES = [(skeletons.JOINTS.index(f"{limb}Left"), skeletons.JOINTS.index(f"{limb}Right")) for limb in WANDER
          if f"{limb}Left" in skeletons.JOINTS]  # fmt: skip
_BONES = np.minimum(
    BONES / np.linalg.norm(np.diff(skeletons.STANDING[np.array(skeletons.BONES)], axis=1)[:, 0], axis=-1), SHORT_BONES
)
"""Over the length that a bone has in a body of 1.75 m, [19]."""
_HIPS, _SHOULDERS = _SIDES[0], _SIDES[1]
_LEG = [pair for pair in _SIDES if skeletons.JOINTS[pair[0]].startswith(("Knee", "Ankle", "Foot"))]
_ENDS = [bone for bone in skeletons.BONES if skeletons.JOINTS[bone[1]].startswith(("Hand", "Foot"))]
_ONE_OF_BOTH_JOINTS = np.minimum(np.arange(len(skeletons.JOINTS)), skeletons.MIRRORED)
_ONE_OF_BOTH = [skeletons.BONES.index(tuple(_ONE_OF_BOTH_JOINTS[list(bone)])) for bone in skeletons.BONES]


@dataclass(frozen=True, eq=False)
class RandomizedSensor:
    """A sensor, its place in the room and its mistakes.

    Attributes:
        height: Metres above the floor.
        tilt: Radians that it looks down.
        roll: Radians that it leans to a side.
        rate: Frames a second.
        drops: Chance that a frame is missing.
        bones: [19] what it takes a bone's length to be, over the true one: a joint defined at another place.
        depth: [20] metres by which it takes a joint to be farther away than it is: it sees clothes, not bones.
        noise: Factor on the noise of depth.
        wander: Factor on `WANDER`.
        memory: Correlation of that wandering from one frame to the next.
        drift: Factor on `DRIFT` and `PELVIS`.
        hips_facing: Share of the hips' turn from the camera that it does not see: they seem to face it.
        shoulders_facing: The same of the shoulders.
        pull: Share of its way by which a hidden joint is drawn to the one of the other side.
        jumps: Chance in a frame that a limb's joint jumps aside for some frames.
        swaps: Chance in a frame that the legs, or the knees alone, are exchanged for some frames.
        losses: Chance in a frame that a limb's joint is lost for some frames, thrice that on the far side.
        interpolates: Whether a lost joint moves evenly to where it is found again; it is held otherwise.
        smoothing: Weight of the frame before in a running mean.
    """

    height: float
    tilt: float
    roll: float
    rate: float
    drops: float
    bones: np.ndarray
    depth: np.ndarray
    noise: float
    wander: float
    memory: float
    drift: float
    hips_facing: float
    shoulders_facing: float
    pull: float
    jumps: float
    swaps: float
    losses: float
    interpolates: bool
    smoothing: float

    @classmethod
    def draw(cls, rng: np.random.Generator, **given: Any) -> "RandomizedSensor":
        """Draws a sensor.

        Args:
            rng: The source of chance.
            **given: Attributes that are not drawn.
        """
        bones, own_bones = _normal(rng, (2, len(skeletons.BONES)))
        depth = _normal(rng, len(skeletons.JOINTS))
        hips_facing = rng.uniform(0, 1)
        drawn = {
            "height": rng.uniform(0.6, 1.8),
            "tilt": rng.uniform(-0.05, 0.15),
            "roll": 0.02 * float(_normal(rng)),
            "rate": rng.uniform(25, 30),
            "drops": rng.choice([0, 0.02, 0.05]),
            # Both sides alike, but for a little: a sensor defines joints the same left and right.
            "bones": 1 + _BONES * (bones[_ONE_OF_BOTH] + 0.2 * own_bones),
            "depth": DEPTH * depth[_ONE_OF_BOTH_JOINTS],
            "noise": 2 ** rng.uniform(-1, 1),
            "wander": 2 ** rng.uniform(-1.5, 1),
            "memory": rng.uniform(0.7, 0.95),
            "drift": 2 ** rng.uniform(-1.5, 0.7),
            "hips_facing": hips_facing,
            "shoulders_facing": hips_facing * rng.uniform(0.3, 1),
            "pull": rng.uniform(0, 0.5),
            "jumps": 10 ** rng.uniform(-3.5, -1.7),
            "swaps": 10 ** rng.uniform(-4, -1.8),
            "losses": 10 ** rng.uniform(-4, -2),
            "interpolates": bool(rng.random() < 0.5),
            "smoothing": rng.choice([0, 0.3, 0.5]),
        }
        return cls(**{**drawn, **given})

    def moments(self, rng: np.random.Generator, duration: float) -> np.ndarray:
        """When frames are taken, in seconds from 0 to the duration: at its rate, some missing."""
        times = np.arange(0, duration, 1 / self.rate)
        return times[rng.random(len(times)) >= self.drops]

    def record(self, rng: np.random.Generator, joints: np.ndarray, pan: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A walk as this sensor records it.

        Args:
            rng: The source of chance.
            joints: True joints [T, 20, 3] in the room's frame, metres.
            pan: Bearing to which the camera is turned [T], radians.

        Returns:
            Joints [T, 20, 3] in the camera's frame and whether each is tracked [T, 20].
        """
        seen = Sensor(self.height, self.tilt, self.noise, self.losses).see(joints, pan)
        x, y = seen[..., 0].copy(), seen[..., 1].copy()
        seen[..., 0] = np.cos(self.roll) * x - np.sin(self.roll) * y
        seen[..., 1] = np.sin(self.roll) * x + np.cos(self.roll) * y
        seen = rescaled(seen, self.bones * (1 + BONES_OF_A_WALK * _normal(rng, len(self.bones))))
        for share, (left, right) in ((self.hips_facing, _HIPS), (self.shoulders_facing, _SHOULDERS)):
            self._face(rng, seen, share, left, right)
        seen[..., 2] += self.depth
        far = seen[..., 2] > seen[:, :1, 2] + 0.03
        self._pull(seen)
        seen += self._noise(rng, seen, far)
        self._jump(rng, seen, far)
        self._swap(rng, seen)
        tracked = self._lose(rng, seen, far)
        if self.smoothing:
            start = (self.smoothing * seen[:1]).copy()
            seen, _ = lfilter([1 - self.smoothing], [1, -self.smoothing], seen, axis=0, zi=start)
        return seen, tracked

    @staticmethod
    def _face(rng: np.random.Generator, seen: np.ndarray, share: float, left: int, right: int) -> None:
        """Turns a pair of joints about their middle, towards how they lie where somebody faces the camera."""
        middle = (seen[:, left] + seen[:, right]) / 2
        half = (seen[:, right] - seen[:, left])[:, [0, 2]] / 2
        angle = np.arctan2(half[:, 1], half[:, 0])
        # Of somebody seen from behind, the sides seem to be exchanged or not: nothing is turned then.
        turn = -share * np.sign(angle) * np.minimum(np.abs(angle), np.pi - np.abs(angle))
        turn += share * 0.3 * _slow(rng, (len(seen), 1), DRIFT_MEMORY)[:, 0]
        cosine, sine = np.cos(turn), np.sin(turn)
        x, z = cosine * half[:, 0] - sine * half[:, 1], sine * half[:, 0] + cosine * half[:, 1]
        seen[:, right] = middle + np.stack([x, seen[:, right, 1] - middle[:, 1], z], -1)
        seen[:, left] = middle + np.stack([-x, seen[:, left, 1] - middle[:, 1], -z], -1)

    def _pull(self, seen: np.ndarray) -> None:
        """Draws the farther joint of each pair to the nearer one where that hides it."""
        for left, right in _SIDES:
            across = np.linalg.norm(seen[:, left, :2] - seen[:, right, :2], axis=-1)
            share = self.pull * np.exp(-0.5 * (across / 0.12) ** 2)
            step = share[:, None] * (seen[:, left] - seen[:, right])
            farther = (seen[:, left, 2] > seen[:, right, 2])[:, None]
            seen[:, left] -= np.where(farther, step, 0)
            seen[:, right] += np.where(farther, 0, step)

    def _noise(self, rng: np.random.Generator, seen: np.ndarray, far: np.ndarray) -> np.ndarray:
        worse = np.where(far, 1.5, 1.0)[..., None]
        white = self.noise * DEPTH_NOISE * JITTER[:, None] * seen[..., 2:] ** 2 * _normal(rng, seen.shape) / 3
        wander = self.wander * _WANDER[:, None] * _slow(rng, seen.shape, self.memory)
        drift = _DRIFT[:, None] * _slow(rng, seen.shape, DRIFT_MEMORY)
        drift += PELVIS * _PELVIS[:, None] * _slow(rng, (len(seen), 1, 3), DRIFT_MEMORY)
        noise = worse * (white + wander) + self.drift * drift
        for limb, end in _ENDS:
            noise[:, end] += noise[:, limb]
        return noise

    def _jump(self, rng: np.random.Generator, seen: np.ndarray, far: np.ndarray) -> None:
        for gap, joint in _gaps(rng, self.jumps * LOSABLE * np.where(far, 2, 1), 5):
            seen[gap, joint] += 0.06 * _normal(rng, 3)

    def _swap(self, rng: np.random.Generator, seen: np.ndarray) -> None:
        for gap, kind in _gaps(rng, np.full((len(seen), 2), self.swaps / 2), 5):
            for left, right in _LEG if kind else _LEG[:1]:
                seen[gap, left], seen[gap, right] = seen[gap, right].copy(), seen[gap, left].copy()

    def _lose(self, rng: np.random.Generator, seen: np.ndarray, far: np.ndarray) -> np.ndarray:
        """Holds lost joints beside the hip, or leads them evenly over the gap; says what is tracked."""
        tracked = np.ones(far.shape, bool)
        for gap, joint in _gaps(rng, self.losses * LOSABLE * np.where(far, 3, 1), 8):
            before, after = max(gap.start - 1, 0), min(gap.stop, len(seen) - 1)
            place = seen[:, joint] - seen[:, 0]
            share = (np.arange(gap.start, min(gap.stop, len(seen))) - before)[:, None] / max(after - before, 1)
            share = share if self.interpolates else 0 * share
            seen[gap, joint] = seen[gap, 0] + (1 - share) * place[before] + share * place[after]
            tracked[gap, joint] = False
        return tracked


def rescaled(joints: np.ndarray, bones: np.ndarray) -> np.ndarray:
    """The same poses with other bones' lengths.

    Args:
        joints: [T, 20, 3], metres.
        bones: [19] new lengths over the old ones, in the order of `agegait.skeletons.BONES`.
    """
    moved = joints.copy()
    for (start, end), factor in zip(skeletons.BONES, bones, strict=True):
        moved[:, end] = moved[:, start] + factor * (joints[:, end] - joints[:, start])
    return moved


def _gaps(rng: np.random.Generator, chances: np.ndarray, frames: int) -> Iterator[tuple[slice, int]]:
    """Where something begins, by its chance [T, K] in each frame, and lasts for some frames: slices and columns."""
    begins = np.argwhere(rng.random(chances.shape) < chances)
    for (frame, column), length in zip(begins, rng.geometric(1 / frames, len(begins)), strict=True):
        yield slice(frame, frame + length), column


def _slow(rng: np.random.Generator, shape: tuple[int, ...], memory: float) -> np.ndarray:
    """Noise of unit deviation, correlated along the first axis."""
    steps = _normal(rng, shape)
    steps[1:] *= (1 - memory**2) ** 0.5
    return lfilter([1], [1, -memory], steps, axis=0)


def _normal(rng: np.random.Generator, size: int | tuple[int, ...] | None = None) -> np.ndarray:
    """Standard normal, never beyond two and a half deviations."""
    return np.clip(rng.standard_normal(size), -2.5, 2.5)
