"""Paths on the floor around a camera at the origin: semicircle around it, straight past it, towards it and away again.

The room's frame is the camera's without its height and tilt: y up, z away from the camera, right-handed.
"""

import numpy as np

KINDS = ("semicircle", "past", "towards")


def follow(rng: np.random.Generator, kind: str, travelled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A path of the given kind, 1.5 to 4 m from the camera for walks of up to about 6 m.

    Args:
        rng: The source of chance: distance, obliqueness, and whether it leads to the left or to the right.
        kind: One of `KINDS`.
        travelled: Distance walked by each frame [T], metres, from 0.

    Returns:
        Ground [T, 3] in metres (y is 0) and heading [T] in radians, from the z axis towards the x axis.
    """
    length = travelled[-1]
    direction = rng.choice([-1, 1])
    if kind == "semicircle":
        radius = rng.uniform(2.2, 3.2)
        bearing = direction * (travelled - length / 2) / radius
        heading = bearing + direction * np.pi / 2
        return radius * _ahead(bearing), heading
    if kind == "past":
        heading = np.full_like(travelled, direction * np.pi / 2 + np.radians(rng.uniform(-8, 8)))
        nearest = np.array([0, 0, rng.uniform(1.8, 2.2)])
        return nearest + (travelled - length / 2)[:, None] * _ahead(heading), heading
    if kind == "towards":
        slant = np.radians(rng.uniform(30, 45))
        turn = np.clip((travelled - length / 2) / 1.2 + 0.5, 0, 1)  # the turn takes 1.2 m
        turn = turn * turn * (3 - 2 * turn)
        heading = direction * (np.pi - slant - (np.pi - 2 * slant) * turn)
        steps = np.diff(travelled, prepend=0)[:, None]
        ground = np.cumsum(steps * _ahead(heading), 0)
        middle = len(ground) // 2
        ground[:, 0] -= ground[middle, 0]
        ground[:, 2] += rng.uniform(1.5, 1.7) - ground[:, 2].min()
        return ground, heading
    raise ValueError(f"`kind` must be one of {KINDS}. Received: kind={kind!r}.")


def _ahead(angle: np.ndarray) -> np.ndarray:
    """Unit vectors [T, 3] on the floor at angles [T] from the z axis towards the x axis."""
    return np.stack([np.sin(angle), np.zeros_like(angle), np.cos(angle)], -1)
