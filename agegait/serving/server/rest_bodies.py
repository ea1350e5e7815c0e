import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import grpc
from starlette.types import Receive

from agegait.serving.server.status_error import StatusError, invalid_argument


class TooLargeError(StatusError):
    """A body that is larger than may be."""

    def __init__(self, most: int) -> None:
        super().__init__(grpc.StatusCode.RESOURCE_EXHAUSTED, f"the body: expected at most {most:,} bytes")


@dataclass(eq=False)
class _Body:
    task: asyncio.Task | None
    size: int = 0
    evicted: bool = False


class RestBodies:
    """Reads the bodies of requests, which take a bounded memory together until they are complete.

    Where it does not suffice, the body that has been arriving for longest is given up: many that are half-sent lock
    nobody out. To be used from one event loop.

    Args:
        most: Bytes of the largest body.
        total: Bytes of all bodies that arrive; at least as many.
    """

    def __init__(self, most: int, total: int) -> None:
        self._most = most
        self._free = total
        self._open: dict[_Body, None] = {}  # The oldest first.

    async def read(self, headers: Mapping[str, str], receive: Receive) -> bytearray:
        """A request's body.

        Raises:
            StatusError: RESOURCE_EXHAUSTED for a body that is too large, or was given up for others, INVALID_ARGUMENT
                for one that is encoded or of two lengths, CANCELLED where the caller went away.
        """
        if headers.get("content-encoding", "identity") != "identity":
            raise invalid_argument("content-encoding: expected none")
        if "transfer-encoding" in headers and "content-length" in headers:
            # Which of them counts is what a proxy before us may see differently.
            raise invalid_argument("content-length: expected none beside transfer-encoding")
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdecimal() or int(length) > self._most:
            raise TooLargeError(self._most)
        body, read = _Body(asyncio.current_task()), bytearray()
        self._open[body] = None
        try:
            more = True
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    raise StatusError(grpc.StatusCode.CANCELLED, "the caller went away")
                piece = message.get("body", b"")
                if len(read) + len(piece) > self._most:
                    raise TooLargeError(self._most)
                self._hold(body, len(piece))
                read += piece
                more = message.get("more_body", False)
        except asyncio.CancelledError:
            if not body.evicted or body.task is None:
                raise
            body.task.uncancel()
            raise StatusError(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many bodies arrive at once") from None
        finally:
            self._let_go(body)
        return read

    def _hold(self, body: _Body, size: int) -> None:
        body.size += size
        self._free -= size
        for other in list(self._open):
            if self._free >= 0:
                return
            if other is not body and other.size and other.task is not None:
                other.evicted = True
                self._let_go(other)
                other.task.cancel()

    def _let_go(self, body: _Body) -> None:
        if body in self._open:
            del self._open[body]
            self._free += body.size
