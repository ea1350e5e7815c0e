import contextlib
import json
import logging
import time
from collections.abc import Iterator
from urllib.parse import unquote

import grpc

from agegait.serving.server.call import Call
from agegait.serving.server.metrics import Metrics
from agegait.serving.server.status_error import StatusError

_REFUSALS = {
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.UNIMPLEMENTED,
}

_log = logging.getLogger("agegait.serving.requests")


class Telemetry:
    """Counts requests, and logs a JSON line a request to `agegait.serving.requests` at level INFO.

    A line has sizes and times, and never what was in a request or its answer.
    """

    def __init__(self) -> None:
        self.metrics = Metrics()

    @contextlib.contextmanager
    def observed(self, call: Call) -> Iterator[None]:
        """Counts and logs what runs inside as one request."""
        start = time.monotonic()
        code, failure = grpc.StatusCode.OK, None
        try:
            with self.metrics.pending.track_inprogress():
                yield
        except StatusError as error:
            code = error.code
            raise
        except Exception as error:
            code, failure = grpc.StatusCode.INTERNAL, type(error).__name__
            raise
        finally:
            self._finish(call, code, failure, time.monotonic() - start)

    def count(self, call: Call, code: grpc.StatusCode) -> None:
        """Counts and logs a call that was refused before it began."""
        self._finish(call, code, None, 0.0)

    def _finish(self, call: Call, code: grpc.StatusCode, failure: str | None, seconds: float) -> None:
        self.metrics.finish(call, code.name, seconds)
        if code in _REFUSALS:
            self.metrics.refuse(code.name.lower())
        if _log.isEnabledFor(logging.INFO):
            line = {
                "request": call.request_id,
                "caller": call.caller or None,
                "peer": _address(call.peer),
                "transport": call.transport,
                "method": call.method,
                "model": call.model,
                "version": call.version,
                "code": code.name,
                "milliseconds": round(1000 * seconds, 3),
                "queue_milliseconds": None if call.queue_seconds is None else round(1000 * call.queue_seconds, 3),
                "request_bytes": call.request_bytes,
                "answer_bytes": call.answer_bytes,
            }
            _log.info(json.dumps(line if failure is None else {**line, "failure": failure}))


def _address(peer: str) -> str:
    """A peer as other programs write it: gRPC says `ipv6:%5B::1%5D:5000` of `[::1]:5000`."""
    kind, _, address = peer.partition(":")
    return unquote(address) if kind in ("ipv4", "ipv6") else peer
