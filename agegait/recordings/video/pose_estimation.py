import contextlib
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from agegait.recordings.video import packages
from agegait.recordings.video.pose import Pose
from agegait.terminal.native_remarks import without_native_remarks

MOST_PEOPLE = 4
"""In one picture."""


class PoseEstimator:
    """Finds the poses of people in pictures that follow each other, by MediaPipe's PoseLandmarker.

    It follows people from picture to picture itself, to find them sooner, but does not say who is who: see
    `PoseTracker`. Close it when done, or use it as a context manager.

    Args:
        model: A file `pose_landmarker_*.task`, see `agegait.recordings.video.pose_model.pose_model_file`.
        most_people: To be found in one picture. More take longer.

    Raises:
        ValueError: MediaPipe is not installed, or the file is no such model.
    """

    def __init__(self, model: Path, most_people: int = MOST_PEOPLE) -> None:
        self._mediapipe = packages.mediapipe()
        vision = self._mediapipe.tasks.vision
        try:
            content = model.read_bytes()  # by its path, MediaPipe says nothing of files that it may not read
        except OSError as error:
            raise ValueError(f"pose_model: {model}: {error.strerror or error}.") from None
        options = vision.PoseLandmarkerOptions(
            base_options=self._mediapipe.tasks.BaseOptions(model_asset_buffer=content),
            running_mode=vision.RunningMode.VIDEO,
            num_poses=most_people,
        )
        try:
            with without_native_remarks():
                self._landmarker: Any = vision.PoseLandmarker.create_from_options(options)
        except (RuntimeError, ValueError) as error:
            raise ValueError(
                f"pose_model: expected a model of MediaPipe's PoseLandmarker (.task), received {model}: {error}"
            ) from None
        self._milliseconds = -1
        self._has_remarked = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Frees what MediaPipe holds."""
        with without_native_remarks():
            self._landmarker.close()

    def estimate(self, picture: np.ndarray, seconds: float) -> list[Pose]:
        """The poses in the next picture.

        Args:
            picture: [height, width, 3] uint8: blue, green and red, as OpenCV has them.
            seconds: When it was taken, later than the one before.
        """
        image = self._mediapipe.Image(
            image_format=self._mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(picture[..., ::-1])
        )
        self._milliseconds = max(self._milliseconds + 1, round(1000 * seconds))  # it takes no time twice
        # Its parts remark on themselves once each, when they are first needed.
        with contextlib.nullcontext() if self._has_remarked else without_native_remarks():
            found = self._landmarker.detect_for_video(image, self._milliseconds)
        self._has_remarked |= bool(found.pose_landmarks)
        size = picture.shape[1], picture.shape[0]
        pairs = zip(found.pose_landmarks, found.pose_world_landmarks, strict=True)
        poses = [_pose(image_landmarks, world_landmarks, size) for image_landmarks, world_landmarks in pairs]
        return [pose for pose in poses if np.isfinite(pose.image).all() and np.isfinite(pose.world).all()]


def _pose(image_landmarks: Any, world_landmarks: Any, size: tuple[int, int]) -> Pose:
    return Pose(
        np.array([(point.x, point.y) for point in image_landmarks]) * size,
        np.array([(point.x, point.y, point.z) for point in world_landmarks]),
        np.array([point.visibility for point in image_landmarks]),
    )
