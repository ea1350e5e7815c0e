import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Self

import grpc
from grpc_health.v1 import health_pb2
from starlette.types import ASGIApp

from agegait.serving.server.answer_policy import AnswerPolicy
from agegait.serving.server.argument_checks import require_ports
from agegait.serving.server.batcher import Batcher
from agegait.serving.server.batching import Batching
from agegait.serving.server.call import Call
from agegait.serving.server.call_gate import CallGate
from agegait.serving.server.catalog import Catalog
from agegait.serving.server.gallery_options import GalleryOptions
from agegait.serving.server.gallery_roles import GALLERY_SERVICE, GalleryRoles
from agegait.serving.server.grpc_options import grpc_options, offer_reflection
from agegait.serving.server.health_service import HealthService
from agegait.serving.server.http_limits import HttpLimits
from agegait.serving.server.http_server import HttpServer
from agegait.serving.server.limits import Limits
from agegait.serving.server.memory_budget import MemoryBudget
from agegait.serving.server.model_api import ModelApi
from agegait.serving.server.model_options import ModelOptions
from agegait.serving.server.open_doors import Doors, open_doors
from agegait.serving.server.rest_api import RestApi
from agegait.serving.server.serve_until_signal import serve_until_signal
from agegait.serving.server.services import MODEL_SERVICE, PREDICTION_SERVICE, Services
from agegait.serving.server.sources import find_sources
from agegait.serving.server.telemetry import Telemetry
from agegait.serving.server.tls import server_credentials
from agegait.serving.server.tls_contexts import TlsContexts
from agegait.serving.server.tls_files import TlsFiles
from agegait.serving.server.tokens import Tokens
from agegait.serving.server.tracing import Tracing
from agegait.serving.server.unread_answers import UnreadAnswers

if TYPE_CHECKING:
    from agegait.serving.server.served_gallery import ServedGallery

_GOODBYE_SECONDS = 1.0
_WATCHES = 64
_UNREAD = 2  # Answers that callers have yet to read, as a multiple of requests in hand.

LIVE = "live"
"""The health service's name for the server itself: SERVING while it runs, whatever its models do."""

_States = health_pb2.HealthCheckResponse

_log = logging.getLogger("agegait.serving")


