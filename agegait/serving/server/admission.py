import contextlib
import threading
from collections.abc import Iterator

import grpc

from agegait.serving.server.call import Call
from agegait.serving.server.status_error import StatusError

_UNREAD = 4  # Answers that callers have yet to read, as a multiple of requests in hand.


class Admission:
    """Lets so many requests in at once, and nobody once the server is about to stop.

    Args:
        most: Most requests in hand; more are refused at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._in_hand = 0
        self._unsent = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def in_hand(self) -> int:
        """Requests that are worked on, or wait for it."""
        return self._in_hand

    def close(self) -> None:
        """Refuses requests from now on."""
        with self._changed:
            self._closed = True

    def wait_idle(self, seconds: float) -> bool:
        """Waits until every request is answered and its answer sent, so long at most; whether they all are."""
        with self._changed:
            return self._changed.wait_for(lambda: self._unsent == 0, seconds)

    @contextlib.contextmanager
    def admitted(self, call: Call) -> Iterator[None]:
        """Has what runs inside counted as a request, until its answer has left.

        Raises:
            StatusError: UNAVAILABLE once closed, RESOURCE_EXHAUSTED where there are too many.
        """
        with self._changed:
            if self._closed:
                raise StatusError(grpc.StatusCode.UNAVAILABLE, "the server is shutting down")
            if self._in_hand == self._most:
                raise StatusError(
                    grpc.StatusCode.RESOURCE_EXHAUSTED, f"the queue is full: {self._most} requests are in hand"
                )
            if self._unsent >= _UNREAD * self._most:
                raise StatusError(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many answers wait for their callers")
            self._in_hand += 1
            self._unsent += 1
        if not call.add_done_callback(self._sent):
            self._sent()
        try:
            yield
        finally:
            with self._changed:
                self._in_hand -= 1

    def _sent(self) -> None:
        with self._changed:
            self._unsent -= 1
            self._changed.notify_all()
