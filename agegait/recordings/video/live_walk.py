import numpy as np

from agegait.recordings.video.pose import Pose
from agegait.recordings.video.tracked_walk import LONGEST_FILLED, TrackedWalk
from agegait.recordings.video.video_file import LEAST_HZ
from agegait.recordings.walk import Walk
from agegait.recordings.walk_format import WalkFormat

FRAME_RATE = 30.0
"""Frames a second of live walks, however many the camera takes."""

LONGEST = 10.0
"""Seconds of a person's past that are kept."""


class LiveWalk:
    """The last seconds of somebody who is before a camera now, and nothing older.

    Where they were not seen for a moment, it begins again.
    """

    def __init__(self) -> None:
        self._walk = TrackedWalk()

    def add(self, seconds: float, pose: Pose) -> None:
        """Adds the next pose."""
        if self._walk.seconds and seconds - self._walk.seconds[-1] > LONGEST_FILLED:
            self._walk = TrackedWalk()
        self._walk.add(seconds, pose)
        old = sum(before < seconds - LONGEST for before in self._walk.seconds)
        for values in (self._walk.seconds, self._walk.world, self._walk.visibility):
            del values[:old]

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self._walk.seconds[-1] - self._walk.seconds[0] if self._walk.seconds else 0.0

    @property
    def frames(self) -> int:
        """How many frames `to_walk` gives."""
        return int(self.seconds * FRAME_RATE + 1e-6) + bool(self._walk.seconds)

    @property
    def is_too_slow(self) -> bool:
        """Whether too few pictures come to see steps."""
        return self.seconds > 1 and (len(self._walk.seconds) - 1) / self.seconds < LEAST_HZ

    def to_walk(self) -> Walk:
        """The walk so far, at `FRAME_RATE`."""
        recording = self._walk.to_recording("", 1, np.array(self._walk.seconds))
        return Walk.of(recording, WalkFormat(resample=FRAME_RATE))
