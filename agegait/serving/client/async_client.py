import os
from types import TracebackType
from typing import Any, Self

import grpc
import numpy as np

from agegait.serving.client import channels, walks
from agegait.serving.client.async_stream import AsyncStream
from agegait.serving.client.client_errors import client_error


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
        token: str | None = None,
        tls: bool = False,
        tls_ca: str | os.PathLike | None = None,
        tls_cert: str | os.PathLike | None = None,
        tls_key: str | os.PathLike | None = None,
    ) -> None:
        credentials = channels.channel_credentials(tls, tls_ca, tls_cert, tls_key)
        if credentials is None:
            self._channel = grpc.aio.insecure_channel(target, channels.OPTIONS)
        else:
            self._channel = grpc.aio.secure_channel(target, credentials, channels.OPTIONS)
        self._timeout = timeout
        self._metadata = channels.call_metadata(token)

    async def identify(self, skeletons: walks.Walks, model: str = "identifier") -> list[walks.Identification]:
        """As `Client.identify`."""
        found = []
        for request in walks.identify_requests(skeletons, model):
            found += walks.identifications(await self._call(channels.PREDICT, request))
        return found

    def stream(
        self, every: int = 6, *, last: int | None = None, keep: int = 3600, model: str = "identifier"
    ) -> AsyncStream:
        """As `Client.stream`."""
        return AsyncStream(self._call, every, last, keep, model)

    async def encode(self, windows: np.ndarray, model: str = "encoder") -> dict[str, np.ndarray]:
        """As `Client.encode`."""
        return walks.arrays(await self._call(channels.PREDICT, walks.encode_request(windows, model)))

    async def status(self, model: str = "identifier") -> list[walks.VersionStatus]:
        """As `Client.status`."""
        return walks.version_statuses(await self._call(channels.STATUS, walks.status_request(model)))

    async def metadata(self, model: str = "identifier") -> dict[str, walks.SignatureInfo]:
        """As `Client.metadata`."""
        return walks.signature_infos(await self._call(channels.METADATA, walks.metadata_request(model)))

    async def ready(self, service: str = "") -> bool:
        """As `Client.ready`."""
        return (await self._call(channels.HEALTH, walks.health_request(service))).status == walks.SERVING

    async def close(self) -> None:
        """Closes the connection."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _call(self, method: channels.Method, request: Any) -> Any:
        remote = self._channel.unary_unary(
            method.path,
            request_serializer=type(request).SerializeToString,
            response_deserializer=method.response.FromString,
        )
        try:
            return await remote(request, timeout=self._timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            raise client_error(error) from None
