from typing import Any

import numpy as np

from agegait.recordings.frame_rates import FrameRates
from agegait.serving.client import answers, channels, walks
from agegait.serving.client.async_server_client import AsyncServerClient
from agegait.serving.client.async_stream import AsyncStream
from agegait.serving.client.client_errors import InvalidRequestError


class AsyncClient(AsyncServerClient):
    """`Client` for asyncio: the same arguments, methods, results and errors.

    Make it, and use it, inside a running event loop.

    Example:
        >>> async with agegait.serving.AsyncClient("127.0.0.1:8500") as client:
        ...     people = await client.identify(walk)
    """

    async def identify(
        self, skeletons: walks.Walks, model: str = "identifier", frame_rate: FrameRates = None
    ) -> list[walks.Identification]:
        """As `Client.identify`."""
        found = []
        for request, count in walks.walk_requests(skeletons, model, frame_rate):
            found += answers.identifications(await self._predict(request), count, self._max_bytes)
        return found

    def stream(
        self,
        every: int = 6,
        *,
        last: int | None = None,
        keep: int = 3600,
        model: str = "identifier",
        frame_rate: float | None = None,
    ) -> AsyncStream:
        """As `Client.stream`."""
        return AsyncStream(self._call, every, last, keep, model, self._max_bytes, frame_rate)

    async def embed(
        self, skeletons: walks.Walks, model: str = "embedder", frame_rate: FrameRates = None
    ) -> list[walks.Embedding]:
        """As `Client.embed`."""
        found = []
        for request, count in walks.walk_requests(skeletons, model, frame_rate):
            found += answers.embeddings(await self._predict(request), count, self._max_bytes)
        return found

    async def encode(self, windows: np.ndarray, model: str = "encoder") -> dict[str, np.ndarray]:
        """As `Client.encode`."""
        request, shape = walks.encode_request(windows, model)
        return answers.encodings(await self._predict(request), shape, self._max_bytes)

    async def status(self, model: str = "identifier") -> list[walks.VersionStatus]:
        """As `Client.status`."""
        return answers.version_statuses(await self._call(channels.STATUS, walks.status_request(model)))

    async def metadata(self, model: str = "identifier") -> dict[str, walks.SignatureInfo]:
        """As `Client.metadata`."""
        return answers.signature_infos(await self._call(channels.METADATA, walks.metadata_request(model)))

    async def ready(self, service: str = "") -> bool:
        """As `Client.ready`."""
        return (await self._call(channels.HEALTH, walks.health_request(service))).status == answers.SERVING

    async def _predict(self, request: Any) -> Any:
        try:
            return await self._call(channels.PREDICT, request)
        except InvalidRequestError as error:
            raise walks.without_rates(request, error) from None

    async def _call(self, method: channels.Method, request: Any) -> Any:
        return await self._connection.call(method, request)
