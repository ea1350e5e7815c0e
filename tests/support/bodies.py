"""Walks of people for tests: what is random numbers is taken for no body."""

import functools

import numpy as np

from tfds_builders.walkers import generator


@functools.cache
def _recorded(person, number):
    skeleton, _ = generator.walk(person, "a", number)
    skeleton.setflags(write=False)
    return skeleton


def walk(frames, person=0, number=0):
    """A generated walk [frames, 20, 3], metres, y up; at most 110 frames."""
    return _recorded(person, number)[:frames]


def walks(count, frames):
    """Walks [count, frames, 20, 3] of as many people."""
    return np.stack([walk(frames, person) for person in range(count)])
