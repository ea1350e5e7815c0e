"""Walks as requests, and answers as results: what both clients share."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from agegait.serving.messages import (
    GetModelMetadataRequest,
    GetModelStatusRequest,
    HealthCheckRequest,
    PredictRequest,
    SignatureDefMap,
)
from agegait.serving.tensors import decode, dtype_name, encode

MAX_WALKS = 64
"""Most walks that are sent at once."""

MAX_VALUES = 1 << 21
"""Most coordinates that walks are joined to, padding included: half of what our server takes by default."""

_ANY_SIZE = 1 << 40  # What the server may answer is as large as the channel lets through.
SERVING = 1
"""HealthCheckResponse.ServingStatus of a server that is ready."""

_STATES = {0: "UNKNOWN", 10: "START", 20: "LOADING", 30: "AVAILABLE", 40: "UNLOADING", 50: "END"}

Walks = np.ndarray | Sequence[np.ndarray]


class Identification(NamedTuple):
    """Who a walk's person is taken to be.

    Attributes:
        person: The name.
        score: Its probability, 0..1.
        logits: `[N]`, the recognizer's, in the order of its labels.
        probabilities: `[N]`, their softmax.
    """

    person: str
    score: float
    logits: np.ndarray
    probabilities: np.ndarray


class VersionStatus(NamedTuple):
    """How a version of a model fares; `error` is empty where all is well."""

    version: int
    state: str
    error: str


class TensorInfo(NamedTuple):
    """A tensor of a signature: `float32`, and its shape with -1 where a dimension may be any."""

    dtype: str
    shape: tuple[int, ...]


class SignatureInfo(NamedTuple):
    """What a signature takes and gives, by name."""

    inputs: dict[str, TensorInfo]
    outputs: dict[str, TensorInfo]


def identify_requests(skeletons: Walks, model: str) -> Iterator[Any]:
    """Predict requests for a walk `[T, J, 3]`, walks `[B, T, J, 3]` or a sequence of walks of any lengths.

    Raises:
        ValueError: No walk, one of another shape, walks of different joints, NaN or infinity.
    """
    return (_identify_request(together, model) for together in _together(_walks(skeletons)))


def encode_request(windows: np.ndarray, model: str) -> Any:
    """A Predict request for windows `[B, f, J, 3]`, or one window `[f, J, 3]`.

    Raises:
        ValueError: Another shape, NaN or infinity.
    """
    windows = floats("windows", windows)
    if windows.ndim not in (3, 4) or windows.shape[-1] != 3 or not np.isfinite(windows).all():
        raise ValueError(
            f"windows: expected finite windows [B, f, J, 3] or one window [f, J, 3], received {list(windows.shape)}."
        )
    return predict_request(model, "", skeletons=windows if windows.ndim == 4 else windows[None])


def metadata_request(model: str) -> Any:
    """A GetModelMetadata request for the signatures."""
    request = GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = model
    return request


def status_request(model: str) -> Any:
    """A GetModelStatus request for all versions."""
    request = GetModelStatusRequest()
    request.model_spec.name = model
    return request


def health_request(service: str) -> Any:
    """A health check of a service, the empty name being the server as a whole."""
    return HealthCheckRequest(service=service)


def arrays(response: Any) -> dict[str, np.ndarray]:
    """The outputs of a PredictResponse."""
    return {name: decode(proto, _ANY_SIZE) for name, proto in response.outputs.items()}


def identifications(response: Any) -> list[Identification]:
    """The people of a PredictResponse, a walk each."""
    outputs = arrays(response)
    rows = zip(outputs["person"], outputs["score"], outputs["logits"], outputs["probabilities"], strict=True)
    return [Identification(person.decode(), float(score), *rest) for person, score, *rest in rows]


def version_statuses(response: Any) -> list[VersionStatus]:
    """The versions of a GetModelStatusResponse."""
    return [
        VersionStatus(status.version, _STATES.get(status.state, str(status.state)), status.status.error_message)
        for status in response.model_version_status
    ]


def signature_infos(response: Any) -> dict[str, SignatureInfo]:
    """The signatures of a GetModelMetadataResponse, by name."""
    signatures = SignatureDefMap.FromString(response.metadata["signature_def"].value).signature_def
    return {
        name: SignatureInfo(_tensor_infos(signature.inputs), _tensor_infos(signature.outputs))
        for name, signature in signatures.items()
    }


def _tensor_infos(infos: Any) -> dict[str, TensorInfo]:
    return {
        name: TensorInfo(dtype_name(info.dtype), tuple(dim.size for dim in info.tensor_shape.dim))
        for name, info in infos.items()
    }


def _walks(skeletons: Walks) -> list[np.ndarray]:
    if isinstance(skeletons, np.ndarray) and skeletons.ndim == 3:
        skeletons = skeletons[None]
    walks = [floats("skeletons", walk) for walk in skeletons]
    if not walks:
        raise ValueError("skeletons: expected at least one walk, received none.")
    for number, walk in enumerate(walks):
        if walk.ndim != 3 or walk.shape[1:] != (*walks[0].shape[1:2], 3):
            raise ValueError(
                f"skeletons: expected walks [T, J, 3] of the same joints, received {list(walk.shape)} as walk {number}."
            )
        if not np.isfinite(walk).all():
            raise ValueError(f"skeletons: expected finite coordinates, received NaN or infinity in walk {number}.")
    return walks


def floats(name: str, values: Any) -> np.ndarray:
    """Numbers of any kind as float32.

    Raises:
        ValueError: They are no numbers.
    """
    try:
        with np.errstate(over="ignore"):  # What overflows is infinite then, and refused as such.
            return np.asarray(values, np.float32)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: expected arrays of numbers.") from None


def _together(walks: list[np.ndarray]) -> Iterator[list[np.ndarray]]:
    """Walks in order, as many at once as may be sent."""
    group: list[np.ndarray] = []
    for walk in walks:
        longer = max(len(one) for one in (*group, walk))
        if group and (len(group) == MAX_WALKS or (len(group) + 1) * longer * walk[0].size > MAX_VALUES):
            yield group
            group = []
        group.append(walk)
    yield group


def _identify_request(walks: list[np.ndarray], model: str) -> Any:
    lengths = np.array([len(walk) for walk in walks], np.int32)
    if len(set(lengths)) == 1:
        return predict_request(model, "", skeletons=np.stack(walks))
    padded = np.zeros((len(walks), max(lengths), *walks[0].shape[1:]), np.float32)
    for row, walk in zip(padded, walks, strict=True):
        row[: len(walk)] = walk
    return predict_request(model, "padded", skeletons=padded, lengths=lengths)


def predict_request(model: str, signature: str, **inputs: np.ndarray) -> Any:
    """A Predict request for a signature, the empty one being `serving_default`."""
    request = PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, array in inputs.items():
        encode(array, request.inputs[name])
    return request
