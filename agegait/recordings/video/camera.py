import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import numpy as np

from agegait.recordings.video import packages

_TIMEOUT = 10.0
"""Seconds without a picture after which a camera is given up."""


class Camera:
    """The newest picture of a camera, each time one is asked for. Those that nobody was in time for are left out.

    Args:
        index: Of the camera, 0 for the first.

    Raises:
        ValueError: OpenCV is not installed, or there is no such camera.
    """

    frame_rate = 30.0

    def __init__(self, index: int) -> None:
        self._name = f"camera {index}"
        self._capture: Any = packages.opencv().VideoCapture(index)
        if not self._capture.isOpened():
            raise ValueError(f"{self._name}: expected a camera that can be opened, found none.")
        self._changed = threading.Condition()
        self._newest: tuple[float, np.ndarray] | None = None
        self._over = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        self._thread.join(_TIMEOUT)
        self._capture.release()

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        """Yields the seconds since the first picture, and the picture [height, width, 3], blue, green and red.

        Raises:
            ValueError: No picture comes any more.
        """
        first = None
        while True:
            with self._changed:
                if not self._changed.wait_for(lambda: self._newest is not None or self._over, _TIMEOUT) or (
                    self._newest is None
                ):
                    raise ValueError(f"{self._name}: expected a picture, received none: is it unplugged?")
                (taken, picture), self._newest = self._newest, None
            first = taken if first is None else first
            yield taken - first, picture

    def _read(self) -> None:
        while not self._over:
            read, picture = self._capture.read()
            with self._changed:
                self._newest = (time.monotonic(), picture) if read else self._newest
                self._over |= not read
                self._changed.notify()
