"""Videos: a recording for each person who is in them."""

from pathlib import Path

import numpy as np

from agegait.recordings.file_format import FileFormat
from agegait.recordings.recording import Recording
from agegait.recordings.video.pose_estimation import PoseEstimator
from agegait.recordings.video.pose_model import pose_model_file
from agegait.recordings.video.pose_tracking import PoseTracker
from agegait.recordings.video.tracked_walk import TrackedWalk
from agegait.recordings.video.video_file import VideoFile
from agegait.recordings.walk_format import WalkFormat

LEAST_SECONDS = 1.0
"""For which somebody must be seen: shorter walks have no whole step of each leg."""

_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
"""What the first part of MP4 and QuickTime files may be."""


def read_video(path: Path, within: Path | None, walk_format: WalkFormat) -> list[Recording]:
    """Reads the people in a video, in the order in which they come.

    MediaPipe's world landmarks have the middle of the hips at the origin in every frame: people walk on the spot.

    Raises:
        ValueError: No video that can be read, no pose model, or nobody who is seen for `LEAST_SECONDS`.
        OSError: No such file.
    """
    tracker, walks, times, empty = PoseTracker(), dict[int, TrackedWalk](), list[float](), 0
    with VideoFile(path, within) as video, PoseEstimator(pose_model_file(walk_format.pose_model)) as estimator:
        for seconds, picture in video:
            poses = estimator.estimate(picture, seconds)
            empty += not poses
            times.append(seconds)
            for number, pose in zip(tracker.update(seconds, poses), poses, strict=True):
                if number is not None:
                    walks.setdefault(number, TrackedWalk()).add(seconds, pose)
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    long = [walk for walk in walks.values() if len(walk.seconds) * step >= LEAST_SECONDS]
    if not long:
        longest = max((len(walk.seconds) * step for walk in walks.values()), default=0.0)
        raise ValueError(
            f"{path}: expected somebody who is seen for {LEAST_SECONDS:g} s, found "
            + (f"nobody for more than {longest:.1f} s." if walks else "nobody.")
        )
    remarks = [f"{empty} of {len(times)} frames show nobody"] if empty else []
    if short := len(walks) - len(long):
        remarks.append(f"left out: {short} {'person' if short == 1 else 'people'} seen for less than a second")
    return [walk.to_recording(str(path), body, np.array(times), remarks) for body, walk in enumerate(long, 1)]


def _is_video(head: bytes) -> bool:
    return head[4:8] in _BOXES or (head[:4] == b"RIFF" and head[8:12] == b"AVI ") or head[:4] == b"\x1aE\xdf\xa3"


FORMATS = (FileFormat("video", "a video", (".mp4", ".mov", ".m4v", ".avi", ".webm", ".mkv"), read_video, _is_video),)
