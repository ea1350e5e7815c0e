"""When the frames of a walk were taken, by a column of its file."""

from dataclasses import dataclass

import numpy as np

_PLAUSIBLE = (4.0, 250.0)
"""Frame rates in Hz, between which those of cameras and depth sensors lie."""

_POSSIBLE = (0.1, 2000.0)
"""Those that are believed where the unit is known."""

_UNITS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "100 ns": 1e-7, "ns": 1e-9}

_SINCE = (
    ((6.2e17, 6.6e17), "100 ns"),  # ticks of .NET, since the year 1
    ((1.2e17, 1.4e17), "100 ns"),  # times of Windows' files, since 1601
    ((1.2e18, 2.2e18), "ns"),
    ((1.2e15, 2.2e15), "µs"),
    ((1.2e12, 2.2e12), "ms"),
    ((1.2e9, 2.2e9), "s"),  # these are since 1970
)
"""What times of this century are in common counts."""

MOST_MISSING = 3
"""Frames that may be missing in one place and leave a walk whole."""

_LEAST_CHANGES = 4
_MOST_STEPS = 1e9
_FEW = 0.05
_COARSE = 0.3
"""Share of frames with the time of the one before from which on a clock is too coarse for them."""


@dataclass(frozen=True)
class Clock:
    """What a column of times says.

    Attributes:
        seconds: [T] from the first frame on; None where it does not tell frames apart, or its unit is unclear.
        frame_rate: Hz, where it is known, and times are not.
        remark: How the times were understood.
    """

    seconds: np.ndarray | None
    frame_rate: float | None = None
    remark: str = ""


def read_clock(times: np.ndarray, unit: float | None) -> Clock:
    """Understands times.

    Where the unit is not known, it is the one in which they are of this century, or which gives a frame rate that a
    sensor may have, if there is just one.

    Args:
        times: [T], never falling.
        unit: Seconds of one unit of time; None where not known.
    """
    with np.errstate(over="ignore"):
        elapsed = times - times[0]
    if not np.isfinite(elapsed).all():
        return Clock(None, remark=f"not understood: {times[0]:g} to {times[-1]:g}")
    steps = np.diff(elapsed)
    if not len(steps):
        return Clock(elapsed * unit if unit is not None else None)
    if not steps.any():
        return Clock(None, remark=f"does not tell frames apart: all are {times[0]:g}")
    same = float((steps == 0).mean())
    changes = np.flatnonzero(steps) + 1
    first, last = int(changes[0]), int(changes[-1])
    if same < _COARSE:
        step = float(np.median(steps[steps > 0]))
    else:  # frames between the first change and the last
        step = float(elapsed[last] - elapsed[first]) / max(1, last - first) or float(steps[first - 1])
    remark = ""
    if unit is None:
        units = _units(float(times[0]), step)
        if len(units) != 1:
            known = " or ".join(units) or "an unknown unit"
            return Clock(None, remark=f"not understood: {step:g} from frame to frame, in {known}")
        unit = _UNITS[units[0]]
        remark = f"taken as {units[0]}: {_rate(step * unit):.4g} frames/s"
    elif not _POSSIBLE[0] <= _rate(step * unit) <= _POSSIBLE[1]:
        return Clock(None, remark=f"not understood: {step:g} from frame to frame, of {unit:g} s each")
    if same < _COARSE:
        return Clock(elapsed * unit, remark=remark)
    rate = _rate(step * unit)
    if len(changes) < _LEAST_CHANGES or not _PLAUSIBLE[0] <= rate <= _PLAUSIBLE[1]:
        return Clock(None, remark="is too coarse to tell the frame rate")
    return Clock(None, rate, f"is too coarse to tell frames apart; by all of it there are {rate:.4g} frames/s")


def long_stretches(left_out: np.ndarray) -> list[tuple[int, int]]:
    """Stretches of more than `MOST_MISSING` frames in a row of a mask `[T]`: the first frame, and the one behind."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], left_out, [False]]).astype(int))).reshape(-1, 2)
    return [(start, end) for start, end in edges.tolist() if end - start > MOST_MISSING]


def missing_frames(places: np.ndarray, counted: bool = False) -> np.ndarray:
    """How many frames are missing before each one, by their numbers or times.

    Args:
        places: [T], never falling.
        counted: Whether they are numbers.

    Returns:
        [T] int, 0 for the first frame.
    """
    steps = np.diff(places)
    if not (steps > 0).any():
        return np.zeros(len(places), int)
    usual = float(np.median(steps[steps > 0])) if counted else _usual_step(steps)
    with np.errstate(over="ignore"):
        share = np.minimum(steps / usual, _MOST_STEPS)
    return np.concatenate([[0], np.maximum(np.round(share).astype(int) - 1, 0)])


def rate_of(seconds: np.ndarray) -> float | None:
    """The mean frame rate in Hz where no frames are missing; None of frames that take no time."""
    steps = np.diff(seconds)
    steps = steps[missing_frames(seconds)[1:] <= MOST_MISSING]
    took = float(steps.sum())
    return len(steps) / took if took > 0 else None


def _usual_step(steps: np.ndarray) -> float:
    """The step of frames that follow each other: long ones are holes if they are few, else frames come in bursts."""
    median = float(np.median(steps))
    near = steps[steps <= (MOST_MISSING + 1.5) * median]
    usual = near if len(steps) - len(near) <= max(2, _FEW * len(steps)) else steps
    return max(median, float(usual.mean() if len(usual) else 0)) or float(steps[steps > 0].min())


def _units(time: float, step: float) -> list[str]:
    for (least, most), name in _SINCE:
        if least <= time <= most:
            return [name]
    return [name for name, unit in _UNITS.items() if _PLAUSIBLE[0] <= _rate(step * unit) <= _PLAUSIBLE[1]]


def _rate(step: float) -> float:
    return 1 / step if step > 1 / _MOST_STEPS else float("inf")