class Server:
    """Answers for exported models over gRPC, and over REST on request, compatible with TensorFlow Serving.

    Services: `tensorflow.serving.PredictionService` (Predict, GetModelMetadata), `tensorflow.serving.ModelService`
    (GetModelStatus, and HandleReloadConfigRequest on request), `agegait.gallery.v1.Gallery` with a gallery, and
    `grpc.health.v1.Health`, which says SERVING once every model is loaded and warm, and of the service `live` from the
    start. New version folders are picked up as they appear. Skeletons and features are biometric data: nothing of them
    is logged. A JSON line a request goes to the logger `agegait.serving.requests`.

    Args:
        models: What it serves: a folder that `agegait.export.save` wrote, or `ModelOptions`.
        host: Address to listen on; other machines reach `0.0.0.0` or `[::]`.
        port: Port to listen on; 0 takes a free one.
        tls: The files of its certificate; callers must then use TLS.
        token: What callers must send as `authorization: Bearer <token>`, health checks excepted. Without TLS it
            travels in the clear.
        token_file: File of the tokens that callers may send, in place of one token: a line each, `name: token`. Changes
            count at once.
        gallery: A gallery to answer for too.
        limits: How much it does and holds at once.
        answers: What answers say of the people whom a model knows.
        batching: How requests that wait are joined.
        rest_port: Port of TensorFlow Serving's REST API, by the same tokens, limits and TLS files; absent, there is
            none. 0 takes a free one.
        metrics_port: Port of a page of counts for Prometheus, `/metrics` over plain HTTP, without a token; absent,
            there is none. 0 takes a free one.
        reflection: Whether it tells what it offers, for grpcurl and its like.
        tracing: Whether calls are traced by OpenTelemetry, as the variables `OTEL_*` say; needs `agegait[tracing]`.

    Attributes:
        warnings: What an operator should know of how the server may be reached, a sentence each; logged at the start.

    Raises:
        ValueError: No models in the folder, a `model_config_file` that can't be understood, a port that makes no sense,
            tokens that no header can carry or that are too short, or a gallery whose roles are missing, or nobody's.

    Example:
        >>> with agegait.serving.Server("exported", port=0) as server:
        ...     agegait.serving.Client(f"127.0.0.1:{server.port}").identify(walk)
    """

    def __init__(
        self,
        models: str | os.PathLike | ModelOptions,
        host: str = "127.0.0.1",
        port: int = 8500,
        *,
        tls: TlsFiles | None = None,
        token: str | None = None,
        token_file: str | os.PathLike | None = None,
        gallery: GalleryOptions | None = None,
        limits: Limits | None = None,
        answers: AnswerPolicy | None = None,
        batching: Batching | None = None,
        rest_port: int | None = None,
        metrics_port: int | None = None,
        reflection: bool = False,
        tracing: bool = False,
    ) -> None:
        require_ports(port=port, rest_port=rest_port, metrics_port=metrics_port)
        self._host, self._port = host, port
        self._models = models if isinstance(models, ModelOptions) else ModelOptions(models)
        self._limits, self._answers = limits or Limits(), answers or AnswerPolicy()
        self._credentials = None if tls is None else server_credentials(tls)
        tokens = Tokens.of_arguments(token, token_file)
        plain = {"metrics_port": metrics_port, "rest_port": rest_port if tls is None else None}
        doors = Doors(host, tls, tokens, self._models.allow_reload, gallery is not None, plain)
        self.warnings = open_doors(doors)
        roles = GalleryRoles() if gallery is None else GalleryRoles.of_argument(gallery.roles, doors.callers_have_names)
        bodies = 0 if rest_port is None else self._limits.rest_bodies()
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None
        self._telemetry = Telemetry()
        self._tracing = Tracing() if tracing else None
        services = ("", PREDICTION_SERVICE, MODEL_SERVICE, *(() if gallery is None else (GALLERY_SERVICE,)))
        states = dict.fromkeys(services, _States.NOT_SERVING)
        self._health = HealthService({**states, LIVE: _States.SERVING}.items(), _WATCHES)
        self._catalog = self._make_catalog()
        self._batcher = Batcher(batching or Batching(), self._telemetry.metrics.batch)
        self._api = ModelApi(self._catalog, self._batcher, self._limits, self._answers, self._models.allow_reload)
        refuse = self._telemetry.metrics.refuse
        unread = UnreadAnswers(
            _UNREAD * self._limits.max_pending, self._limits.request_memory // 2, lambda: refuse("unread_answer")
        )
        self._gate = CallGate(self._limits, _WATCHES, unread, tokens, self._count_refused, refuse, roles.permits)
        self._telemetry.metrics.watch_calls(lambda: self.calls)
        self._grpc = self._make_grpc()
        budget = MemoryBudget(self._limits.request_memory - bodies)
        answering = Services(self._api, self._telemetry, budget)
        self._grpc.add_generic_rpc_handlers([*answering.handlers(), self._health.handler()])
        self._gallery = None if gallery is None else self._serve_gallery(gallery, answering, budget, roles)
        if reflection:
            offer_reflection(self._grpc, gallery is not None)
        self._page = self._rest = None
        if metrics_port is not None:
            self._page = self._http("metrics", self._telemetry.metrics.app(), metrics_port)
        if rest_port is not None:
            rest = RestApi(self._api, self._telemetry, budget, unread, self._limits, bodies, tokens).app()
            app = rest if self._tracing is None else self._tracing.traced(rest)
            self._rest = self._http("rest", app, rest_port, None if tls is None else TlsContexts(tls))

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._port

    @property
    def address(self) -> str:
        """Where it listens, `host:port`."""
        return f"[{self._host}]:{self._port}" if ":" in self._host else f"{self._host}:{self._port}"

    @property
    def calls(self) -> int:
        """Calls under way, but for watches on the health: those with an answer that is not read yet among them."""
        return self._gate.calls

    @property
    def metrics_port(self) -> int | None:
        """The port of the page of counts, if any."""
        return None if self._page is None else self._page.port

    @property
    def rest_port(self) -> int | None:
        """The port of the REST API, if any."""
        return None if self._rest is None else self._rest.port

    @property
    def ready(self) -> bool:
        """Whether every model is loaded and warm, and the server not about to stop."""
        return self._catalog.ready and not self._stopping.is_set()

    def start(self) -> Self:
        """Listens, loads the models and returns when they are warm.

        Raises:
            OSError: The address can't be listened on.
            ValueError: No model loads, or a label names a version that does not serve.
        """
        for warning in self.warnings:
            _log.warning(warning)
        try:
            self._listen()
            self._catalog.refresh()
            self._require_a_model()
            if self._gallery is not None:
                self._gallery.start()
        except BaseException:
            self.stop(0)
            raise
        self._watch()
        _log.info("ready on %s", self.address)
        return self

    def stop(self, drain_seconds: float | None = None) -> None:
        """Stops accepting, finishes what is in flight, and stops; what does not end in time is left behind.

        Args:
            drain_seconds: How long requests in flight may take; where absent, as `limits` has it.
        """
        self._stop(drain_seconds)

    def _stop(self, drain_seconds: float | None = None) -> bool:
        """Whether nothing is left behind."""
        self._stopping.set()
        answering: list[ModelApi | ServedGallery] = [self._api]
        if self._gallery is not None:
            answering.append(self._gallery)
        for api in answering:
            api.close()
        self._health.shut_down()
        end = time.monotonic() + (self._limits.drain_seconds if drain_seconds is None else drain_seconds)
        idle = [api.wait_idle(max(0.0, end - time.monotonic())) for api in answering]
        drained = all(idle)
        if not drained:
            _log.warning("%d requests in flight are cut off", sum(api.in_hand for api in answering))
        # What is left are answers on their way, and health watchers, who would stay for ever.
        ended = self._grpc.stop(_GOODBYE_SECONDS if drained else None)
        ended.wait(_GOODBYE_SECONDS + 1) or self._grpc.stop(None).wait(1)
        for http in (self._rest, self._page):
            if http is not None:
                http.stop(_GOODBYE_SECONDS if drained else 0)
        whole = self._batcher.close(1.0)
        if self._tracing is not None:
            self._tracing.close(_GOODBYE_SECONDS)
        self._gate.close()
        if self._gallery is not None:
            self._gallery.end()
        if self._watcher is not None:
            self._watcher.join(1)
            whole = whole and not self._watcher.is_alive()
        _log.info("stopped" if whole else "stopped, with work left behind")
        return whole

    def serve_forever(self, announce: Callable[[Self], object] | None = None) -> None:
        """Serves until SIGTERM, SIGINT or SIGHUP, then drains and returns.

        A few seconds after the drain was to be over, the process is ended with status 1, whatever still runs.

        Args:
            announce: Called with the server once it is warm.

        Raises:
            OSError: The address can't be listened on.
            ValueError: No model loads.
        """

        def tell() -> None:
            if announce is not None:
                announce(self)

        serve_until_signal(self.start, tell, self._stopping, self._stop, self._limits.drain_seconds)

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
        for http in (self._page, self._rest):
            if http is not None:
                http.start()
        self._grpc.start()

    def _make_catalog(self) -> Catalog:
        sources, discover = find_sources(self._models)
        return Catalog(
            sources,
            self._limits.max_elements,
            self._tell_health,
            discover,
            verify=self._models.verify,
            on_load=self._telemetry.metrics.load,
            any_label=self._models.allow_version_labels_for_unavailable_models,
        )

    def _make_grpc(self) -> grpc.Server:
        return grpc.server(
            ThreadPoolExecutor(1),  # Idle: the gate has threads for all that it lets pass.
            # Inside of the gate, which says in which threads a call is answered.
            interceptors=[self._gate, *([] if self._tracing is None else [self._tracing.interceptor])],
            options=grpc_options(self._limits),
        )

    def _http(self, name: str, app: ASGIApp, port: int, tls: TlsContexts | None = None) -> HttpServer:
        limits = HttpLimits(
            body_seconds=self._limits.message_seconds,
            request_seconds=self._limits.request_seconds,
            idle_seconds=self._limits.idle_seconds,
        )
        http = HttpServer(
            app,
            self._host,
            port,
            argument=name,
            limits=limits,
            tls=tls,
            on_refused=lambda reason: self._telemetry.metrics.refuse(f"{name}_{reason}"),
        )
        self._telemetry.metrics.watch_connections(name, lambda: http.connections)
        return http

    def _serve_gallery(
        self, options: GalleryOptions, services: Services, budget: MemoryBudget, roles: GalleryRoles
    ) -> "ServedGallery":
        from agegait.serving.server.served_gallery import ServedGallery  # what it needs takes its time to load

        served = ServedGallery(
            options,
            self._catalog,
            self._batcher,
            services,
            budget,
            self._limits,
            self._answers,
            roles,
            self._telemetry.metrics.registry,
            lambda up: self._health.set(GALLERY_SERVICE, _States.SERVING if up else _States.NOT_SERVING),
        )
        served.metrics.watch_streams(lambda: len(self._gate.walk_streams))
        self._grpc.add_generic_rpc_handlers([served.handler()])
        return served

    def _require_a_model(self) -> None:
        broken = {
            f"{name}/{number}": version.error
            for name in self._catalog.names()
            for number, version in self._catalog.versions(name).items()
        }
        if not any(self._catalog.available(name) for name in self._catalog.names()):
            raise ValueError("no model loads: " + "; ".join(f"{name}: {error}" for name, error in broken.items()))
        for words in self._catalog.missing_labels():
            raise ValueError(f"model_config_file: {words}.")

    def _watch(self) -> None:
        def watch() -> None:
            while not self._stopping.wait(self._models.poll_seconds):
                try:
                    self._catalog.refresh()
                except Exception as error:  # The models that serve keep serving, whatever a look at the disk meets.
                    _log.error("looking for versions failed: %s", type(error).__name__)

        self._watcher = threading.Thread(target=watch, name="agegait-versions", daemon=True)
        self._watcher.start()

    def _tell_health(self) -> None:
        state = _States.SERVING if self._catalog.ready else _States.NOT_SERVING
        for service in ("", PREDICTION_SERVICE, MODEL_SERVICE):
            self._health.set(service, state)

    def _count_refused(self, method: str, code: grpc.StatusCode) -> None:
        self._telemetry.count(Call(method), code)
