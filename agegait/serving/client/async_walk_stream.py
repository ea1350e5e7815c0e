import asyncio
from types import TracebackType
from typing import Any, Self

import grpc
import numpy as np

from agegait.serving import gallery_pb2 as messages
from agegait.serving.client import answers
from agegait.serving.client.async_connection import AsyncConnection
from agegait.serving.client.channels import WATCH_WALK
from agegait.serving.client.client_errors import DeadlineError, UnavailableError
from agegait.serving.client.gallery_results import GalleryIdentification
from agegait.serving.client.walk_frames import WalkFrames


class AsyncWalkStream(WalkFrames):
    """`WalkStream` for asyncio: the same arguments, attributes, results and errors.

    `AsyncGalleryClient.watch_walk` makes it. Frames may be added while a question is on its way.
    """

    def __init__(
        self, connection: AsyncConnection, every: int, settings: messages.WatchSettings, frame_rate: float | None
    ) -> None:
        super().__init__(every, settings, frame_rate)
        self._connection = connection
        self._call: Any = None
        self._asking = asyncio.Lock()

    async def add(self, frame: np.ndarray, tracked: np.ndarray | None = None) -> GalleryIdentification | None:
        """As `WalkStream.add`."""
        return await self.identify() if self._take(frame, tracked) else None

    async def identify(self) -> GalleryIdentification:
        """As `WalkStream.identify`."""
        retries = self._connection.retries()

        async def ask() -> GalleryIdentification:
            first = self._call is None
            if first:
                remote = self._connection.channel.stream_stream(
                    WATCH_WALK.path, request_serializer=messages.WatchWalkRequest.SerializeToString
                )
                self._call = remote(metadata=self._connection.metadata)
            request, sent = self._question(first)
            try:
                async with asyncio.timeout(retries.remaining):
                    await self._call.write(request)
                    raw = await self._call.read()
                if raw is grpc.aio.EOF:
                    raise UnavailableError(grpc.StatusCode.UNAVAILABLE, "the server ended the stream")
                return self._answer(answers.parse(WATCH_WALK.response, raw), sent)
            except asyncio.InvalidStateError:  # What gRPC says of a call that is over: how it ended tells more.
                await self._raise_end()
                raise
            except TimeoutError:
                raise DeadlineError(grpc.StatusCode.DEADLINE_EXCEEDED, "no answer within the time-out") from None
            finally:
                if self._asked:  # There was no answer.
                    self._end()

        async with self._asking:
            found: GalleryIdentification = await self._connection.repeated(ask, retries)
        return found

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self._end()

    async def _raise_end(self) -> None:
        code, details = await self._call.code(), await self._call.details()
        raise grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details)

    def _end(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.cancel()
