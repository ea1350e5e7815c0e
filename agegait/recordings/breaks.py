"""Holes in time, at which a walk is broken into pieces."""

import numpy as np

MOST_MISSING = 5
"""Frames in a row that may be missing within a piece of a walk."""


def breaks_of(when: np.ndarray) -> tuple[int, ...]:
    """Finds the frames before which more than a few are missing.

    Args:
        when: [T], numbers or times of the frames, rising.

    Returns:
        Their indices, rising.
    """
    steps = np.diff(when)
    usual = np.median(steps) if len(steps) else 0
    return tuple((np.flatnonzero(steps > (MOST_MISSING + 1.5) * usual) + 1).tolist())
