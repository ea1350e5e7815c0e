"""TensorFlow Serving's PredictionService and ModelService, as gRPC handlers."""

import contextlib
import hmac
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    predict_pb2,
)
from tensorflow_serving.apis.model_pb2 import ModelSpec

from agegait.serving.messages import PackedResponse
from agegait.serving.server.batcher import Batcher
from agegait.serving.server.catalog import Catalog, Source
from agegait.serving.server.request_checks import read_filter, read_inputs
from agegait.serving.server.servable import Servable
from agegait.serving.server.status_error import StatusError, invalid_argument
from agegait.serving.server.telemetry import Call, Telemetry
from agegait.serving.tensors import encode

PREDICTION_SERVICE = "tensorflow.serving.PredictionService"
MODEL_SERVICE = "tensorflow.serving.ModelService"

_MAX_MESSAGE = 1000  # Status details travel in HTTP headers, which are bounded.
_UNREAD = 4  # Answers that callers have yet to read, as a multiple of requests in hand: each takes memory.
_SIGNATURE_DEF = "signature_def"


class Services:
    """Answers the requests.

    Args:
        catalog: The models.
        batcher: What runs them.
        telemetry: What counts them.
        max_pending: Most Predict requests in hand at once; more are refused. So are all while four times as many
            answers wait to be read.
        max_elements: Most elements that a tensor may claim to have.
        authorization: The `authorization` header that callers must send, if any.
        allow_reload: Whether HandleReloadConfigRequest is answered: a SavedModel is code.
    """

    def __init__(
        self,
        catalog: Catalog,
        batcher: Batcher,
        telemetry: Telemetry,
        max_pending: int,
        max_elements: int,
        authorization: str | None = None,
        allow_reload: bool = False,
    ) -> None:
        self._catalog = catalog
        self._batcher = batcher
        self._telemetry = telemetry
        self._max_pending = max_pending
        self._max_elements = max_elements
        self._in_hand = 0
        self._unsent = 0
        self._closed = False
        self._changed = threading.Condition()
        self._authorization = authorization
        self._allow_reload = allow_reload

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        """The handlers for `grpc.Server.add_generic_rpc_handlers`; what is not among them is UNIMPLEMENTED."""
        services: dict[str, dict[str, Callable[[bytes, Call], Message]]] = {
            PREDICTION_SERVICE: {"Predict": self.predict, "GetModelMetadata": self.metadata},
            MODEL_SERVICE: {"GetModelStatus": self.status, "HandleReloadConfigRequest": self.reload},
        }
        return [
            grpc.method_handlers_generic_handler(
                service, {method: self._handler(method, answer) for method, answer in methods.items()}
            )
            for service, methods in services.items()
        ]

    def close(self) -> None:
        """Refuses Predict requests from now on."""
        with self._changed:
            self._closed = True

    def wait_idle(self, seconds: float) -> bool:
        """Waits until every Predict request is answered and its answer sent, so long at most; whether they all are."""
        with self._changed:
            return self._changed.wait_for(lambda: self._unsent == 0, seconds)

    def predict(self, raw: bytes, call: Call) -> Message:
        """Runs a signature of a model."""
        with self._admitted(call):
            request = _parse(predict_pb2.PredictRequest, raw)
            servable = self._servable(request, call)
            signature = servable.signature(request.model_spec.signature_name)
            names = read_filter(signature, request.output_filter)
            inputs = read_inputs(signature, request.inputs, self._max_elements)
            # Of a call without a deadline, gRPC says that more seconds remain than a thread can wait.
            remaining = min(call.context.time_remaining() or 0.0, threading.TIMEOUT_MAX)
            deadline = time.monotonic() + remaining
            future = self._batcher.submit(signature, inputs, deadline)
            if not call.context.add_callback(future.cancel):
                future.cancel()
            try:
                outputs = future.result(remaining)
            except (TimeoutError, CancelledError):
                future.cancel()
                if time.monotonic() >= deadline:
                    raise StatusError(grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline passed") from None
                raise StatusError(grpc.StatusCode.CANCELLED, "the caller went away") from None
            response = PackedResponse()
            response.model_spec.ParseFromString(_spec(servable, signature.name).SerializeToString())
            for name in names:
                encode(outputs[name], response.outputs[name])
            return response

    def metadata(self, raw: bytes, call: Call) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """The signatures of a model."""
        request = _parse(get_model_metadata_pb2.GetModelMetadataRequest, raw)
        if not request.metadata_field:
            raise invalid_argument("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != _SIGNATURE_DEF:
                raise invalid_argument(f"Metadata field {field} is not supported")
        servable = self._servable(request, call)
        signatures = get_model_metadata_pb2.SignatureDefMap(signature_def=servable.signature_defs)
        response = get_model_metadata_pb2.GetModelMetadataResponse(model_spec=_spec(servable))
        response.metadata[_SIGNATURE_DEF].Pack(signatures)
        return response

    def status(self, raw: bytes, call: Call) -> get_model_status_pb2.GetModelStatusResponse:
        """How the versions of a model fare."""
        request = _parse(get_model_status_pb2.GetModelStatusRequest, raw)
        _require_spec(request)
        response = get_model_status_pb2.GetModelStatusResponse()
        for number, version in self._catalog.status(request.model_spec).items():
            status = response.model_version_status.add(version=number, state=int(version.state))
            status.status.error_code = grpc.StatusCode.UNKNOWN.value[0] if version.error else 0
            status.status.error_message = version.error
        return response

    def reload(self, raw: bytes, call: Call) -> model_management_pb2.ReloadConfigResponse:
        """Serves other models from now on; returns when they are loaded."""
        if not self._allow_reload:
            raise StatusError(grpc.StatusCode.UNIMPLEMENTED, "HandleReloadConfigRequest is off: a SavedModel is code")
        request = _parse(model_management_pb2.ReloadConfigRequest, raw)
        self._catalog.replace(_sources(request.config))
        response = model_management_pb2.ReloadConfigResponse()
        if not self._catalog.ready:
            response.status.error_code = grpc.StatusCode.UNKNOWN.value[0]
            response.status.error_message = "not every model has a version that loads, see GetModelStatus"
        return response

    def _servable(self, request: Any, call: Call) -> Servable:
        _require_spec(request)
        servable = self._catalog.get(request.model_spec)
        call.model, call.version = servable.name, servable.version
        return servable

    @contextlib.contextmanager
    def _admitted(self, call: Call) -> Iterator[None]:
        with self._changed:
            if self._closed:
                raise StatusError(grpc.StatusCode.UNAVAILABLE, "the server is shutting down")
            if self._in_hand == self._max_pending:
                raise StatusError(
                    grpc.StatusCode.RESOURCE_EXHAUSTED, f"the queue is full: {self._max_pending} requests are in hand"
                )
            if self._unsent >= _UNREAD * self._max_pending:
                raise StatusError(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many answers wait for their callers")
            self._in_hand += 1
            self._unsent += 1
        if not call.context.add_callback(self._sent):
            self._sent()
        try:
            yield
        finally:
            with self._changed:
                self._in_hand -= 1

    def _sent(self) -> None:
        with self._changed:
            self._unsent -= 1
            self._changed.notify_all()

    def _handler(self, method: str, answer: Callable[[bytes, Call], Message]) -> grpc.RpcMethodHandler:
        def guarded(raw: bytes, context: grpc.ServicerContext) -> Message:
            call = Call(method, context)
            try:
                with self._telemetry.observed(call):
                    self._authorize(context)
                    return answer(raw, call)
            except StatusError as error:
                code, message = error.code, error.message[:_MAX_MESSAGE]
            except Exception:  # Nothing of what went wrong in here is the caller's to see.
                code, message = grpc.StatusCode.INTERNAL, "internal error"
            context.abort(code, message)

        return grpc.unary_unary_rpc_method_handler(
            guarded, response_serializer=lambda message: message.SerializeToString()
        )

    def _authorize(self, context: grpc.ServicerContext) -> None:
        if self._authorization is None:
            return
        sent = dict(context.invocation_metadata()).get("authorization", "")
        if not hmac.compare_digest(str(sent).encode(), self._authorization.encode()):
            raise StatusError(grpc.StatusCode.UNAUTHENTICATED, "expected authorization: Bearer <token>")


def _parse(kind: Any, raw: bytes) -> Any:
    try:
        return kind.FromString(raw)
    except DecodeError:
        raise invalid_argument(f"the request is no {kind.DESCRIPTOR.name}") from None


def _require_spec(request: Any) -> None:
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")


def _spec(servable: Servable, signature: str = "") -> ModelSpec:
    spec = ModelSpec(name=servable.name, signature_name=signature)
    spec.version.value = servable.version
    return spec


def _sources(config: Any) -> dict[str, Source]:
    """The models that a ModelServerConfig names."""
    models = config.model_config_list.config
    if not models:
        raise invalid_argument("config: expected a model_config_list with at least one model")
    if len({model.name for model in models}) < len(models):
        raise invalid_argument("config: expected each model once")
    return {model.name: _source(model) for model in models}


def _source(model: Any) -> Source:
    folder = Path(model.base_path)
    if not model.name or not folder.is_absolute() or not folder.is_dir():
        raise invalid_argument(f"model {model.name!r}: expected a name and a base_path that is an absolute folder")
    if model.model_platform not in ("", "tensorflow"):
        raise invalid_argument(
            f"model {model.name!r}: expected the platform tensorflow, received {model.model_platform}"
        )
    policy, labels = model.model_version_policy, dict(model.version_labels)
    match policy.WhichOneof("policy_choice"):
        case "all":
            return Source(folder, newest=None, labels=labels)
        case "specific":
            return Source(folder, versions=frozenset(policy.specific.versions), labels=labels)
        case _:
            return Source(folder, newest=policy.latest.num_versions or 1, labels=labels)
