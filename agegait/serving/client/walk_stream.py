import queue
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import grpc
import numpy as np

from agegait.serving import gallery_pb2 as messages
from agegait.serving.client import answers
from agegait.serving.client.channels import WATCH_WALK
from agegait.serving.client.client_errors import DeadlineError, UnavailableError
from agegait.serving.client.connection import Connection
from agegait.serving.client.gallery_results import GalleryIdentification
from agegait.serving.client.walk_frames import WalkFrames


class _Call:
    """One stream of the method: a message, an answer, and so on."""

    def __init__(self, connection: Connection) -> None:
        self._messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
        remote = connection.channel.stream_stream(
            WATCH_WALK.path, request_serializer=messages.WatchWalkRequest.SerializeToString
        )
        self._call = remote(self._sent(), metadata=connection.metadata)

    def ask(self, request: messages.WatchWalkRequest, seconds: float) -> messages.WatchWalkResponse:
        late = threading.Event()

        def end() -> None:
            late.set()
            self._call.cancel()

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            self._messages.put(request)
            raw = next(self._call)
        except StopIteration:
            raise UnavailableError(grpc.StatusCode.UNAVAILABLE, "the server ended the stream") from None
        except grpc.RpcError:
            if late.is_set():
                raise DeadlineError(grpc.StatusCode.DEADLINE_EXCEEDED, "no answer within the time-out") from None
            raise
        finally:
            timer.cancel()
        answer: messages.WatchWalkResponse = answers.parse(WATCH_WALK.response, raw)
        return answer

    def close(self) -> None:
        self._messages.put(None)
        self._call.cancel()

    def _sent(self) -> Iterator[messages.WatchWalkRequest]:
        while (request := self._messages.get()) is not None:
            yield request


class WalkStream(WalkFrames):
    """A walk whose frames come one by one, as a sensor gives them; `GalleryClient.watch_walk` makes it.

    Each frame is sent once, over one call that stays open. If the connection breaks, the frames that count are sent
    again over a new one. For one thread at a time.

    Args:
        connection: The way to the server.
        every: As `WalkFrames`, and so are the rest and the attributes.
        settings: What the server is to do.
        frame_rate: Frames a second.
    """

    def __init__(
        self, connection: Connection, every: int, settings: messages.WatchSettings, frame_rate: float | None
    ) -> None:
        super().__init__(every, settings, frame_rate)
        self._connection = connection
        self._call: _Call | None = None

    def add(self, frame: np.ndarray, tracked: np.ndarray | None = None) -> GalleryIdentification | None:
        """Takes a frame, and asks who walks if it is time to.

        Args:
            frame: `[20, 3]` in metres.
            tracked: `[20]`: which joints the sensor tracked; all of them where absent.

        Returns:
            The running answer every so many frames, "not enough frames" at first; None in between.

        Raises:
            ValueError: A frame of another shape, NaN or infinity, which is not taken.
            ClientError: As `GalleryClient.identify`. The frame was taken, and waits.
        """
        return self.identify() if self._take(frame, tracked) else None

    def identify(self) -> GalleryIdentification:
        """Who walks, by the frames that count, those included that the server has not seen.

        Raises:
            ClientError: As `GalleryClient.identify`. All frames wait.
        """
        retries = self._connection.retries()

        def ask() -> GalleryIdentification:
            first = self._call is None
            call = self._call = self._call or _Call(self._connection)
            request, sent = self._question(first)
            try:
                return self._answer(call.ask(request, retries.remaining), sent)
            except BaseException:
                self._end()
                raise

        found: GalleryIdentification = self._connection.repeated(ask, retries)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self._end()

    def _end(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.close()
