from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from agegait.serving.server.call import Call

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LOAD_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
_BYTES = tuple(float(1 << power) for power in range(8, 28, 2))
_BATCHES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)


class Metrics:
    """What the server counts, in a registry of its own. No label is one that a caller chooses."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = self._counter("requests", "Requests by their status.", "method", "model", "code")
        self._seconds = self._histogram("request_seconds", "Time until the answer.", _SECONDS, "method", "model")
        self._request_bytes = self._histogram("request_bytes", "Sizes of requests.", _BYTES, "method", "model")
        self._answer_bytes = self._histogram("answer_bytes", "Sizes of answers.", _BYTES, "method", "model")
        self._queue = self._histogram("queue_seconds", "Time that requests waited in line.", _SECONDS, "model")
        self.pending = self._gauge("requests_pending", "Requests in hand.")
        self._batches = self._counter("batches", "Batches that were run.")
        self._batched = self._counter("batched_requests", "Requests in these batches.")
        self._batch_requests = self._histogram("batch_requests", "Requests of a batch.", _BATCHES)
        self._rest = self._counter("rest_requests", "Requests over REST by HTTP's status.", "method", "status")
        self._refused = self._counter("refused", "Calls, requests and connections that were refused.", "reason")
        self._loads = self._counter("model_loads", "Versions that were loaded.", "model")
        self._failures = self._counter("model_load_failures", "Versions that did not load.", "model")
        self._load_seconds = self._histogram("model_load_seconds", "Time to load and warm up.", _LOAD_SECONDS, "model")
        self._calls = self._gauge("calls", "gRPC calls that are open.")
        self._connections = self._gauge("http_connections", "HTTP connections.", "port")

    def watch_calls(self, count: Callable[[], float]) -> None:
        """Has the open gRPC calls counted by a function."""
        self._calls.set_function(count)

    def watch_connections(self, port: str, count: Callable[[], float]) -> None:
        """Has the connections of an HTTP port, `rest` or `metrics`, counted by a function."""
        self._connections.labels(port).set_function(count)

    def finish(self, call: Call, code: str, seconds: float) -> None:
        """Counts a request that is over."""
        self._requests.labels(call.method, call.model, code).inc()
        self._seconds.labels(call.method, call.model).observe(seconds)
        self._request_bytes.labels(call.method, call.model).observe(call.request_bytes)
        self._answer_bytes.labels(call.method, call.model).observe(call.answer_bytes)
        if call.queue_seconds is not None:
            self._queue.labels(call.model).observe(call.queue_seconds)

    def finish_rest(self, method: str, status: int) -> None:
        """Counts a request over REST."""
        self._rest.labels(method, str(status)).inc()

    def refuse(self, reason: str) -> None:
        """Counts what was refused."""
        self._refused.labels(reason).inc()

    def batch(self, requests: int) -> None:
        """Counts a batch of joined requests."""
        self._batches.inc()
        self._batched.inc(requests)
        self._batch_requests.observe(requests)

    def load(self, model: str, version: int, seconds: float, loaded: bool) -> None:
        """Counts an attempt to load a version."""
        (self._loads if loaded else self._failures).labels(model).inc()
        self._load_seconds.labels(model).observe(seconds)

    def app(self) -> ASGIApp:
        """The page, as an ASGI application: `/metrics` and nothing else."""

        def page(request: Request) -> Response:
            return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)

        app = Starlette(routes=[Route("/metrics", page, methods=["GET"])])
        app.router.redirect_slashes = False
        return app

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"agegait_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"agegait_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"agegait_{name}", text, labels, buckets=buckets, registry=self.registry)
