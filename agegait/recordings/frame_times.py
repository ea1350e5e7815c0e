"""When the frames of a walk were taken, by a column of its file."""

import numpy as np

_PLAUSIBLE = (4.0, 250.0)
"""Frame rates in Hz, between which those of cameras and depth sensors lie."""

_UNITS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "100 ns": 1e-7, "ns": 1e-9}


def frame_seconds(times: np.ndarray, unit: float | None) -> tuple[np.ndarray | None, str]:
    """Times in seconds, from the first frame on.

    Where the unit is not known, it is the one that gives a frame rate that a sensor may have, if there is just one.

    Args:
        times: [T], never falling.
        unit: Seconds of one unit of time; None where not known.

    Returns:
        [T], or None where the unit is unclear; and how the times were understood.
    """
    elapsed = times - times[0]
    steps = np.diff(elapsed)
    step = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    if unit is None:
        least, most = _PLAUSIBLE
        units = [name for name, seconds in _UNITS.items() if step and least <= 1 / (step * seconds) <= most]
        if len(units) != 1:
            return None, f"not understood: {step:g} from frame to frame, in {' or '.join(units) or 'an unknown unit'}"
        unit = _UNITS[units[0]]
        return elapsed * unit, f"taken as {units[0]}: {1 / (step * unit):.4g} frames/s"
    return elapsed * unit, ""


def rate_of(seconds: np.ndarray) -> float | None:
    """The mean frame rate in Hz; None of frames that take no time."""
    took = float(seconds[-1] - seconds[0])
    return (len(seconds) - 1) / took if took > 0 else None
