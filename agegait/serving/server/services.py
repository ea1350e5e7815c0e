"""TensorFlow Serving's PredictionService and ModelService, as gRPC handlers."""

import math
import threading
import time
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    predict_pb2,
)

from agegait.serving.server.call import Call
from agegait.serving.server.call_gate import CALLER
from agegait.serving.server.memory_budget import MemoryBudget
from agegait.serving.server.message_fields import FIELD_BYTES, count_fields
from agegait.serving.server.model_api import ModelApi
from agegait.serving.server.request_ids import REQUEST_ID, request_id
from agegait.serving.server.status_error import StatusError, invalid_argument
from agegait.serving.server.telemetry import Telemetry

PREDICTION_SERVICE = "tensorflow.serving.PredictionService"
MODEL_SERVICE = "tensorflow.serving.ModelService"

_MAX_DETAILS = 1000  # Bytes. Status details travel in HTTP headers, which are bounded.


class Services:
    """Answers gRPC calls by a `ModelApi`, and those of further services.

    Args:
        api: What answers.
        telemetry: What counts and logs.
        budget: The memory of all requests.
    """

    def __init__(self, api: ModelApi, telemetry: Telemetry, budget: MemoryBudget) -> None:
        self._api = api
        self._telemetry = telemetry
        self._budget = budget

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        """The handlers for `grpc.Server.add_generic_rpc_handlers`; what is not among them is UNIMPLEMENTED."""
        api = self._api
        services: dict[str, dict[str, tuple[Any, Callable[..., Message]]]] = {
            PREDICTION_SERVICE: {
                "Predict": (predict_pb2.PredictRequest, api.predict),
                "GetModelMetadata": (get_model_metadata_pb2.GetModelMetadataRequest, api.metadata),
            },
            MODEL_SERVICE: {
                "GetModelStatus": (get_model_status_pb2.GetModelStatusRequest, api.status),
                "HandleReloadConfigRequest": (model_management_pb2.ReloadConfigRequest, api.reload),
            },
        }
        return [
            grpc.method_handlers_generic_handler(
                service, {method: self.handler(method, *answer) for method, answer in methods.items()}
            )
            for service, methods in services.items()
        ]

    def handler(
        self,
        method: str,
        kind: Any,
        answer: Callable[..., Message],
        actor: Callable[[grpc.ServicerContext], str] = lambda context: "",
    ) -> grpc.RpcMethodHandler:
        """The handler of a method with one message and one answer.

        Args:
            method: Its name.
            kind: The message's class.
            answer: Makes the answer of a message and its `Call`.
            actor: Who calls, for a gallery's audit trail.
        """

        def guarded(raw: bytes, context: grpc.ServicerContext) -> bytes:
            call = self.call(method, raw, context, context.add_callback)
            call.actor = actor(context)
            try:
                return self.answered(call, raw, kind, answer)
            except StatusError as error:
                return context.abort(error.code, error.message)

        return grpc.unary_unary_rpc_method_handler(guarded)

    def answered(self, call: Call, raw: bytes, kind: Any, answer: Callable[..., Message]) -> bytes:
        """The answer to a message.

        Raises:
            StatusError: With words that fit into a status.
        """
        try:
            with self._telemetry.observed(call):
                call.parsed_bytes = FIELD_BYTES * count_fields(raw, kind)
                call.memory.resize(len(raw) + call.parsed_bytes)
                answered = answer(_parse(kind, raw), call).SerializeToString()
                call.answer_bytes = len(answered)
                call.memory.resize(len(answered))
                return answered
        except StatusError as error:
            message = error.message.encode()[:_MAX_DETAILS].decode(errors="ignore")
            raise StatusError(error.code, message) from None
        except Exception:  # Nothing of what went wrong in here is the caller's to see.
            raise StatusError(grpc.StatusCode.INTERNAL, "internal error") from None
        finally:
            call.memory.handled()

    def call(
        self,
        method: str,
        raw: bytes,
        context: grpc.ServicerContext,
        add_done_callback: Callable[[Callable[[], object]], bool],
    ) -> Call:
        """The call of a message.

        Args:
            method: The method's name.
            raw: The message.
            context: gRPC's.
            add_done_callback: Takes a function to call once the answer has left or the caller has.
        """
        remaining = context.time_remaining()
        number = request_id(dict(context.invocation_metadata()).get(REQUEST_ID))
        context.set_trailing_metadata(((REQUEST_ID, number),))
        call = Call(
            method,
            peer=context.peer(),
            request_id=number,
            caller=CALLER.get(),
            deadline=math.inf if remaining is None else time.monotonic() + min(remaining, threading.TIMEOUT_MAX),
            memory=self._budget.open(),
            request_bytes=len(raw),
            add_done_callback=add_done_callback,
        )
        if not add_done_callback(call.memory.sent):
            call.memory.sent()
        return call


def _parse(kind: Any, raw: bytes) -> Any:
    try:
        return kind.FromString(raw)
    except DecodeError:
        raise invalid_argument(f"the request is no {kind.DESCRIPTOR.name}") from None
