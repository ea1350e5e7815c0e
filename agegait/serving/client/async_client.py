import asyncio
import contextlib
import os
from types import TracebackType
from typing import Any, Self

import grpc
import numpy as np

from agegait.serving.client import answers, channels, walks
from agegait.serving.client.async_stream import AsyncStream
from agegait.serving.client.client_errors import ClosedError, client_error
from agegait.serving.client.retries import Retries, require_timeout


class AsyncClient:
    """`Client` for asyncio: the same arguments, methods, results and errors.

    Make it, and use it, inside a running event loop.

    Example:
        >>> async with agegait.serving.AsyncClient("127.0.0.1:8500") as client:
        ...     people = await client.identify(walk)
    """

    def __init__(
        self,
        target: str,
        *,
        timeout: float = 10.0,
        wait: bool = False,
        max_answer_bytes: int = channels.MAX_ANSWER_BYTES,
        token: str | None = None,
        tls: bool = False,
        tls_ca: str | os.PathLike | None = None,
        tls_cert: str | os.PathLike | None = None,
        tls_key: str | os.PathLike | None = None,
    ) -> None:
        require_timeout(timeout)
        options = channels.channel_options(max_answer_bytes)
        metadata = channels.call_metadata(token)
        credentials = channels.channel_credentials(tls, tls_ca, tls_cert, tls_key)
        if credentials is None:
            self._channel = grpc.aio.insecure_channel(target, options)
        else:
            self._channel = grpc.aio.secure_channel(target, credentials, options)
        self._metadata = metadata
        self._timeout = timeout
        self._wait = wait
        self._max_bytes = max_answer_bytes
        self._closed = asyncio.Event()

    async def identify(self, skeletons: walks.Walks, model: str = "identifier") -> list[walks.Identification]:
        """As `Client.identify`."""
        found = []
        for request, count in walks.walk_requests(skeletons, model):
            found += answers.identifications(await self._call(channels.PREDICT, request), count, self._max_bytes)
        return found

    def stream(
        self, every: int = 6, *, last: int | None = None, keep: int = 3600, model: str = "identifier"
    ) -> AsyncStream:
        """As `Client.stream`."""
        return AsyncStream(self._call, every, last, keep, model, self._max_bytes)

    async def embed(self, skeletons: walks.Walks, model: str = "embedder") -> list[walks.Embedding]:
        """As `Client.embed`."""
        found = []
        for request, count in walks.walk_requests(skeletons, model):
            found += answers.embeddings(await self._call(channels.PREDICT, request), count, self._max_bytes)
        return found

    async def encode(self, windows: np.ndarray, model: str = "encoder") -> dict[str, np.ndarray]:
        """As `Client.encode`."""
        request, shape = walks.encode_request(windows, model)
        return answers.encodings(await self._call(channels.PREDICT, request), shape, self._max_bytes)

    async def status(self, model: str = "identifier") -> list[walks.VersionStatus]:
        """As `Client.status`."""
        return answers.version_statuses(await self._call(channels.STATUS, walks.status_request(model)))

    async def metadata(self, model: str = "identifier") -> dict[str, walks.SignatureInfo]:
        """As `Client.metadata`."""
        return answers.signature_infos(await self._call(channels.METADATA, walks.metadata_request(model)))

    async def ready(self, service: str = "") -> bool:
        """As `Client.ready`."""
        return (await self._call(channels.HEALTH, walks.health_request(service))).status == answers.SERVING

    async def close(self) -> None:
        """Closes the connection; requests under way end with `ClosedError`."""
        self._closed.set()
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _call(self, method: channels.Method, request: Any) -> Any:
        retries = Retries(self._timeout, self._wait)
        while not self._closed.is_set():
            try:
                remote = self._channel.unary_unary(method.path, request_serializer=type(request).SerializeToString)
                return answers.parse(
                    method.response, await remote(request, timeout=retries.remaining, metadata=self._metadata)
                )
            except grpc.RpcError as error:
                if not self._closed.is_set():
                    await self._pause(retries.pause(client_error(error)))
            except (grpc.aio.UsageError, asyncio.CancelledError):
                # What gRPC says of a channel that was closed, before and during the call; and a task's own end.
                task = asyncio.current_task()
                if not self._closed.is_set() or (task is not None and task.cancelling()):
                    raise
        raise ClosedError

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), seconds)
