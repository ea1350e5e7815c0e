from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from agegait import skeletons
from agegait.recordings.formats.tracking import LEAST_CONFIDENCE
from agegait.recordings.recording import Recording
from agegait.recordings.video.pose import Pose

LONGEST_FILLED = 0.2
"""Seconds between two poses of somebody, up to which those between are put on the way from one to the other."""

_ROUNDING = 1e-6


@dataclass(eq=False)
class TrackedWalk:
    """A person's poses, as they are seen.

    Attributes:
        seconds: When each was, rising.
        world: [33, 3] metres of each, see `Pose`.
        visibility: [33] of each.
    """

    seconds: list[float] = field(default_factory=list)
    world: list[np.ndarray] = field(default_factory=list)
    visibility: list[np.ndarray] = field(default_factory=list)

    def add(self, seconds: float, pose: Pose) -> None:
        """Adds the next pose."""
        self.seconds.append(seconds)
        self.world.append(pose.world.astype("float32"))
        self.visibility.append(pose.visibility.astype("float32"))

    def to_recording(self, source: str, body: int, times: np.ndarray, remarks: Iterable[str] = ()) -> Recording:
        """What a file would hold of this person.

        Frames without a pose of theirs, but with one shortly before and after, are filled and not tracked. Longer
        holes break the walk.

        Args:
            source: The file's path.
            body: Their number in it.
            times: When each of the video's frames was taken, rising: `seconds` are some of them.
            remarks: On the file.
        """
        seen, world = np.array(self.seconds), np.stack(self.world).astype("float64")
        times = times[(times >= seen[0]) & (times <= seen[-1])]
        after = np.minimum(np.searchsorted(seen, times), len(seen) - 1)
        before = np.where(seen[after] == times, after, after - 1)
        length = seen[after] - seen[before]
        kept = length <= LONGEST_FILLED + _ROUNDING
        times, before, after, length = times[kept], before[kept], after[kept], length[kept]
        share = np.divide(times - seen[before], length, out=np.zeros_like(times), where=length > 0)[:, None, None]
        tracked = (np.stack(self.visibility) >= LEAST_CONFIDENCE)[before] & (before == after)[:, None]
        steps = np.diff(times)
        usual = float(np.median(steps)) if len(steps) else 0.0
        return Recording(
            source,
            (1 - share) * world[before] + share * world[after],
            names=skeletons.SCHEMAS["mediapipe_pose"].joints,
            tracked=tracked,
            units="m",
            seconds=times,
            frame_rate=1 / usual if usual else None,
            up="-y",
            body=str(body),
            breaks=tuple((np.flatnonzero(steps > LONGEST_FILLED + _ROUNDING) + 1).tolist()),
            remarks=tuple(remarks),
            places_joints=True,
        )
