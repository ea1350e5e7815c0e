import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import numpy as np

from agegait.serving.client.channels import PREDICT, Method
from agegait.serving.client.client_errors import NotFoundError
from agegait.serving.client.running_walk import RunningWalk
from agegait.serving.client.walks import Identification


class AsyncStream(RunningWalk):
    """`Stream` for asyncio: the same arguments, attributes, results and errors; `AsyncClient.stream` makes it.

    Frames may be added while a question is on its way.
    """

    def __init__(
        self,
        call: Callable[[Method, Any], Awaitable[Any]],
        every: int,
        last: int | None,
        keep: int,
        model: str,
        max_bytes: int,
        frame_rate: float | None = None,
    ) -> None:
        super().__init__(every, last, keep, model, max_bytes, frame_rate)
        self._call = call
        self._asking = asyncio.Lock()

    async def add(self, frame: np.ndarray, seconds: float | None = None) -> Identification | None:
        """As `Stream.add`."""
        return await self.identify() if self._take(frame, seconds) else None

    async def identify(self) -> Identification | None:
        """As `Stream.identify`."""
        async with self._asking:
            while (question := self._question()) is not None:
                try:
                    if not self._answer(await self._call(PREDICT, question)):
                        break
                except NotFoundError:
                    if not self._version_is_gone():
                        raise
        return self.found

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
