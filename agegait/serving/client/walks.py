"""Walks as requests, and what answers become: what both clients share."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import grpc
import numpy as np

from agegait.recordings.frame_rates import FrameRates, rates_of
from agegait.serving.client.client_errors import InvalidRequestError
from agegait.serving.tensors import encode
from agegait.serving.wire_pb2 import (
    GetModelMetadataRequest,
    GetModelStatusRequest,
    HealthCheckRequest,
    PredictRequest,
)

MAX_WALKS = 64
"""Most walks that are sent at once."""

MAX_VALUES = 1 << 21
"""Most coordinates that walks are joined to, padding included: half of what our server takes by default."""

Walks = np.ndarray | Sequence[np.ndarray]

_RESAMPLED = "resampled"
"""The signature of walks that say their frame rates."""


class Identification(NamedTuple):
    """Who a walk's person is taken to be.

    Attributes:
        person: The name; None where the walk shows no body.
        score: Its probability, 0..1; 0 where there is no name.
        logits: `[N]`, the recognizer's, in the order of its labels; None where the server keeps them to itself.
        probabilities: `[N]`, their softmax, or None.
        fault: Why the walk shows no body, in the server's words; empty where it shows one, or the server does not say.
    """

    person: str | None
    score: float
    logits: np.ndarray | None
    probabilities: np.ndarray | None
    fault: str = ""


class Embedding(NamedTuple):
    """What an embedder makes of a walk.

    Attributes:
        vector: `[D]` of unit length: inner products of such vectors are cosines. None where the walk shows no body.
        fault: Why the walk shows no body, in the server's words; empty where it shows one.
    """

    vector: np.ndarray | None
    fault: str = ""


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


def walk_requests(skeletons: Walks, model: str, frame_rate: FrameRates = None) -> Iterator[tuple[Any, int]]:
    """Predict requests for a walk `[T, J, 3]`, walks `[B, T, J, 3]` or a sequence of walks of any lengths.

    Returns:
        The requests, each with the number of its walks.

    Raises:
        ValueError: No walk, one of another shape, walks of different joints, NaN or infinity; a frame rate that is
            none, or another number of them than walks.
    """
    walks = _walks(skeletons)
    together = _together(walks, rates_of(frame_rate, len(walks)))
    return ((_walk_request(group, rates, model), len(group)) for group, rates in together)


def without_rates(request: Any, error: InvalidRequestError) -> InvalidRequestError:
    """What to raise where a server refused walks that say their frame rates, since its model has no such signature."""
    if request.model_spec.signature_name != _RESAMPLED or error.status != grpc.StatusCode.FAILED_PRECONDITION:
        return error
    return InvalidRequestError(
        error.status,
        f"frame_rate: expected none, as the model {request.model_spec.name} does not know the one that it was trained "
        f"at, received one: {error.details}",
    )


def encode_request(windows: np.ndarray, model: str) -> tuple[Any, tuple[int, ...]]:
    """A Predict request for windows `[B, f, J, 3]`, or one window `[f, J, 3]`.

    Returns:
        The request and the windows' shape.

    Raises:
        ValueError: Another shape, NaN or infinity.
    """
    windows = floats("windows", windows)
    if windows.ndim not in (3, 4) or windows.shape[-1] != 3 or not np.isfinite(windows).all():
        raise ValueError(
            f"windows: expected finite windows [B, f, J, 3] or one window [f, J, 3], received {list(windows.shape)}."
        )
    windows = windows if windows.ndim == 4 else windows[None]
    return predict_request(model, "", skeletons=windows), windows.shape


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


def _together(
    walks: list[np.ndarray], rates: list[float | None]
) -> Iterator[tuple[list[np.ndarray], list[float | None]]]:
    """Walks in order, and their frame rates, as many at once as may be sent: those that say theirs, or the others."""
    group: list[np.ndarray] = []
    own: list[float | None] = []
    for walk, rate in zip(walks, rates, strict=True):
        longer = max(len(one) for one in (*group, walk))
        full = len(group) == MAX_WALKS or (len(group) + 1) * longer * walk[0].size > MAX_VALUES
        if group and (full or (rate is None) != (own[0] is None)):
            yield group, own
            group, own = [], []
        group.append(walk)
        own.append(rate)
    yield group, own


def _walk_request(walks: list[np.ndarray], rates: list[float | None], model: str) -> Any:
    lengths = np.array([len(walk) for walk in walks], np.int32)
    if rates[0] is None and len(set(lengths)) == 1:
        return predict_request(model, "", skeletons=np.stack(walks))
    padded = np.zeros((len(walks), max(lengths), *walks[0].shape[1:]), np.float32)
    for row, walk in zip(padded, walks, strict=True):
        row[: len(walk)] = walk
    if rates[0] is None:
        return predict_request(model, "padded", skeletons=padded, lengths=lengths)
    return predict_request(model, _RESAMPLED, skeletons=padded, lengths=lengths, frame_rate=np.array(rates, np.float32))


def predict_request(model: str, signature: str, **inputs: np.ndarray) -> Any:
    """A Predict request for a signature, the empty one being `serving_default`."""
    request = PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, array in inputs.items():
        encode(array, request.inputs[name])
    return request
