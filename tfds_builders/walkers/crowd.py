"""A crowd: as many generated people as asked for, each before one of many sensors.

The 20 `walkers` are for trying things out. A crowd is for training: what differs between people is the body and the
manner of walking, and what differs between one person's walks is all that a model is not to take for the person.
"""

from dataclasses import dataclass

import numpy as np

from agegait.data import Walks
from tfds_builders.walkers import anthropometry, gait, generator, kinematics, paths
from tfds_builders.walkers.randomized_sensor import RandomizedSensor

PROPORTIONS = 0.05
"""Relative standard deviation of people's proportions: wider than that of `walkers`."""

FLESH = 0.010
"""Metres by which a joint is seen beside its place, from person to person: standard deviation."""

CLOTHES = 0.006
"""The same from walk to walk."""

_SEED = 25
_SECONDS = {"semicircle": (5.0, 7.0), "past": (4.0, 5.0), "towards": (4.0, 4.5)}


@dataclass(frozen=True)
class Crowd:
    """Generated people and their walks.

    Everything is drawn from the seed, the person's number and the walk's number. So a larger crowd begins with the
    people of a smaller one.

    Attributes:
        persons: How many people, men and women by turns.
        walks: How many walks each makes.
        sensors: How many sensors there are. A person walks before one of them.
        elsewhere: Share of walks that another sensor records.
        seed: Of people, walks and sensors.

    Example:
        >>> crowd = Crowd(persons=300, walks=6)
        >>> embedder = agegait.training.EmbedderTraining("persons").fit(crowd.recorded())
    """

    persons: int
    walks: int = 6
    sensors: int = 50
    elsewhere: float = 0.0
    seed: int = 0

    def recorded(self) -> Walks:
        """All walks; persons are numbers."""
        keys = [(person, number) for person in range(self.persons) for number in range(self.walks)]
        names = np.array([f"{person:04d}/{number}" for person, number in keys])
        return Walks([self.walk(*key)[0] for key in keys], np.array([person for person, _ in keys]), names)

    def walk(self, person: int, number: int) -> tuple[np.ndarray, np.ndarray]:
        """A recorded walk.

        Args:
            person: From 0 to `persons`.
            number: Which of the person's walks, from 0.

        Returns:
            Joints [T, 20, 3] float32, metres, in the camera's frame, and whether each is tracked [T, 20] bool.
        """
        rng = self._random("walk", person, number)
        body, manner, flesh = self.person(person)
        camera = self.sensor(
            int(rng.integers(self.sensors)) if rng.random() < self.elsewhere else person % self.sensors
        )
        body = anthropometry.shod(body, rng.uniform(0, 0.03))
        manner = gait.vary(rng, manner, pace=rng.uniform(0.88, 1.12), spread=1.5)
        kind = str(rng.choice(paths.KINDS, p=(0.5, 0.3, 0.2)))
        seconds = rng.uniform(*_SECONDS[kind])
        truth = generator.move(rng, body, manner, kind, int(np.ceil(seconds * generator.RATE)))
        rate = generator.RATE * generator.OVERSAMPLING
        kept = np.round(camera.moments(rng, seconds - 1 / generator.RATE) * rate).astype(int)
        joints = truth.joints[kept] + flesh + CLOTHES * rng.standard_normal(flesh.shape)
        ground = truth.ground[kept]
        pan = np.arctan2(ground[:, 0], ground[:, 2]) + np.radians(3) * rng.standard_normal()
        recorded, tracked = camera.record(rng, kinematics.place(joints, ground, truth.heading[kept]), pan)
        return np.round(recorded, 4).astype(np.float32), tracked

    def person(self, person: int) -> tuple[anthropometry.Body, gait.Gait, np.ndarray]:
        """A person's body, manner of walking, and how far from the joints [20, 3] sensors see them, in metres."""
        rng = self._random("person", person)
        body = anthropometry.draw(rng, "male" if person % 2 == 0 else "female", PROPORTIONS)
        return body, gait.draw(rng, spread=1.3), FLESH * rng.standard_normal((20, 3))

    def sensor(self, number: int) -> RandomizedSensor:
        """A sensor, by its number from 0."""
        return RandomizedSensor.draw(self._random("sensor", number))

    def _random(self, kind: str, *key: int) -> np.random.Generator:
        word = int.from_bytes(kind.encode(), "big")
        return np.random.Generator(np.random.PCG64([_SEED, self.seed, word, *key]))
