import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from agegait.recordings.files import opening
from agegait.recordings.files.limits import MOST_FRAMES
from agegait.recordings.video import packages

MOST_PIXELS = 8192 * 4608
"""Of a picture."""

LEAST_HZ = 10
"""Frames a second below which a step is not seen any more."""

_CUT_OFF = 0.1
"""Share of its length that a whole video may end early by: containers count its frames roughly."""


class VideoFile:
    """The pictures of a video, one after the other, each with its time; the way up that the camera was held.

    Args:
        path: The file.
        within: The folder that links may not lead out of; None for any place.

    Raises:
        ValueError: OpenCV is not installed, or the file is no video that can be decoded.
        OSError: No such file.
    """

    def __init__(self, path: Path, within: Path | None = None) -> None:
        self._path = path
        self._cv2 = packages.opencv()
        opening.open_regular(path, within, most=None).close()
        # From the root: FFmpeg takes "concat:a.mp4" for something else than a file.
        place = os.path.realpath(path)
        self._capture: Any = self._cv2.VideoCapture(place, self._cv2.CAP_FFMPEG)
        size = [int(self._property(name)) for name in ("FRAME_WIDTH", "FRAME_HEIGHT")]
        if not self._capture.isOpened() or min(size) < 1:
            raise ValueError(f"{path}: expected a video, found one that is damaged, cut off or of an unknown codec.")
        if size[0] * size[1] > MOST_PIXELS:
            raise ValueError(f"{path}: expected at most {MOST_PIXELS:,} pixels, found {size[0]:,} x {size[1]:,}.")
        self.frame_rate = self._property("FPS")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._capture.release()

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        """Yields the seconds since the video's beginning, and the picture [height, width, 3], blue, green and red.

        Raises:
            ValueError: The video ends early, has no times, too many frames or too few a second.
        """
        times: list[float] = []
        while True:
            read, picture = self._capture.read()
            if not read:
                break
            seconds = self._property("POS_MSEC") / 1000
            if times and seconds <= times[-1]:
                seconds = self._without_a_time(len(times), times[-1])
            times.append(seconds)
            if len(times) > MOST_FRAMES:
                raise ValueError(f"{self._path}: expected at most {MOST_FRAMES:,} frames, found more; cut the video.")
            yield seconds, picture
        self._check(times)

    def _without_a_time(self, number: int, before: float) -> float:
        """The time of a frame that has none of its own, as in raw streams."""
        if not 0 < self.frame_rate <= 1000:
            raise ValueError(f"{self._path}: expected a time for each frame, found none for frame {number}.")
        return max(number / self.frame_rate, before + 0.5 / self.frame_rate)

    def _check(self, times: list[float]) -> None:
        if not times:
            raise ValueError(f"{self._path}: expected a video, found no frame that can be decoded: is it cut off?")
        took = times[-1] - times[0]
        count = self._property("FRAME_COUNT")
        whole = count / self.frame_rate if count > 0 and 0 < self.frame_rate <= 1000 else 0.0
        if took + 2 / LEAST_HZ < (1 - _CUT_OFF) * whole:
            raise ValueError(
                f"{self._path}: expected {whole:.1f} s of video, found {took:.1f} s: it is damaged or cut off."
            )
        if len(times) > 1 and (rate := (len(times) - 1) / took) < LEAST_HZ:
            raise ValueError(
                f"{self._path}: expected at least {LEAST_HZ} frames a second to see steps, found {rate:.1f}."
            )

    def _property(self, name: str) -> float:
        return float(self._capture.get(getattr(self._cv2, f"CAP_PROP_{name}")))
