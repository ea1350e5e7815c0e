"""What videos need besides agegait's own dependencies, imported when they are read."""

import os
from types import ModuleType

from agegait.terminal.native_remarks import without_native_remarks


def opencv() -> ModuleType:
    """OpenCV, which is silent about damaged videos: it writes to standard error, and we say it ourselves.

    Raises:
        ValueError: It is not installed.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # FFmpeg's AV_LOG_QUIET
    try:
        import cv2
    except ImportError as error:
        raise ValueError(_missing("OpenCV", error)) from None
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2


def mediapipe() -> ModuleType:
    """MediaPipe with its tasks.

    Raises:
        ValueError: It is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # it imports TensorFlow where there is one
    try:
        with without_native_remarks():
            import mediapipe
            import mediapipe.tasks.python.vision
    except ImportError as error:
        raise ValueError(_missing("MediaPipe", error)) from None
    return mediapipe


def _missing(package: str, error: ImportError) -> str:
    return f'videos: expected {package} to be installed, `pip install "agegait[video]"`: {error}.'
