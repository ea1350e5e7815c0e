import asyncio
import logging
import ssl
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from agegait.serving.server.http_connections import HttpConnections

_READ_BYTES = 16 << 10
_GOODBYE_SECONDS = 5.0

_FREE_CHUNKS = 1024
_CHUNK_BYTES = 64

# uvicorn logs a line for each request that is no HTTP, which whoever sends them would fill the log with.
_log = logging.getLogger("agegait.serving.http.connection")
_log.setLevel(logging.ERROR)


class _Phase(Enum):
    HEADERS = auto()
    BODY = auto()
    WORK = auto()
    IDLE = auto()


class HttpConnection(H11Protocol, asyncio.BufferedProtocol):
    """uvicorn's connection behind limits, which uvicorn has not: each phase of a request has its time.

    TLS is started here, on a connection that is counted already: a peer that never shakes hands is one that sends no
    headers.

    Args:
        connections: Where it is counted.
        tls: Gives the context of a new connection; None without TLS.
        arguments: uvicorn's.
    """

    def __init__(
        self, connections: HttpConnections, tls: Callable[[], ssl.SSLContext] | None, **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        self.logger = _log
        self.access_log = False
        self.conn = _Parser(connections.limits.header_bytes)
        self.peer = ""
        self._counted = connections
        self._tls = tls
        self._raw: asyncio.Transport | None = None
        self._handshake: asyncio.Task | None = None
        self._made = False
        self._early = bytearray()
        self._buffer = memoryview(
            bytearray(_READ_BYTES)
        )  # asyncio's TLS writes to slices of it, which must be no copies.
        self._phase: tuple[_Phase, object] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Counts a connection and waits for its headers."""
        self._raw = transport
        address = transport.get_extra_info("peername")
        self.peer = address[0] if isinstance(address, tuple) else ""
        if not self._counted.admit(self):
            transport.abort()
            return
        self._advance()
        if self._tls is None:
            self._made = True
            super().connection_made(transport)
        else:
            transport.pause_reading()
            self._handshake = self.loop.create_task(self._start_tls(transport, self._tls()))

    def connection_lost(self, exc: Exception | None) -> None:
        """Counts the connection no more."""
        self._counted.remove(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._made:
            super().connection_lost(exc)
            self._unset_keepalive_if_required()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where to read to: little at a time, so that none keeps the others waiting."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Takes what was read."""
        data = bytes(self._buffer[:nbytes])
        if self._made:
            self.data_received(data)
        else:  # It came in one piece with the end of TLS's handshake.
            self._early += data

    def data_received(self, data: bytes) -> None:
        """Reads a part of a request."""
        if self.transport.is_closing():
            return
        try:
            super().data_received(data)
        except Exception:  # Nonsense where no refusal can be sent any more.
            self.abort()
            return
        self._advance()

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no HTTP."""
        self._counted.on_refused("malformed")
        super().send_400_response(msg)
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # Its request never ends, and has its answer.
            self.cycle.message_event.set()

    def on_response_complete(self) -> None:
        """Waits for the next request."""
        super().on_response_complete()
        self._advance()

    def abort(self) -> None:
        """Closes the connection at once, whatever was not sent."""
        if self._handshake is not None:
            self._handshake.cancel()
        transport = self.transport if self._made else self._raw
        if transport is not None:
            transport.abort()

    async def _start_tls(self, transport: asyncio.Transport, context: ssl.SSLContext) -> None:
        seconds = self._counted.limits.header_seconds
        try:
            secure = await self.loop.start_tls(
                transport,
                self,
                context,
                server_side=True,
                ssl_handshake_timeout=seconds,
                ssl_shutdown_timeout=_GOODBYE_SECONDS,
            )
        except (OSError, asyncio.CancelledError):
            secure = None
        self._handshake = None
        if secure is None:
            self._counted.on_refused("tls")
            transport.abort()
            self.connection_lost(None)
            return
        self._made = True
        super().connection_made(cast(asyncio.Transport, secure))
        if self._early:
            self.data_received(bytes(self._early))
            self._early.clear()

    def _advance(self) -> None:
        """Gives each phase its time, and notes who waits."""
        phase = self._reached()
        if phase == self._phase:
            return
        self._phase = phase
        if phase[0] is _Phase.WORK:
            self._counted.works(self)
        else:
            self._counted.waits(self)
        if self._timer is not None:
            self._timer.cancel()
        limits = self._counted.limits
        seconds = {
            _Phase.HEADERS: limits.header_seconds,
            _Phase.BODY: limits.body_seconds,
            # The application ends the request in time; this is for what it can't end, an answer that nobody reads.
            _Phase.WORK: limits.request_seconds + _GOODBYE_SECONDS,
            _Phase.IDLE: limits.idle_seconds,
        }[phase[0]]
        self._timer = self.loop.call_later(seconds, self._late, phase[0])

    def _reached(self) -> tuple[_Phase, object]:
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            return (_Phase.BODY if cycle.more_body else _Phase.WORK), cycle
        if cycle is not None and self.conn.their_state is h11.SEND_BODY:  # It was refused before it came.
            return _Phase.BODY, self.conn.their_state
        if cycle is None or self.conn.trailing_data[0]:
            return _Phase.HEADERS, cycle
        return _Phase.IDLE, cycle

    def _late(self, phase: _Phase) -> None:
        if phase is not _Phase.IDLE:
            self._counted.on_refused(f"late_{phase.name.lower()}")
        self.abort()


class _Parser(h11.Connection):
    """Refuses bodies in chunks of a few bytes, each of which takes as long as a large one."""

    def __init__(self, header_bytes: int) -> None:
        super().__init__(h11.SERVER, header_bytes)
        self._credit = _FREE_CHUNKS * _CHUNK_BYTES

    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._credit = _FREE_CHUNKS * _CHUNK_BYTES
        elif isinstance(event, h11.Data) and event.chunk_end:
            self._credit += len(event.data) - _CHUNK_BYTES
            if self._credit < 0:
                raise h11.RemoteProtocolError("chunks are too small")
        return event
