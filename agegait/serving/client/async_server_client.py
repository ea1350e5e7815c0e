import os
from types import TracebackType
from typing import Self

from agegait.serving.client import channels
from agegait.serving.client.async_connection import AsyncConnection


class AsyncServerClient:
    """`ServerClient` for asyncio: the same arguments."""

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
        credentials = channels.channel_credentials(tls, tls_ca, tls_cert, tls_key)
        self._connection = AsyncConnection(target, timeout, wait, max_answer_bytes, token, credentials)
        self._max_bytes = max_answer_bytes

    async def close(self) -> None:
        """As `ServerClient.close`."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
