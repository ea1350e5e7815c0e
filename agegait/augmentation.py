"""Windows as the same people might have walked them: training windows changed at random."""

import math

import numpy as np


def wide(frames: int, time_warp: float) -> int:
    """Frames that a window has to have for `warped` to cut one of `frames` out of it."""
    return math.ceil((frames - 1) * (1 + time_warp)) + 1


def warped(skeletons: np.ndarray, frames: int, time_warp: float, random: np.random.Generator) -> np.ndarray:
    """Windows walked faster or slower: each at a speed of its own, linear in time between the frames that there are.

    Args:
        skeletons: `[M, F, J, 3]`, F at least `wide(frames, time_warp)`.
        frames: Frames f of a window.
        time_warp: The most by which a speed differs from 1, under 1.
        random: Draws the speeds, and where in a window the new one begins.

    Returns:
        `[M, f, J, 3]` of the same type.

    Raises:
        ValueError: Too few frames.
    """
    count, given = np.shape(skeletons)[:2]
    if given < wide(frames, time_warp):
        raise ValueError(f"skeletons: expected at least {wide(frames, time_warp)} frames, received {given}.")
    spans = (frames - 1) * random.uniform(1 - time_warp, 1 + time_warp, count)
    begins = random.uniform(0, given - 1 - spans)
    position = begins[:, None] + np.linspace(0, spans, frames, axis=1)
    before = np.minimum(position.astype(int), given - 2)
    share = (position - before)[..., None, None].astype(skeletons.dtype)
    window = np.arange(count)[:, None]
    return (1 - share) * skeletons[window, before] + share * skeletons[window, before + 1]


def turned(skeletons: np.ndarray, degrees: float, random: np.random.Generator) -> np.ndarray:
    """Windows walked in another direction: each turned about the vertical through the origin, by one angle.

    Args:
        skeletons: `[M, f, J, 3]`, y upwards.
        degrees: The most that a window is turned, either way.
        random: Draws the angles.

    Returns:
        The same shape and type.
    """
    angles = np.radians(random.uniform(-degrees, degrees, len(skeletons)))[:, None, None].astype(skeletons.dtype)
    x, y, z = np.moveaxis(skeletons, -1, 0)
    return np.stack([np.cos(angles) * x + np.sin(angles) * z, y, np.cos(angles) * z - np.sin(angles) * x], axis=-1)


def noisy(skeletons: np.ndarray, metres: float, random: np.random.Generator) -> np.ndarray:
    """Windows as a worse sensor had seen them: Gaussian noise on every coordinate.

    Args:
        skeletons: `[..., 3]` in metres.
        metres: Standard deviation of the noise.
        random: Draws it.

    Returns:
        The same shape and type.
    """
    return skeletons + metres * random.standard_normal(np.shape(skeletons), skeletons.dtype)
