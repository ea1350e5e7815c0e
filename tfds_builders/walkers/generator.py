"""The walks of 20 synthetic people: person, condition and number seed each walk, and nothing else does."""

import dataclasses

import numpy as np

from agegait import skeletons
from tfds_builders.walkers import anthropometry, gait, kinematics, paths
from tfds_builders.walkers.sensor import Sensor

PERSONS = tuple(f"walker{number:02d}" for number in range(20))
"""Ten men and ten women, by turns."""

RATE = 30
"""Frames a second."""

FRAMES = {"semicircle": (150, 200), "past": (115, 140), "towards": (110, 130)}
"""Fewest and most frames of a walk, by kind of path: the straight ones leave the sensor's range sooner."""

CLOTHING = 0.004
"""Standard deviation of how far a day's clothes shift where a joint is seen, metres (ours)."""

FOLDS = 0.006
"""The same for what changes from walk to walk, metres (ours)."""

OVERSAMPLING = 4
"""Moments of a motion for each frame: footing differentiates, and a heel's contact is short."""

_SEED = 2026


@dataclasses.dataclass(frozen=True)
class Condition:
    """A day of recording: all figures are ours.

    Attributes:
        walks: How many walks each person makes.
        sensor: What records them.
        pace: Lowest and highest speed over the person's usual one.
        sole: How much thicker the soles are, in metres.
    """

    walks: int
    sensor: Sensor
    pace: tuple[float, float]
    sole: float


CONDITIONS = {
    "a": Condition(6, Sensor(height=0.9, tilt=0.0, noise=1.0, losses=0.0004), pace=(0.95, 1.05), sole=0.0),
    "b": Condition(2, Sensor(height=1.4, tilt=0.04, noise=1.2, losses=0.0008), pace=(0.85, 0.95), sole=0.02),
}
"""Training and its like, and another day: other place of the camera, other shoes and clothes, in less of a hurry."""


@dataclasses.dataclass(frozen=True)
class Motion:
    """What truly happens in a walk, before a sensor sees it.

    Attributes:
        joints: [T, 20, 3] in the walker's frame, above where the walker is on the floor; metres.
        soles: Heel and ball of the left foot, then of the right [T, 4, 3], likewise.
        ground: Where the walker is in the room [T, 3]; metres.
        heading: Angle from the room's z axis towards its x axis [T]; radians.
        gait: How the person walks this time.
    """

    joints: np.ndarray
    soles: np.ndarray
    ground: np.ndarray
    heading: np.ndarray
    gait: gait.Gait


def walk(person: int, condition: str, number: int) -> tuple[np.ndarray, np.ndarray]:
    """A recorded walk.

    Args:
        person: Index into `PERSONS`.
        condition: Key of `CONDITIONS`.
        number: Which of the person's walks under that condition, from 0.

    Returns:
        Joints [T, 20, 3] float32, metres, in the camera's frame, and whether each is tracked [T, 20] bool.
    """
    truth = motion(person, condition, number)
    sensor = CONDITIONS[condition].sensor
    rng = _generator(person, condition, number, "recording")
    shape = (len(skeletons.JOINTS), 3)
    clothes = CLOTHING * _generator(person, condition, "clothes").standard_normal(shape)
    folds = FOLDS * rng.standard_normal(shape)
    # The camera is turned by hand to follow the walker, as in KGBD.
    pan = np.arctan2(truth.ground[:, 0], truth.ground[:, 2]) + np.radians(3) * rng.standard_normal()
    seen = sensor.see(kinematics.place(truth.joints + clothes + folds, truth.ground, truth.heading), pan)
    recorded, tracked = sensor.record(rng, seen)
    # To a tenth of a millimetre, so that the last bit of one machine's sine does not show.
    return np.round(recorded, 4).astype(np.float32), tracked


def motion(person: int, condition: str, number: int) -> Motion:
    """The motion behind a recorded walk; arguments as of `walk`."""
    day = CONDITIONS[condition]
    rng = _generator(person, "person")
    body = anthropometry.draw(rng, "male" if person % 2 == 0 else "female")
    manner = gait.draw(rng)

    rng = _generator(person, condition, number, "motion")
    manner = gait.vary(rng, manner, pace=rng.uniform(*day.pace))
    # The first walks of a day take each kind of path in turn, so that all are trained on.
    kind = paths.KINDS[number] if number < len(paths.KINDS) else str(rng.choice(paths.KINDS))
    frames = rng.integers(*FRAMES[kind])
    whole = move(rng, anthropometry.shod(body, day.sole), manner, kind, int(frames))
    kept = slice(None, None, OVERSAMPLING)
    return Motion(whole.joints[kept], whole.soles[kept], whole.ground[kept], whole.heading[kept], manner)


def move(rng: np.random.Generator, body: anthropometry.Body, manner: gait.Gait, kind: str, frames: int) -> Motion:
    """A body that walks along a path, with `OVERSAMPLING` moments for each of the frames.

    Args:
        rng: The source of chance: where in the gait cycle the walk begins, and where the path leads.
        body: Segment lengths, on soles.
        manner: How the person walks this time.
        kind: One of `paths.KINDS`.
        frames: How many frames.
    """
    seconds = np.arange(frames * OVERSAMPLING) / (RATE * OVERSAMPLING)
    phase = rng.random() + manner.traits["cadence"] / 2 * seconds
    joints, soles = kinematics.pose(body, manner, phase)
    height, speed = kinematics.footing(soles, RATE * OVERSAMPLING)
    travelled = np.cumsum(speed) / (RATE * OVERSAMPLING)
    ground, heading = paths.follow(rng, kind, travelled - travelled[0])
    joints[..., 1] += height[:, None]
    soles[..., 1] += height[:, None]
    return Motion(joints, soles, ground, heading, manner)


def _generator(*key: int | str) -> np.random.Generator:
    words = [word if isinstance(word, int) else int.from_bytes(word.encode(), "big") for word in key]
    return np.random.Generator(np.random.PCG64([_SEED, *words]))
