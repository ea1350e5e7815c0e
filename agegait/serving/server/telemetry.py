"""What the server tells of itself: counts in Prometheus's format and a log line a request, never what was in it."""

import contextlib
import datetime
import json
import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc

from agegait.serving.server.call import Call
from agegait.serving.server.status_error import StatusError

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_log = logging.getLogger("agegait.serving.requests")


class Telemetry:
    """Counts requests and batches, and logs a JSON line a request to `agegait.serving.requests` at level INFO."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._seconds: Counter[tuple[str, str]] = Counter()
        self._buckets: Counter[tuple[str, str, float]] = Counter()
        self._pending = 0
        self._batches = 0
        self._batched = 0

    @contextlib.contextmanager
    def observed(self, call: Call) -> Iterator[None]:
        """Counts and logs what runs inside as one request."""
        start = time.monotonic()
        code, failure = grpc.StatusCode.OK, None
        with self._lock:
            self._pending += 1
        try:
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
        with self._lock:
            self._pending += 1
        self._finish(call, code, None, 0.0)

    def observe_batch(self, requests: int) -> None:
        """Counts a batch of joined requests."""
        with self._lock:
            self._batches += 1
            self._batched += requests

    def _finish(self, call: Call, code: grpc.StatusCode, failure: str | None, seconds: float) -> None:
        with self._lock:
            self._pending -= 1
            self._requests[call.method, call.model, code.name] += 1
            self._seconds[call.method, call.model] += seconds  # type: ignore[assignment]
            bound = next((bound for bound in _BOUNDS if seconds <= bound), float("inf"))
            self._buckets[call.method, call.model, bound] += 1
        if _log.isEnabledFor(logging.INFO):
            line = {
                "method": call.method,
                "caller": call.caller or None,
                "model": call.model,
                "version": call.version,
                "code": code.name,
                "milliseconds": round(1000 * seconds, 3),
            }
            _log.info(json.dumps(line if failure is None else {**line, "failure": failure}))

    def page(self) -> str:
        """All counts, in Prometheus's text format."""
        with self._lock:
            lines = ["# TYPE agegait_requests_total counter"]
            for (method, model, code), count in sorted(self._requests.items()):
                lines.append(f'agegait_requests_total{{method="{method}",model="{model}",code="{code}"}} {count}')
            lines.append("# TYPE agegait_request_seconds histogram")
            for (method, model), seconds in sorted(self._seconds.items()):
                labels, total = f'method="{method}",model="{model}"', 0
                for bound in (*_BOUNDS, float("inf")):
                    total += self._buckets[method, model, bound]
                    edge = "+Inf" if bound == float("inf") else bound
                    lines.append(f'agegait_request_seconds_bucket{{{labels},le="{edge}"}} {total}')
                lines.append(f"agegait_request_seconds_sum{{{labels}}} {seconds:.6f}")
                lines.append(f"agegait_request_seconds_count{{{labels}}} {total}")
            lines += [
                "# TYPE agegait_requests_pending gauge",
                f"agegait_requests_pending {self._pending}",
                "# TYPE agegait_batches_total counter",
                f"agegait_batches_total {self._batches}",
                "# TYPE agegait_batched_requests_total counter",
                f"agegait_batched_requests_total {self._batched}",
            ]
        return "\n".join(lines) + "\n"


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        fields = json.loads(message) if record.name == _log.name else {"message": message}
        return json.dumps({"time": self.formatTime(record), "level": record.levelname, **fields})

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        return datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds")


def log_json(requests: bool) -> None:
    """Writes what the server logs to standard error, a JSON object a line.

    Args:
        requests: Whether each request gets a line, and not only models that come and go.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines())
    server = logging.getLogger("agegait.serving")
    server.addHandler(handler)
    server.setLevel(logging.INFO)
    server.propagate = False
    _log.setLevel(logging.INFO if requests else logging.WARNING)


def serve_page(telemetry: Telemetry, host: str, port: int) -> ThreadingHTTPServer:
    """Serves the counts at `http://host:port/metrics` until `shutdown()`.

    Raises:
        OSError: The address can't be listened on.
    """

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/metrics"
            body = telemetry.page().encode() if found else b""
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    class Pages(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    try:
        server = Pages((host, port), Page)
    except OSError as error:
        raise OSError(f"metrics: can't listen on {host}, port {port}: {error.strerror}") from None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
