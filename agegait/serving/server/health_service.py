import threading
from collections import Counter
from collections.abc import Iterable, Iterator

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2

HEALTH_SERVICE = "grpc.health.v1.Health"

_States = health_pb2.HealthCheckResponse
_WATCHES_PER_CONNECTION = 16


class HealthService:
    """`grpc.health.v1.Health`: tells callers, and those who watch, how services fare.

    A watch has a thread of its own and sends outside any lock, so that a peer who reads nothing holds up nobody but
    itself. Watches are bounded, and of names that are not known nothing is kept.

    Args:
        services: The names that are known, and their states at first.
        max_watches: Most watches at once; more get RESOURCE_EXHAUSTED.
    """

    def __init__(self, services: Iterable[tuple[str, int]], max_watches: int = 64) -> None:
        self._states = dict(services)
        self._max_watches = max_watches
        self._watches: Counter[str] = Counter()
        self._shut_down = False
        self._changed = threading.Condition()

    def handler(self) -> grpc.GenericRpcHandler:
        """The handler for `grpc.Server.add_generic_rpc_handlers`."""
        return grpc.method_handlers_generic_handler(
            HEALTH_SERVICE,
            {
                "Check": grpc.unary_unary_rpc_method_handler(self.check, response_serializer=_States.SerializeToString),
                "Watch": grpc.unary_stream_rpc_method_handler(
                    self.watch, response_serializer=_States.SerializeToString
                ),
            },
        )

    def set(self, service: str, state: int) -> None:
        """Says how a service fares from now on."""
        with self._changed:
            if not self._shut_down and self._states[service] != state:
                self._states[service] = state
                self._changed.notify_all()

    def shut_down(self) -> None:
        """Says that nothing serves, for good."""
        with self._changed:
            self._shut_down = True
            self._states = dict.fromkeys(self._states, _States.NOT_SERVING)
            self._changed.notify_all()

    def check(self, raw: bytes, context: grpc.ServicerContext) -> health_pb2.HealthCheckResponse:
        """How a service fares; NOT_FOUND for a name that is not known."""
        service = self._service(raw, context)
        if service is None:
            return context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return _States(status=self._states[service])

    def watch(self, raw: bytes, context: grpc.ServicerContext) -> Iterator[health_pb2.HealthCheckResponse]:
        """How a service fares, and each change; SERVICE_UNKNOWN once for a name that is not known."""
        service = self._service(raw, context)
        del raw
        connection = context.peer()
        with self._changed:
            full = self._watches.total() >= self._max_watches or self._watches[connection] >= _WATCHES_PER_CONNECTION
            if not full:
                self._watches[connection] += 1
        if full:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many watches")
        if context.add_callback(lambda: self._leave(connection)):
            return self._changes(service, context)
        self._leave(connection)
        return iter(())

    def _changes(self, service: str | None, context: grpc.ServicerContext) -> Iterator[health_pb2.HealthCheckResponse]:
        told: int | None = None
        while context.is_active():
            state = _States.SERVICE_UNKNOWN if service is None else self._states[service]
            if state != told:
                told = state
                yield _States(status=state)
                continue
            with self._changed:
                while context.is_active() and (service is None or self._states[service] == told):
                    self._changed.wait()

    def _leave(self, connection: str) -> None:
        with self._changed:
            self._watches[connection] -= 1
            self._watches += Counter()  # Keeps those above zero.
            self._changed.notify_all()

    def _service(self, raw: bytes, context: grpc.ServicerContext) -> str | None:
        """The requested name, if it is known."""
        try:
            service = health_pb2.HealthCheckRequest.FromString(raw).service
        except DecodeError:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the request is no HealthCheckRequest")
        return service if service in self._states else None
