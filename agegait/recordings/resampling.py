"""Walks at another frame rate."""

from collections.abc import Sequence

import numpy as np

from agegait.recordings.files.limits import MOST_FRAMES

ALIKE = 0.1
"""By which part a walk's frame rate may be another than wanted without being resampled."""

_ON_A_FRAME = 1e-6
"""Share of a step between frames by which a new frame may miss an old one and still be the same."""


def resample(
    skeleton: np.ndarray, tracked: np.ndarray, seconds: np.ndarray, frame_rate: float
) -> tuple[np.ndarray, np.ndarray]:
    """A walk at an even frame rate, linear in time between the frames that there are.

    The first frame stays; the last one stays where it falls on the new rate.

    Args:
        skeleton: [T, J, 3], at least one frame.
        tracked: [T, J], bool
        seconds: [T], when each frame was taken; never falling.
        frame_rate: Hz wanted.

    Returns:
        Skeleton [T', J, 3] of the same type, and tracked [T', J]: true where both frames that a new one lies between
        are, or the one that it lies on.

    Raises:
        ValueError: Times that are not one for each frame, that fall, or that would give over `MOST_FRAMES` frames.
    """
    skeleton, tracked, seconds = np.asarray(skeleton), np.asarray(tracked), np.asarray(seconds, "float64")
    if seconds.shape != (len(skeleton),) or not len(seconds) or not (np.diff(seconds) >= 0).all():
        raise ValueError(f"seconds: expected {len(skeleton)} times, at least one, that never fall, received {seconds}.")
    steps = (seconds[-1] - seconds[0]) * frame_rate
    if not steps < MOST_FRAMES:
        raise ValueError(
            f"seconds: expected at most {MOST_FRAMES:,} frames at {frame_rate} Hz, found {seconds[-1] - seconds[0]:g} "
            "s; are the times in other units?"
        )
    wanted = seconds[0] + np.arange(steps_until(seconds[0], seconds[-1], frame_rate) + 1) / frame_rate
    before, after, _ = _places(seconds, wanted)
    return interpolated(skeleton, seconds, wanted), tracked[before] & tracked[after]


def steps_until(first: float, last: float, frame_rate: float) -> int:
    """Steps of an even frame rate from a time to another."""
    return int(np.floor((last - first) * frame_rate + _ON_A_FRAME))


def interpolated(skeleton: np.ndarray, seconds: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Frames at other times than those of a walk `[T, J, 3]`, linear in time between its own."""
    before, after, share = _places(seconds, wanted)
    between = (1 - share)[:, None, None] * skeleton[before] + share[:, None, None] * skeleton[after]
    return between.astype(skeleton.dtype)


def _places(seconds: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Between which frames times lie, and how far from the first one to the second."""
    position = np.interp(wanted, seconds, np.arange(len(seconds)))
    nearest = np.round(position)
    position = np.where(np.abs(position - nearest) < _ON_A_FRAME, nearest, position)
    before, after = np.floor(position).astype(int), np.ceil(position).astype(int)
    return before, after, position - before


def alike(frame_rate: float, wanted: float) -> bool:
    """Whether a walk of a frame rate serves where another is wanted."""
    return abs(frame_rate / wanted - 1) <= ALIKE


def at_rate(skeleton: np.ndarray, frame_rate: float | None, wanted: float) -> np.ndarray:
    """A walk `[T, J, 3]` at a frame rate; the same one where its own is unknown, or alike.

    Raises:
        ValueError: It would have over `MOST_FRAMES` frames.
    """
    if frame_rate is None or alike(frame_rate, wanted) or not len(skeleton):
        return skeleton
    seconds = np.arange(len(skeleton)) / frame_rate
    return resample(skeleton, np.ones(skeleton.shape[:2], bool), seconds, wanted)[0]


def rates_in_words(frame_rates: Sequence[float | None], unit: str = "") -> str:
    """What is known of the frame rates of some walks."""
    known = [rate for rate in frame_rates if rate is not None]
    if not known:
        return "unknown"
    between = f"{min(known):.3g}" if max(known) < 1.01 * min(known) else f"{min(known):.3g} to {max(known):.3g}"
    return f"{between}{unit}" + (f", {len(frame_rates) - len(known)} unknown" if len(known) < len(frame_rates) else "")
