import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from agegait.data import Walk
from agegait.gallery import Identification
from agegait.gallery.quality import MIN_FRAMES
from agegait.serving import gallery_pb2 as messages
from agegait.serving.server import gallery_messages
from agegait.serving.server.call import Call
from agegait.serving.server.memory_budget import Reservation
from agegait.serving.server.status_error import invalid_argument
from agegait.skeletons import JOINTS

_LAST = 300
_COPIES = 2  # What is kept, and what is made of it for each answer.

Find = Callable[[Walk, Any, Call, Identification | None], tuple[Any, Identification | None]]
"""Looks for a walk's person: by settings, for a call, after what was said before."""


class WalkWatch:
    """One stream of WatchWalk: the frames that count, and what was said of them.

    Args:
        frame_rate: The embedder's.
        find: Looks for the person.
        memory: What the stream holds of the server's.
    """

    def __init__(self, frame_rate: float, find: Find, memory: Reservation) -> None:
        self._frame_rate = frame_rate
        self._find = find
        self._memory = memory
        self._settings: Any = None
        self._last = _LAST
        self._kept = Walk(np.empty((0, len(JOINTS), 3), "float32"), np.empty((0, len(JOINTS)), bool), None, "")
        self._frames = 0
        self._said: Identification | None = None

    def add(self, request: messages.WatchWalkRequest, call: Call) -> messages.WatchWalkResponse:
        """Takes further frames, and says who walks.

        Raises:
            StatusError: INVALID_ARGUMENT for a message that makes no sense, or as of Identify.
        """
        walk = gallery_messages.read_walk("walk", request.walk, self._frame_rate, fewest=0)
        if self._settings is None:
            self._begin(request.settings, walk)
        elif request.HasField("settings") or request.walk.HasField("frame_rate"):
            raise invalid_argument("settings: expected them, and a frame_rate, in the first message alone")
        if request.reset:
            self._kept, self._frames, self._said = _first(self._kept, 0), 0, None
        self._frames += len(walk.skeleton)
        self._kept = _newest(self._kept, walk, self._last)
        answer = self._answer(self._kept, call)
        return messages.WatchWalkResponse(answer=answer, frames=self._frames)

    def _begin(self, settings: messages.WatchSettings, walk: Walk) -> None:
        last = settings.last if settings.HasField("last") else _LAST
        rate = walk.frame_rate or self._frame_rate
        least = math.ceil((MIN_FRAMES - 1) * rate / self._frame_rate) + 1
        if not least <= last:
            raise invalid_argument(f"last: expected at least {least} frames, a second and more, received {last}")
        gallery_messages.check_length("last", last, rate, self._frame_rate)
        self._memory.resize(_COPIES * last * gallery_messages.FRAME_BYTES)
        self._settings, self._last = settings, last
        self._kept = _first(walk, 0)

    def _answer(self, kept: Walk, call: Call) -> messages.IdentifyResponse:
        walk = kept.at_rate(self._frame_rate)
        frames = len(walk.skeleton)
        if frames < MIN_FRAMES:
            tracked = float(np.mean(walk.tracked)) if frames else 1.0
            fault = f"expected at least {MIN_FRAMES} frames, received {frames}"
            quality = messages.Quality(frames=frames, tracked=tracked, fault=fault)
            return messages.IdentifyResponse(outcome=messages.OUTCOME_NOT_ENOUGH_FRAMES, quality=quality)
        answer, found = self._find(walk, self._settings, call, self._said)
        self._said = found or self._said
        return answer


def _first(walk: Walk, frames: int) -> Walk:
    return dataclasses.replace(walk, skeleton=walk.skeleton[:frames], tracked=walk.tracked[:frames])


def _newest(kept: Walk, walk: Walk, last: int) -> Walk:
    skeleton = np.concatenate([kept.skeleton, walk.skeleton])[-last:]
    return dataclasses.replace(kept, skeleton=skeleton, tracked=np.concatenate([kept.tracked, walk.tracked])[-last:])
