"""OpenTelemetry's traces, where the extra `tracing` is installed; the standard OTEL_* variables say where they go."""

import importlib
import os
import threading
from collections.abc import Callable
from typing import Any

import grpc
from starlette.types import ASGIApp

_ONLY = {
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc",
}
"""Variables of which one value is supported, which is not always the standard's default."""


class Tracing:
    """Traces the server's calls, gRPC's and those over REST; health checks are left out.

    A span has the method, the status, times and the caller's address, and never what was sent or answered. It belongs
    to the caller's trace, where the caller sends `traceparent`.

    Raises:
        ValueError: The extra is not installed, or the variables make no sense.
    """

    def __init__(self) -> None:
        try:
            grpc_spans = importlib.import_module("opentelemetry.instrumentation.grpc")
            filters = importlib.import_module("opentelemetry.instrumentation.grpc.filters")
            asgi_spans = importlib.import_module("opentelemetry.instrumentation.asgi")
            self._provider = _provider()
        except ImportError:
            raise ValueError("tracing: expected the extra `tracing`: pip install 'agegait[tracing]'.") from None
        self.interceptor: grpc.ServerInterceptor = grpc_spans.server_interceptor(
            self._provider, filters.negate(filters.health_check())
        )
        self._middleware: Callable[..., ASGIApp] = asgi_spans.OpenTelemetryMiddleware

    def traced(self, app: ASGIApp) -> ASGIApp:
        """An ASGI application that is traced."""
        return self._middleware(app, tracer_provider=self._provider, exclude_spans=["receive", "send"])

    def close(self, seconds: float) -> None:
        """Sends what is not sent yet, so long at most, and stops."""
        # The exporter tries again for longer, where nobody takes the spans.
        ending = threading.Thread(target=self._provider.shutdown, name="agegait-tracing", daemon=True)
        ending.start()
        ending.join(seconds)


def _provider() -> Any:
    """A provider by the OTEL_* variables, of its own: the program that runs a server may have another."""
    sdk = importlib.import_module("opentelemetry.sdk.trace")
    batches = importlib.import_module("opentelemetry.sdk.trace.export")
    resources = importlib.import_module("opentelemetry.sdk.resources")
    exporters = importlib.import_module("opentelemetry.exporter.otlp.proto.grpc.trace_exporter")
    for variable, only in _ONLY.items():
        if os.environ.get(variable, only) != only:
            raise ValueError(f"tracing: {variable}: expected {only}, received {os.environ[variable]}.")
    named = "OTEL_SERVICE_NAME" in os.environ or "service.name" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    resource = resources.Resource.create({} if named else {"service.name": "agegait"})
    provider = sdk.TracerProvider(resource=resource, shutdown_on_exit=False)
    try:
        provider.add_span_processor(batches.BatchSpanProcessor(exporters.OTLPSpanExporter()))
    except (ValueError, OSError) as error:
        raise ValueError(f"tracing: the OTEL_* variables can't be used: {error}") from None
    return provider
