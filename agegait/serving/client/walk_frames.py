from collections import deque

import numpy as np

from agegait.serving import gallery_pb2 as messages
from agegait.serving.client import gallery_requests, walks
from agegait.serving.client.gallery_requests import JOINTS, TrackedWalk
from agegait.serving.client.gallery_results import GalleryIdentification


class WalkFrames:
    """A walk whose frames come one by one: what `WalkStream` and `AsyncWalkStream` share. It asks nobody itself.

    Args:
        every: Frames from one question to the next.
        settings: What the server is to do, and how many frames count.
        frame_rate: Frames a second; None for the embedder's own.

    Attributes:
        frames: Frames taken.
        found: The latest answer; None before the first.

    Raises:
        ValueError: A number of frames below 1.
    """

    def __init__(self, every: int, settings: messages.WatchSettings, frame_rate: float | None) -> None:
        for name, count in (("every", every), ("last", settings.last)):
            if count < 1:
                raise ValueError(f"{name}: expected at least 1 frame, received {count}.")
        self._every = every
        self._settings = settings
        self._frame_rate = frame_rate
        # All that count, so that another server can be told: the server's are gone when the connection is.
        self._kept: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=settings.last)
        self._closed = False
        self.reset()

    def reset(self) -> None:
        """Forgets the walk: what comes next is another person's."""
        self._kept.clear()
        self.frames = 0
        self.found: GalleryIdentification | None = None
        self._fresh = 0
        self._begins = True
        self._asked = False

    def _take(self, frame: np.ndarray, tracked: np.ndarray | None) -> bool:
        """Takes a frame; whether it is time to ask."""
        if self._closed:
            raise ValueError("frame: the stream is closed.")
        frame = walks.floats("frame", frame)
        if frame.shape != (JOINTS, 3):
            raise ValueError(f"frame: expected [{JOINTS}, 3], received {list(frame.shape)}; it was not taken.")
        if not np.isfinite(frame).all():
            raise ValueError("frame: expected finite coordinates, received NaN or infinity; it was not taken.")
        marks = np.ones(JOINTS, bool) if tracked is None else np.array(tracked, bool)
        if marks.shape != (JOINTS,):
            raise ValueError(f"tracked: expected [{JOINTS}], received {list(marks.shape)}; the frame was not taken.")
        self._kept.append((frame.copy(), marks))  # A sensor may use its buffer again.
        self.frames += 1
        self._fresh += 1
        return self._fresh >= self._every

    def _question(self, first: bool) -> tuple[messages.WatchWalkRequest, int]:
        """A message of the frames that the server has not seen, of all that count where it is a stream's first.

        Returns:
            The message, and how many frames it has that were not sent before.
        """
        count = len(self._kept) if first or self._begins else min(self._fresh, len(self._kept))
        frames = list(self._kept)[len(self._kept) - count :]
        skeleton = np.array([frame for frame, _ in frames], "float32").reshape(count, JOINTS, 3)
        tracked = np.array([marks for _, marks in frames], bool).reshape(count, JOINTS)
        walk = TrackedWalk(skeleton, tracked, self._frame_rate if first else None)
        request = messages.WatchWalkRequest(walk=gallery_requests.walk_message("frame", walk), reset=self._begins)
        if first:
            request.settings.CopyFrom(self._settings)
        self._asked = True
        return request, self._fresh

    def _answer(self, response: messages.WatchWalkResponse, sent: int) -> GalleryIdentification:
        found = gallery_requests.identification(response.answer, response.frames)
        if self._asked:  # or the walk was forgotten meanwhile
            self._fresh -= sent
            self._begins = self._asked = False
            self.found = found = found._replace(frames=self.frames - self._fresh)
        return found
