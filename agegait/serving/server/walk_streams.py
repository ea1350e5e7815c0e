import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from agegait.serving.server.call_limits import CallLimits
from agegait.serving.server.limits import Limits
from agegait.serving.server.status_error import StatusError

WATCH_WALK = "/agegait.gallery.v1.Gallery/WatchWalk"

_SPARE = 8  # Threads for streams that are refused.


class WalkStreams:
    """The streams of WatchWalk: so many at once, and of one connection; one without a message for long is ended.

    Each has a thread of its own, so that they do not take those of other calls.

    Args:
        limits: How many, and for how long.
    """

    def __init__(self, limits: Limits) -> None:
        self._most = limits.max_walk_streams
        self._most_of_connection = limits.max_walk_streams_per_connection
        self._open: Counter[str] = Counter()
        self._changed = threading.Lock()
        self._idle = CallLimits(limits.idle_seconds)
        self.threads = ThreadPoolExecutor(self._most + _SPARE, thread_name_prefix="agegait-walks")

    def __len__(self) -> int:
        return self._open.total()

    def enter(self, messages: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        """Counts a stream until it is over.

        Returns:
            Its messages, each of which prolongs it.

        Raises:
            StatusError: RESOURCE_EXHAUSTED where there are too many.
        """
        connection = context.peer()
        with self._changed:
            for count, most, where in (
                (len(self), self._most, ""),
                (self._open[connection], self._most_of_connection, " on a connection"),
            ):
                if count >= most:
                    raise StatusError(
                        grpc.StatusCode.RESOURCE_EXHAUSTED, f"expected at most {most} streams at once{where}"
                    )
            self._open[connection] += 1
        self._idle.limit(context)
        if not context.add_callback(lambda: self._leave(connection)):
            self._leave(connection)
        return self._prolonging(messages, context)

    def close(self) -> None:
        """Ends no more streams."""
        self._idle.close()
        self.threads.shutdown(wait=False, cancel_futures=True)

    def _prolonging(self, messages: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        for message in messages:
            self._idle.prolong(context)
            yield message

    def _leave(self, connection: str) -> None:
        with self._changed:
            self._open[connection] -= 1
            self._open += Counter()  # Keeps those above zero.
