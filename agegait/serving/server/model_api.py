import threading
import time
from typing import Any

import grpc
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, model_management_pb2, predict_pb2
from tensorflow_serving.apis.model_pb2 import ModelSpec

from agegait.serving.server.admission import Admission
from agegait.serving.server.answer_policy import AnswerPolicy
from agegait.serving.server.batched_run import run_batched
from agegait.serving.server.batcher import Batcher
from agegait.serving.server.call import Call
from agegait.serving.server.catalog import Catalog
from agegait.serving.server.limits import Limits
from agegait.serving.server.model_config import model_sources
from agegait.serving.server.request_checks import check_cost, read_filter, read_inputs
from agegait.serving.server.servable import Servable, Signature
from agegait.serving.server.status_error import StatusError, invalid_argument
from agegait.serving.tensors import encode
from agegait.serving.wire_pb2 import PackedResponse

_SIGNATURE_DEF = "signature_def"


class ModelApi:
    """TensorFlow Serving's interface to the models, for each transport.

    Args:
        catalog: The models.
        batcher: What runs them.
        limits: What requests may take.
        answers: What answers may hold.
        allow_reload: Whether other models may be requested: a SavedModel is code.
    """

    def __init__(
        self,
        catalog: Catalog,
        batcher: Batcher,
        limits: Limits,
        answers: AnswerPolicy,
        allow_reload: bool = False,
    ) -> None:
        self._catalog = catalog
        self._batcher = batcher
        self._limits = limits
        self._answers = answers
        self._allow_reload = allow_reload
        self._admission = Admission(limits.max_pending)

    @property
    def in_hand(self) -> int:
        """Predict requests that are worked on, or wait for it."""
        return self._admission.in_hand

    def close(self) -> None:
        """Refuses Predict requests from now on."""
        self._admission.close()

    def wait_idle(self, seconds: float) -> bool:
        """Waits until every Predict request is answered and its answer sent, so long at most; whether they all are."""
        return self._admission.wait_idle(seconds)

    def predict(self, request: predict_pb2.PredictRequest, call: Call) -> Any:
        """Runs a signature of a model.

        Args:
            request: The request.
            call: Who asks, and until when; its memory grows with what the request takes.

        Returns:
            A message on the wire as `PredictResponse`.

        Raises:
            StatusError: With the status that TensorFlow Serving has for what is wrong.
        """
        with self._admission.admitted(call):
            servable = self._servable(request, call)
            signature = self._signature(servable, request.model_spec.signature_name)
            names = read_filter(self._answers.told(signature.outputs), request.output_filter)
            cost = check_cost(signature, request.inputs, call.request_bytes, self._limits)
            call.memory.resize(cost.bytes + call.parsed_bytes)
            inputs = read_inputs(signature, request.inputs, self._limits.max_elements)
            outputs = run_batched(self._batcher, signature, inputs, call)
            response = PackedResponse()
            response.model_spec.ParseFromString(_spec(servable, signature.name).SerializeToString())
            for name in names:
                encode(self._answers.rounded(name, outputs[name]), response.outputs[name])
            return response

    def signature(self, spec: ModelSpec, call: Call) -> Signature:
        """The signature that a ModelSpec asks for; raises as `predict`."""
        servable = self._catalog.get(spec)
        call.model, call.version = servable.name, servable.version
        return self._signature(servable, spec.signature_name)

    def metadata(
        self, request: get_model_metadata_pb2.GetModelMetadataRequest, call: Call
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """The signatures of a model; raises as `predict`."""
        if not request.metadata_field:
            raise invalid_argument("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != _SIGNATURE_DEF:
                raise invalid_argument(f"Metadata field {field} is not supported")
        servable = self._servable(request, call)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, signature in servable.signature_defs.items():
            if told := self._answers.told(signature.outputs):
                signatures.signature_def[name].CopyFrom(signature)
                for output in set(signature.outputs) - set(told):
                    del signatures.signature_def[name].outputs[output]
        response = get_model_metadata_pb2.GetModelMetadataResponse(model_spec=_spec(servable))
        response.metadata[_SIGNATURE_DEF].Pack(signatures)
        return response

    def status(
        self, request: get_model_status_pb2.GetModelStatusRequest, call: Call
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """How the versions of a model fare; raises as `predict`."""
        _require_spec(request)
        response = get_model_status_pb2.GetModelStatusResponse()
        for number, version in self._catalog.status(request.model_spec).items():
            status = response.model_version_status.add(version=number, state=int(version.state))
            status.status.error_code = grpc.StatusCode.UNKNOWN.value[0] if version.error else 0
            status.status.error_message = version.error
        return response

    def reload(
        self, request: model_management_pb2.ReloadConfigRequest, call: Call
    ) -> model_management_pb2.ReloadConfigResponse:
        """Serves other models from now on, or the same ones where those do not load. Raises as `predict`.

        Of a caller who went away, nothing is changed.
        """
        if not self._allow_reload:
            raise StatusError(grpc.StatusCode.UNIMPLEMENTED, "HandleReloadConfigRequest is off: a SavedModel is code")
        try:
            sources = model_sources(request.config)
        except ValueError as error:
            raise invalid_argument(str(error)) from None
        left = threading.Event()
        if not call.add_done_callback(left.set):
            left.set()

        def wanted() -> bool:
            if time.monotonic() >= call.deadline:
                raise StatusError(grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline passed, nothing was changed")
            return not left.is_set()

        self._catalog.replace(sources, wanted)
        return model_management_pb2.ReloadConfigResponse()

    def _servable(self, request: Any, call: Call) -> Servable:
        _require_spec(request)
        servable = self._catalog.get(request.model_spec)
        call.model, call.version = servable.name, servable.version
        return servable

    def _signature(self, servable: Servable, name: str) -> Signature:
        signature = servable.signature(name)
        if not self._answers.told(signature.outputs):
            raise StatusError(
                grpc.StatusCode.FAILED_PRECONDITION,
                f'Serving signature key "{signature.name}" not found: this server tells the best person alone.',
            )
        return signature


def _require_spec(request: Any) -> None:
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")


def _spec(servable: Servable, signature: str = "") -> ModelSpec:
    spec = ModelSpec(name=servable.name, signature_name=signature)
    spec.version.value = servable.version
    return spec
