from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import numpy as np

from agegait.serving.client.channels import PREDICT, Method
from agegait.serving.client.client_errors import NotFoundError
from agegait.serving.client.running_walk import RunningWalk
from agegait.serving.client.walks import Identification


class Stream(RunningWalk):
    """A walk whose frames come one by one, as a sensor gives them; `Client.stream` makes it.

    Each frame is sent once, and each answer counts in what was sent before, so that it is what `Client.identify` would
    say of all frames so far. Memory is bounded: of frames that were seen, a sum of logits is kept. Frames whose
    question fails wait and go with the next one. For one thread at a time.

    Args:
        call: Asks the server.
        every: As `RunningWalk`, and so are the rest and the attributes.
        last: Frames that count.
        keep: Most frames that wait.
        model: The model's name.
        max_bytes: How large an answer may be.
        frame_rate: Frames a second that come.
    """

    def __init__(
        self,
        call: Callable[[Method, Any], Any],
        every: int,
        last: int | None,
        keep: int,
        model: str,
        max_bytes: int,
        frame_rate: float | None = None,
    ) -> None:
        super().__init__(every, last, keep, model, max_bytes, frame_rate)
        self._call = call

    def add(self, frame: np.ndarray, seconds: float | None = None) -> Identification | None:
        """Takes a frame, and asks who walks if it is time to.

        Args:
            frame: `[J, 3]` in metres.
            seconds: When it was taken, by any clock, where the sensor's frame rate is not steady: frames are brought to
                the model's. For each frame of a walk, or for none.

        Returns:
            The running answer every so many frames, once a window is complete; None in between.

        Raises:
            ValueError: A frame of another shape, NaN or infinity, or a time that is not later, which is not taken;
                `last` is shorter than the model's windows; or a frame rate or times for a model that does not know its
                own rate.
            ClientError: As `Client.identify`. The frame was taken, and waits.
        """
        return self.identify() if self._take(frame, seconds) else None

    def identify(self) -> Identification | None:
        """Who walks, by all frames so far; asks about those that the server has not seen.

        Returns:
            The running answer; None where no window is complete.

        Raises:
            ClientError: As `Client.identify`. All frames wait.
        """
        while (question := self._question()) is not None:
            try:
                if not self._answer(self._call(PREDICT, question)):
                    break
            except NotFoundError:
                if not self._version_is_gone():
                    raise
        return self.found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
