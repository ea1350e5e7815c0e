"""One walk as sensors of several frame rates record it: the motion behind a generated one, without noise."""

import functools

import numpy as np

from tfds_builders.walkers import anthropometry, gait, generator, kinematics

_FINE = generator.RATE * generator.OVERSAMPLING


@functools.cache
def _motion(person, frames):
    rng = np.random.default_rng(person)
    body = anthropometry.shod(anthropometry.draw(rng, "male" if person % 2 else "female"), 0.0)
    moved = generator.move(rng, body, gait.draw(rng), "past", frames)
    return kinematics.place(moved.joints, moved.ground, moved.heading)


def walk_at(frame_rate, person=0, seconds=3.0):
    """A walk [T, 20, 3], float32, metres, y up, of which a sensor takes so many frames a second."""
    fine = _motion(person, int(seconds * generator.RATE) + 1)
    times = np.arange(int(seconds * frame_rate) + 1) / frame_rate * _FINE
    before = np.minimum(times.astype(int), len(fine) - 2)
    share = (times - before)[:, None, None]
    return ((1 - share) * fine[before] + share * fine[before + 1]).astype("float32")
