import logging
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.reflection import SERVICE_NAME, enable_server_reflection
from tensorflow_serving.apis import model_service_pb2, prediction_service_pb2

from agegait.serving.credentials import bearer
from agegait.serving.server.batcher import Batcher
from agegait.serving.server.call_limits import CallLimits
from agegait.serving.server.catalog import Catalog, Source, version_folders
from agegait.serving.server.services import MODEL_SERVICE, PREDICTION_SERVICE, Services
from agegait.serving.server.telemetry import Telemetry, serve_page
from agegait.serving.server.tls import server_credentials

# For what is no Predict request in hand: health checks, refusals, and messages that are slow to come. They cost little
# while they wait.
_SPARE_THREADS = 256
_DEAD_PEER_SECONDS = 60
_GOODBYE_SECONDS = 1.0

LIVE = "live"
"""The health service's name for the server itself: SERVING while it runs, whatever its models do."""

_log = logging.getLogger("agegait.serving")


class Server:
    """Answers for exported models over gRPC, compatible with TensorFlow Serving.

    Services: `tensorflow.serving.PredictionService` (Predict, GetModelMetadata), `tensorflow.serving.ModelService`
    (GetModelStatus, and HandleReloadConfigRequest where asked for) and `grpc.health.v1.Health`, which says SERVING once
    every model is loaded and warm, and of the service `live` from the start. New version folders are picked up as they
    appear. Skeletons and features are biometric data: nothing of them is logged. A JSON line a request goes to the
    logger `agegait.serving.requests`.

    Args:
        folder: What `agegait.export.save` wrote: `folder/<model>/<version>/`; or one model's `<version>/` folders.
        host: Address to listen on; other machines reach `0.0.0.0` or `[::]`.
        port: Port to listen on; 0 takes a free one.
        tls_cert: PEM file of the certificate chain. With `tls_key`, callers must use TLS. Renewed files are taken up.
        tls_key: PEM file of its private key.
        tls_client_ca: PEM file of the authorities of callers' certificates; callers must then have one.
        token: What callers must send as `authorization: Bearer <token>`, health checks excepted. Without TLS it
            travels in the clear.
        max_message_bytes: Largest request that is read, 32 MiB; larger ones get RESOURCE_EXHAUSTED.
        max_elements: Most elements that a tensor may claim to have, 4 Mi: at 20 joints 69,905 frames.
        max_pending: Most Predict requests in hand at once; more get RESOURCE_EXHAUSTED at once.
        max_batch: Most rows that requests of equal shape are joined to while they wait; 1 joins none.
        batch_wait: Seconds that a request waits for others to join it, even if nothing else runs.
        workers: Batches that run at the same time.
        poll_seconds: How often version folders are looked at.
        request_seconds: How long a call may take in all, from its first byte to the last of its answer; then it is
            ended, so that callers who send or read nothing hold nothing for long.
        drain_seconds: How long requests in flight may take to finish at the end.
        allow_reload: Whether HandleReloadConfigRequest is answered; whoever may call it may run code here.
        metrics_port: Port of a page of counts for Prometheus, `/metrics` over plain HTTP, no token asked; absent,
            there is none. 0 takes a free one.
        reflection: Whether it tells what it offers, for grpcurl and its like; no token asked.

    Raises:
        ValueError: No models in `folder`, a port or limit that makes no sense, TLS files that are missing, do not
            belong together or are only half named, or a token that no header can carry.

    Example:
        >>> with agegait.serving.Server("exported", port=0) as server:
        ...     agegait.serving.Client(f"127.0.0.1:{server.port}").identify(walk)
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        host: str = "127.0.0.1",
        port: int = 8500,
        *,
        tls_cert: str | os.PathLike | None = None,
        tls_key: str | os.PathLike | None = None,
        tls_client_ca: str | os.PathLike | None = None,
        token: str | None = None,
        max_message_bytes: int = 32 << 20,
        max_elements: int = 4 << 20,
        max_pending: int = 64,
        max_batch: int = 64,
        batch_wait: float = 0.0,
        workers: int = 2,
        poll_seconds: float = 1.0,
        request_seconds: float = 120.0,
        drain_seconds: float = 30.0,
        allow_reload: bool = False,
        metrics_port: int | None = None,
        reflection: bool = False,
    ) -> None:
        _require_ports(port=port, metrics_port=metrics_port)
        _require_seconds("above", poll_seconds=poll_seconds, request_seconds=request_seconds)
        _require_seconds("at least", batch_wait=batch_wait, drain_seconds=drain_seconds)
        _require_positive(
            max_message_bytes=max_message_bytes,
            max_elements=max_elements,
            max_pending=max_pending,
            max_batch=max_batch,
            workers=workers,
        )
        self._host = host
        self._port = port
        authorization = None if token is None else bearer(token)
        self._credentials = server_credentials(tls_cert, tls_key, tls_client_ca)
        self._poll_seconds = poll_seconds
        self._drain_seconds = drain_seconds
        self._metrics_port = metrics_port
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None
        self._page: ThreadingHTTPServer | None = None
        self._telemetry = Telemetry()
        self._health = health.HealthServicer()
        self._health.set(LIVE, health_pb2.HealthCheckResponse.SERVING)
        self._told: int | None = None
        folder = Path(folder)
        self._catalog = Catalog(models_in(folder), max_elements, self._tell_health, lambda: _discover(folder))
        self._tell_health()
        self._batcher = Batcher(max_batch, batch_wait, workers, self._telemetry.observe_batch)
        self._limits = CallLimits(request_seconds)
        threads = max_pending + _SPARE_THREADS
        self._grpc = grpc.server(
            ThreadPoolExecutor(threads, thread_name_prefix="agegait"),
            interceptors=[self._limits],
            maximum_concurrent_rpcs=threads,
            options=[
                ("grpc.max_receive_message_length", max_message_bytes),
                ("grpc.max_send_message_length", -1),
                ("grpc.max_concurrent_streams", threads),
                ("grpc.keepalive_time_ms", 1000 * _DEAD_PEER_SECONDS),
                ("grpc.http2.max_pings_without_data", 0),
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
                ("grpc.so_reuseport", 0),  # Two servers would share a port and nobody would be told.
            ],
        )
        self._services = Services(
            self._catalog, self._batcher, self._telemetry, max_pending, max_elements, authorization, allow_reload
        )
        self._grpc.add_generic_rpc_handlers(self._services.handlers())
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        if reflection:
            _offer_reflection(self._grpc)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._port

    @property
    def address(self) -> str:
        """Where it listens, `host:port`."""
        return f"[{self._host}]:{self._port}" if ":" in self._host else f"{self._host}:{self._port}"

    @property
    def metrics_port(self) -> int | None:
        """The port of the page of counts, if any."""
        return self._metrics_port

    @property
    def ready(self) -> bool:
        """Whether every model is loaded and warm, and the server not about to stop."""
        return self._catalog.ready and not self._stopping.is_set()

    def start(self) -> Self:
        """Listens, loads the models and returns when they are warm.

        Raises:
            OSError: The address can't be listened on.
            ValueError: No model loads.
        """
        try:
            self._listen()
            self._catalog.refresh()
            self._require_a_model()
        except BaseException:
            self.stop(0)
            raise
        self._watch()
        _log.info("ready on %s", self.address)
        return self

    def stop(self, drain_seconds: float | None = None) -> None:
        """Stops accepting, finishes what is in flight, and stops.

        Args:
            drain_seconds: How long that may take; where absent, as the server was made.
        """
        self._stopping.set()
        self._services.close()
        self._health.enter_graceful_shutdown()
        if self._services.wait_idle(self._drain_seconds if drain_seconds is None else drain_seconds):
            # What is left are answers on their way, and health watchers, who would stay for ever.
            self._grpc.stop(_GOODBYE_SECONDS).wait()
        self._grpc.stop(None).wait()
        self._batcher.close()
        self._limits.close()
        if self._watcher is not None:
            self._watcher.join()
        if self._page is not None:
            self._page.shutdown()
            self._page.server_close()

    def serve_forever(self, announce: Callable[[Self], object] | None = None) -> None:
        """Serves until SIGTERM or SIGINT, then drains and returns.

        Args:
            announce: Called with the server once it is warm.

        Raises:
            OSError: The address can't be listened on.
            ValueError: No model loads.
        """
        signals = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, lambda *_: self._stopping.set()) for number in signals}
        try:
            self.start()
            if announce is not None and not self._stopping.is_set():
                announce(self)
            self._stopping.wait()
        finally:
            self.stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _listen(self) -> None:
        try:
            if self._credentials is None:
                self._port = self._grpc.add_insecure_port(self.address)
            else:
                self._port = self._grpc.add_secure_port(self.address, self._credentials)
        except RuntimeError:
            raise OSError(f"{self.address}: can't listen there; is the port taken?") from None
        if self._metrics_port is not None:
            self._page = serve_page(self._telemetry, self._host, self._metrics_port)
            self._metrics_port = self._page.server_port
        self._grpc.start()

    def _require_a_model(self) -> None:
        broken = {
            f"{name}/{number}": version.error
            for name in self._catalog.names()
            for number, version in self._catalog.versions(name).items()
        }
        if not any(self._catalog.available(name) for name in self._catalog.names()):
            raise ValueError("no model loads: " + "; ".join(f"{name}: {error}" for name, error in broken.items()))

    def _watch(self) -> None:
        def watch() -> None:
            while not self._stopping.wait(self._poll_seconds):
                try:
                    self._catalog.refresh()
                except Exception as error:  # The models that serve keep serving, whatever a look at the disk meets.
                    _log.error("looking for versions failed: %s", type(error).__name__)

        self._watcher = threading.Thread(target=watch, name="agegait-versions", daemon=True)
        self._watcher.start()

    def _tell_health(self) -> None:
        states = health_pb2.HealthCheckResponse
        state = states.SERVING if self._catalog.ready else states.NOT_SERVING
        if state != self._told:  # Whoever watches hears of changes alone.
            self._told = state
            for service in ("", PREDICTION_SERVICE, MODEL_SERVICE):
                self._health.set(service, state)


def _offer_reflection(server: grpc.Server) -> None:
    services = [
        file.services_by_name[name].full_name
        for file, name in (
            (prediction_service_pb2.DESCRIPTOR, "PredictionService"),
            (model_service_pb2.DESCRIPTOR, "ModelService"),
            (health_pb2.DESCRIPTOR, "Health"),
        )
    ]
    enable_server_reflection([*services, SERVICE_NAME], server)


def models_in(folder: Path) -> dict[str, Source]:
    """The models of a folder: `folder/<model>/<version>/`, or `folder` itself if it holds version folders.

    Raises:
        ValueError: There are none.
    """
    if not folder.is_dir():
        raise ValueError(f"folder: expected a folder of exported models, there is none at {folder}.")
    models = _discover(folder)
    if not models:
        raise ValueError(f"folder: expected exported models, <model>/<version>/, found none in {folder}.")
    return models


def _discover(folder: Path) -> dict[str, Source]:
    """The models that are there now; none while the disk is away."""
    try:
        if version_folders(folder):
            return {folder.resolve().name: Source(folder)}
        return {
            child.name: Source(child)
            for child in sorted(folder.iterdir())
            if child.is_dir() and not child.name.startswith(".") and version_folders(child)
        }
    except OSError:
        return {}


def _require_ports(**ports: int | None) -> None:
    for name, port in ports.items():
        if port is not None and not 0 <= port <= 65535:
            raise ValueError(f"{name}: expected 0 to 65535, received {port}.")


def _require_seconds(bound: str, **times: float) -> None:
    for name, seconds in times.items():
        if not 0 <= seconds <= threading.TIMEOUT_MAX or (seconds == 0 and bound == "above"):
            raise ValueError(f"{name}: expected a number of seconds {bound} 0, received {seconds}.")


def _require_positive(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name}: expected at least 1, received {count}.")
