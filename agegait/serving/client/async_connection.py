import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from agegait.serving.client import answers, channels
from agegait.serving.client.client_errors import ClosedError, client_error
from agegait.serving.client.retries import Retries, require_timeout


class AsyncConnection:
    """`Connection` for asyncio."""

    def __init__(
        self,
        target: str,
        timeout: float,
        wait: bool,
        max_answer_bytes: int,
        token: str | None,
        credentials: grpc.ChannelCredentials | None,
    ) -> None:
        require_timeout(timeout)
        options = channels.channel_options(max_answer_bytes)
        self.metadata = channels.call_metadata(token)
        if credentials is None:
            self.channel = grpc.aio.insecure_channel(target, options)
        else:
            self.channel = grpc.aio.secure_channel(target, credentials, options)
        self._timeout = timeout
        self._wait = wait
        self._closed = asyncio.Event()

    def retries(self) -> Retries:
        """As `Connection.retries`."""
        return Retries(self._timeout, self._wait)

    async def call(self, method: channels.Method, request: Any) -> Any:
        """As `Connection.call`."""
        retries = self.retries()
        ready = self._wait and not method.repeatable

        async def ask() -> Any:
            remote = self.channel.unary_unary(method.path, request_serializer=type(request).SerializeToString)
            answer = await remote(request, timeout=retries.remaining, metadata=self.metadata, wait_for_ready=ready)
            return answers.parse(method.response, answer)

        return await self.repeated(ask, retries, method.repeatable)

    async def repeated(self, ask: Callable[[], Awaitable[Any]], retries: Retries, repeatable: bool = True) -> Any:
        """As `Connection.repeated`."""
        while not self._closed.is_set():
            try:
                return await ask()
            except grpc.RpcError as error:
                if not self._closed.is_set():
                    if not repeatable:
                        raise client_error(error) from None
                    await self._pause(retries.pause(client_error(error)))
            except (grpc.aio.UsageError, asyncio.CancelledError):
                # What gRPC says of a channel that was closed, before and during the call; and a task's own end.
                task = asyncio.current_task()
                if not self._closed.is_set() or (task is not None and task.cancelling()):
                    raise
        raise ClosedError

    async def close(self) -> None:
        """As `Connection.close`."""
        self._closed.set()
        await self.channel.close()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), seconds)
