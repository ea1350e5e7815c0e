"""Whether rows are of one body: two that take turns, or that come after each other, are in two places."""

import numpy as np

_FEW = 12
_MOST_BODIES = 6

_NEARER = 0.5
"""Where bodies take turns, by this a frame is nearer to the last of its own body than to the one before it; in
KGBD's walks the one before is the nearest, the others are at least 1.6 times as far."""

_STEP = 0.02
"""Of the body: steps between frames that are smaller say nothing."""

_JUMP = 0.5
"""By so much of the body nobody moves from one frame to the next."""

_STEADY = 10
"""Frames on either side of a jump."""

_UNSTEADY = 0.05
"""Of the body between frames, from which on a sensor does not know where the body is."""


def turns_fault(skeleton: np.ndarray) -> str:
    """What is wrong with rows in which bodies take turns without a number; empty if nothing.

    Args:
        skeleton: [T, 20, 3], canonical joints, units as in the file.
    """
    size = _size(skeleton)
    if len(skeleton) < max(_FEW, 2 * _MOST_BODIES) or not size > 0:
        return ""
    steps = [
        float(np.median(np.linalg.norm(skeleton[k:] - skeleton[:-k], axis=-1))) for k in range(1, _MOST_BODIES + 1)
    ]
    bodies = int(np.argmin(steps)) + 1
    if steps[0] <= _STEP * size or steps[bodies - 1] >= _NEARER * steps[0]:
        return ""
    return (
        f"{bodies} bodies seem to take turns in its frames, which are nearer to every "
        f"{'second' if bodies == 2 else f'{bodies}th'} one than to the next: expected one body, or a column that tells "
        "bodies apart"
    )


def jump_remark(skeleton: np.ndarray) -> str:
    """A remark on the farthest jump after which the body stays elsewhere; empty if there is none.

    Args:
        skeleton: [T, 20, 3], metres.
    """
    size = _size(skeleton)
    if len(skeleton) < 2 * _STEADY or not size > 0:
        return ""
    middles = np.median(skeleton, axis=1)
    steps = np.linalg.norm(np.diff(middles, axis=0), axis=-1)
    found = [
        frame
        for frame in (np.flatnonzero(steps > _JUMP * size) + 1).tolist()
        if _STEADY <= frame <= len(skeleton) - _STEADY and _stays(middles, steps, frame, size)
    ]
    if not found:
        return ""
    frame = max(found, key=lambda index: steps[index - 1])
    more = f" It jumps {len(found)} times." if len(found) > 1 else ""
    return (
        f"the body is {steps[frame - 1]:.1f} m elsewhere from one frame to the next (frame {frame}): another person, "
        f"another recording, or frames that are missing?{more}"
    )


def _stays(middles: np.ndarray, steps: np.ndarray, frame: int, size: float) -> bool:
    before, after = middles[frame - _STEADY : frame], middles[frame : frame + _STEADY]
    away = float(np.linalg.norm(np.median(before, axis=0) - np.median(after, axis=0)))
    own = max(np.median(steps[frame - _STEADY : frame - 1]), np.median(steps[frame : frame + _STEADY - 1]))
    return away > _JUMP * size and bool(own < _UNSTEADY * size)


def _size(skeleton: np.ndarray) -> float:
    """How large a body is: the largest of its extents in the middle of the walk."""
    return float(np.median(np.ptp(skeleton, axis=1).max(axis=-1)))
