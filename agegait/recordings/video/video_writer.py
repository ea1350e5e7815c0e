from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from agegait.recordings.video import packages

_HIGHEST_HZ = 60.0


class VideoWriter:
    """Writes pictures as an MP4 file of an even frame rate, each shown until the next.

    Args:
        path: The file, written as it comes.
        frame_rate: Frames a second.
    """

    def __init__(self, path: Path, frame_rate: float) -> None:
        self._path = path
        self._cv2 = packages.opencv()
        self._frame_rate = frame_rate if 0 < frame_rate <= _HIGHEST_HZ else 30.0
        self._writer: Any = None
        self._written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.release()

    def write(self, seconds: float, picture: np.ndarray) -> None:
        """Writes a picture.

        Args:
            seconds: When it was taken, after the first one.
            picture: [height, width, 3] uint8, of the size of the first one.

        Raises:
            ValueError: The file cannot be written.
        """
        if self._writer is None:
            size = picture.shape[1], picture.shape[0]
            code = self._cv2.VideoWriter_fourcc(*"mp4v")
            place = str(self._path.absolute())
            self._writer = self._cv2.VideoWriter(place, self._cv2.CAP_FFMPEG, code, self._frame_rate, size)
            if not self._writer.isOpened():
                raise ValueError(f"{self._path}: expected a file that can be written, received one that cannot.")
        while self._written <= round(seconds * self._frame_rate):
            self._writer.write(picture)
            self._written += 1
