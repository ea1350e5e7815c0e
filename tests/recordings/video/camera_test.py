import threading
import types

import numpy as np
import pytest

from agegait.recordings.video import packages
from agegait.recordings.video.camera import Camera


class Capture:
    """A camera whose pictures come when the test says so; after the last it is unplugged."""

    def __init__(self, index):
        self.pictures, self.released = iter(range(index)), False
        self.allowed = threading.Semaphore(0)
        self.taken = threading.Semaphore(0)

    def isOpened(self):  # noqa: N802
        return True

    def read(self):
        self.taken.release()
        assert self.allowed.acquire(timeout=60)
        number = next(self.pictures, None)
        return (False, None) if number is None else (True, np.full((2, 2, 3), number, "uint8"))

    def release(self):
        self.released = True


@pytest.fixture
def capture(monkeypatch):
    made = []
    opened = types.SimpleNamespace(VideoCapture=lambda index: made.append(Capture(index)) or made[0])
    monkeypatch.setattr(packages, "opencv", lambda: opened)
    return made


def test_the_newest_picture_comes_and_late_ones_are_left_out(capture):
    with Camera(5) as camera:
        pictures = iter(camera)
        capture[0].allowed.release()
        seconds, picture = next(pictures)
        assert (seconds, picture[0, 0, 0]) == (0.0, 0)
        capture[0].allowed.release(3)
        for _ in range(5):  # it asks for the fifth when it has the fourth
            assert capture[0].taken.acquire(timeout=60)
        seconds, picture = next(pictures)
        assert picture[0, 0, 0] == 3
        assert seconds > 0
        capture[0].allowed.release(5)
    assert capture[0].released


def test_an_unplugged_camera_is_an_error(capture):
    with Camera(2) as camera:
        pictures = iter(camera)
        capture[0].allowed.release(9)
        with pytest.raises(ValueError, match=r"^camera 2: expected a picture, received none: is it unplugged"):
            list(pictures)
