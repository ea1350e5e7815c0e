import subprocess
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import numpy as np

_PROBE = "import cv2; cv2.namedWindow('agegait'); cv2.waitKey(1); cv2.destroyAllWindows()"
_ENDS = (27, ord("q"))  # Esc


class Window:
    """A window that shows pictures, until somebody closes it or presses q or Esc.

    Raises:
        ValueError: There is no display, or this OpenCV opens no windows.
    """

    def __init__(self, title: str) -> None:
        from agegait.recordings.video import packages

        self._cv2 = packages.opencv()
        # In another process: where there is no display, Qt ends the one that it is in.
        if subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, timeout=60).returncode:
            raise ValueError(
                "headless: expected, as OpenCV can open no window here (no display, or a build without windows), "
                "received none: --headless prints answers without a window."
            )
        self._title = title
        self._cv2.namedWindow(title, self._cv2.WINDOW_NORMAL | self._cv2.WINDOW_KEEPRATIO)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cv2.destroyAllWindows()

    def show(self, picture: "np.ndarray") -> bool:
        """Shows a picture; tells whether the window is to stay."""
        self._cv2.imshow(self._title, picture)
        key = self._cv2.waitKey(1) & 0xFF
        return key not in _ENDS and self._cv2.getWindowProperty(self._title, self._cv2.WND_PROP_VISIBLE) >= 1
