"""Bodies for galleries, and an embedder that tells them apart by their sizes: no TensorFlow, no training."""

import numpy as np

from agegait.data import Walks
from agegait.skeletons import BONES, STANDING

SIZE = 19


class BoneLengths:
    """Embeds a walk as how its bones deviate from a mean body's."""

    embedding_size = SIZE
    frame_rate = 30.0

    def __init__(self, name="bone lengths"):
        self.name = name

    def embed(self, walks):
        return np.stack([bones(walk).mean(axis=0) / bones(STANDING) - 1 for walk in walks]).astype("float32")

    def fingerprint(self):
        return self.name


def bones(skeletons):
    starts, ends = np.transpose(BONES)
    return np.linalg.norm(skeletons[..., ends, :] - skeletons[..., starts, :], axis=-1)


def walk(person, number=0, frames=40):
    """A walk [frames, 20, 3] of a body that is the person's own, each a little otherwise."""
    skeleton = STANDING.copy()
    stretched = 1 + 0.1 * np.random.default_rng(person).normal(size=SIZE)
    moved = {0: np.zeros(3)}
    for (start, end), stretch in zip(BONES, stretched, strict=True):
        moved[end] = moved[start] + stretch * (STANDING[end] - STANDING[start])
    for joint, place in moved.items():
        skeleton[joint] = place
    noise = np.random.default_rng([person, number]).normal(0, 0.002, (1, 20, 3))
    return (skeleton + noise + np.zeros((frames, 1, 1))).astype("float32")


def walks(people, each=2):
    """Walks of several people, as data."""
    pairs = [(person, number) for person in people for number in range(each)]
    names = np.array([f"{person}/{number}" for person, number in pairs])
    return Walks([walk(*pair) for pair in pairs], np.array([person for person, _ in pairs]), names)
