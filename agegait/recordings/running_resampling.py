"""Walks at another frame rate, while they are still going on."""

import numpy as np

from agegait.recordings.resampling import interpolated, steps_until


class RunningResampler:
    """Brings the frames of a walk to an even frame rate as they come: all of them are what `resample` gives.

    Args:
        frame_rate: Hz wanted.
    """

    def __init__(self, frame_rate: float) -> None:
        self.frame_rate = frame_rate
        self._first: float | None = None
        self._last: tuple[float, np.ndarray]
        self._given = 0

    def push(self, frame: np.ndarray, seconds: float) -> list[np.ndarray]:
        """Takes the next frame.

        Args:
            frame: `[J, 3]`
            seconds: When it was taken; later than the one before.

        Returns:
            The frames at the even rate that lie between the one before and this one, or on this one.
        """
        if self._first is None:
            self._first, frames = seconds, [frame]
        else:
            count = steps_until(self._first, seconds, self.frame_rate) + 1
            wanted = self._first + np.arange(self._given, count) / self.frame_rate
            between = np.stack([self._last[1], frame])
            frames = list(interpolated(between, np.array([self._last[0], seconds]), wanted))
        self._last = seconds, frame
        self._given += len(frames)
        return frames
