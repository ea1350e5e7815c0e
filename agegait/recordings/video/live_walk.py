from bisect import bisect_right

import numpy as np

from agegait.recordings.resampling import steps_until
from agegait.recordings.video.pose import Pose
from agegait.recordings.video.tracked_walk import LONGEST_FILLED, TrackedWalk
from agegait.recordings.video.video_file import LEAST_HZ
from agegait.recordings.walk import Walk
from agegait.recordings.walk_format import WalkFormat

FRAME_RATE = 30.0
"""Frames a second of live walks, however many the camera takes."""

LONGEST = 10.0
"""Seconds of a person's past that are kept."""

_ON_A_POSE = 1e-6
"""Seconds, or share of a step between poses, by which a frame may miss a pose and still be the same."""


class LiveWalk:
    """The last seconds of somebody who is before a camera now, and nothing older.

    Where they were not seen for a moment, it begins again. Frames stay as they are until they are too old: those that
    come later only follow them.

    Attributes:
        began: When it began, in seconds.
        past: Frames that were too old, before those that `to_walk` gives.
    """

    def __init__(self) -> None:
        self._begin(0.0)

    def _begin(self, seconds: float) -> None:
        self._walk = TrackedWalk()
        self.began, self.past = seconds, 0

    def add(self, seconds: float, pose: Pose) -> None:
        """Adds the next pose."""
        if not self._walk.seconds or seconds - self._walk.seconds[-1] > LONGEST_FILLED:
            self._begin(seconds)
        self._walk.add(seconds, pose)
        past = steps_until(self.began, seconds - LONGEST, FRAME_RATE)
        if past > self.past:
            self.past = past
            self._cut(self.began + past / FRAME_RATE)

    def _cut(self, first: float) -> None:
        """Drops what is before a frame's time, where a pose is put between those around it."""
        seconds, world, visibility = self._walk.seconds, self._walk.world, self._walk.visibility
        after = bisect_right(seconds, first + _ON_A_POSE)
        share = (first - seconds[after - 1]) / (seconds[after] - seconds[after - 1])
        if share > _ON_A_POSE:
            world[after - 1] = ((1 - share) * world[after - 1] + share * world[after]).astype("float32")
            visibility[after - 1] = np.minimum(visibility[after - 1], visibility[after])
        seconds[after - 1] = first
        for values in (seconds, world, visibility):
            del values[: after - 1]

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
