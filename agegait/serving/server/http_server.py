import asyncio
import logging
import os
import socket
import ssl
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import uvicorn
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agegait.serving.server.http_connection import HttpConnection
from agegait.serving.server.http_connections import HttpConnections
from agegait.serving.server.http_limits import HttpLimits

_PIECE_BYTES = 256 << 10
_BACKLOG = 1024
_ACCEPTED_AT_ONCE = 16
_TICK_SECONDS = 0.1
_END_SECONDS = 5.0

_log = logging.getLogger("agegait.serving.http")


class HttpServer:
    """Runs an ASGI application on a port, in a thread of its own, behind limits that hold against strangers.

    Args:
        app: The application.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        argument: The argument that the port was given as, for errors.
        limits: What connections may take.
        tls: Gives the TLS context of each new connection; without it, callers use plain HTTP.
        on_refused: Called with the reason whenever a connection or a request is refused here.
    """

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        port: int,
        *,
        argument: str = "port",
        limits: HttpLimits | None = None,
        tls: Callable[[], ssl.SSLContext] | None = None,
        on_refused: Callable[[str], object] = lambda reason: None,
    ) -> None:
        self._host = host
        self._port = port
        self._argument = argument
        self._connections = HttpConnections(limits or HttpLimits(), on_refused)
        self._uvicorn = _Uvicorn(
            uvicorn.Config(
                _guarded(app),
                loop="asyncio",
                http=partial(HttpConnection, self._connections, tls),  # type: ignore[arg-type]
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                backlog=_ACCEPTED_AT_ONCE,
                timeout_keep_alive=threading.TIMEOUT_MAX,  # type: ignore[arg-type]  # The connection has its own.
            )
        )
        self._sockets: list[socket.socket] = []
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._seconds = 0.0

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._port

    @property
    def connections(self) -> int:
        """How many connections there are."""
        return len(self._connections)

    def start(self) -> None:
        """Listens, and answers from now on.

        Raises:
            OSError: The address can't be listened on.
        """
        self._sockets = self._listen()
        self._port = self._sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._run, name=f"agegait-http-{self._port}", daemon=True)
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Stops accepting, waits for requests that were read to be answered, so long at most, and closes the rest."""
        if self._thread is None:
            return
        self._seconds = max(seconds, _TICK_SECONDS)
        self._stopping.set()
        self._thread.join(seconds + _END_SECONDS)
        self._thread = None

    def _listen(self) -> list[socket.socket]:
        sockets: list[socket.socket] = []
        try:
            for family, _, _, _, address in socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            ):
                port = sockets[0].getsockname()[1] if sockets else self._port
                both = family == socket.AF_INET6 and self._host == "::" and socket.has_dualstack_ipv6()
                sockets.append(socket.create_server((address[0], port), family=family, dualstack_ipv6=both))
        except OSError as error:
            for listening in sockets:
                listening.close()
            raise OSError(
                f"{self._argument}: can't listen on {self._host}, port {self._port}: {_reason(error)}"
            ) from None
        return sockets

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        asyncio.get_running_loop().set_exception_handler(_log_failure)
        ending = asyncio.create_task(self._end())
        try:
            await self._uvicorn.serve(self._sockets)
        finally:
            ending.cancel()
            for connection in self._connections:
                connection.abort()
            await asyncio.sleep(_TICK_SECONDS)  # What is aborted is closed in one of the loop's next turns.

    async def _end(self) -> None:
        """At the end, who has no complete request is not waited for."""
        while not self._stopping.is_set():
            await asyncio.sleep(_TICK_SECONDS)
        self._uvicorn.config.timeout_graceful_shutdown = self._seconds  # type: ignore[assignment]
        self._uvicorn.should_exit = True
        while True:
            self._connections.abort_waiting()
            await asyncio.sleep(_TICK_SECONDS)


class _Uvicorn(uvicorn.Server):
    """Accepts few connections at a time, of many that may queue.

    asyncio takes one number for both. Were as many accepted at once as may queue, those that send a request would have
    to make room for others before they were read.
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in sockets or []:
            listening.listen(_BACKLOG)


def _reason(error: OSError) -> str:
    """What the system says, without what the library adds to it."""
    if isinstance(error, socket.gaierror) or error.errno is None:
        return error.strerror or str(error)
    return os.strerror(error.errno)


def _guarded(app: ASGIApp) -> ASGIApp:
    """The application, whose failures nobody hears of, and whose long answers are sent as they are read."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def piecewise(message: Message) -> None:
            nonlocal started
            started = True
            body = message.get("body", b"")
            for start in range(0, max(len(body) - _PIECE_BYTES, 0), _PIECE_BYTES):
                await send({"type": message["type"], "body": body[start : start + _PIECE_BYTES], "more_body": True})
            if len(body) > _PIECE_BYTES:
                end = (len(body) - 1) // _PIECE_BYTES * _PIECE_BYTES
                message = {**message, "body": body[end:]}
            await send(message)

        try:
            await app(scope, receive, piecewise)
        except ClientDisconnect:
            pass
        except (Exception, asyncio.CancelledError) as error:
            _log.error("a request over HTTP failed: %s", type(error).__name__)
            if not started:  # Else uvicorn closes the connection, as the caller must not take it for complete.
                await send({"type": "http.response.start", "status": 500, "headers": [(b"connection", b"close")]})
                await send({"type": "http.response.body", "body": b""})

    return guarded


def _log_failure(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    failure = context.get("exception")
    _log.error("%s%s", context.get("message"), "" if failure is None else f": {type(failure).__name__}")
