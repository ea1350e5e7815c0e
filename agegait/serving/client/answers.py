"""Answers as results, compared with the request: a server may be broken, or not the expected one."""

from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from agegait.serving.client.client_errors import BadAnswerError
from agegait.serving.client.walks import Embedding, Identification, SignatureInfo, TensorInfo, VersionStatus
from agegait.serving.tensors import KINDS, decode, dtype_name
from agegait.serving.wire_pb2 import SignatureDefMap

SERVING = 1
"""HealthCheckResponse.ServingStatus of a server that is ready."""

_STATES = {0: "UNKNOWN", 10: "START", 20: "LOADING", 30: "AVAILABLE", 40: "UNLOADING", 50: "END"}


def parse(message: Any, raw: bytes) -> Any:
    """A message from its bytes.

    Raises:
        BadAnswerError: They are no such message.
    """
    try:
        return message.FromString(raw)
    except DecodeError:
        raise BadAnswerError(f"the answer is no {message.DESCRIPTOR.name}") from None


def arrays(response: Any, max_bytes: int) -> dict[str, np.ndarray]:
    """The outputs of a PredictResponse.

    Args:
        response: The PredictResponse.
        max_bytes: How large all of them may be together: a tensor may claim to be more than was sent.

    Raises:
        BadAnswerError: A tensor that can't be read, or claims too much.
    """
    found = {}
    for name, proto in response.outputs.items():
        size = KINDS[proto.dtype].dtype.itemsize if proto.dtype in KINDS else 1
        try:
            found[name] = decode(proto, max_bytes // size)
        except ValueError as error:
            raise BadAnswerError(f"output {name}: {error}") from None
        max_bytes -= found[name].nbytes
    return found


def output(outputs: dict[str, np.ndarray], name: str, kind: type[Any], *shape: int | None) -> np.ndarray:
    """An output as it has to be.

    Args:
        outputs: The outputs.
        name: Its name.
        kind: Its kind of numbers, which must be finite; `np.object_` for strings.
        shape: Its shape, None where any size will do.

    Raises:
        BadAnswerError: It is absent, of another kind or shape, or not finite.
    """
    if name not in outputs:
        raise BadAnswerError(f"output {name}: expected, there are {', '.join(sorted(outputs)) or 'none'}")
    array = outputs[name]
    fits = len(array.shape) == len(shape) and all(
        expected in (None, size) for expected, size in zip(shape, array.shape, strict=True)
    )
    if not fits or not np.issubdtype(array.dtype, kind):
        expected = ", ".join("any" if size is None else str(size) for size in shape)
        raise BadAnswerError(
            f"output {name}: expected {kind.__name__.rstrip('_')} [{expected}], received {array.dtype} "
            f"{list(array.shape)}"
        )
    if kind is np.floating and not np.isfinite(array).all():
        raise BadAnswerError(f"output {name}: expected finite numbers, received NaN or infinity")
    return array


def names(outputs: dict[str, np.ndarray], name: str, *shape: int | None) -> np.ndarray:
    """An output of people's names, as text.

    Raises:
        BadAnswerError: As `output`, or names that are not UTF-8.
    """
    raw = output(outputs, name, np.object_, *shape)
    try:
        text = [one.decode() for one in raw.ravel()]
    except UnicodeDecodeError:
        raise BadAnswerError(f"output {name}: expected names in UTF-8") from None
    return np.array(text, object).reshape(raw.shape)


def identifications(response: Any, walks: int, max_bytes: int) -> list[Identification]:
    """The people of a PredictResponse.

    Args:
        response: The PredictResponse.
        walks: How many walks were sent.
        max_bytes: As `arrays`.

    Raises:
        BadAnswerError: It is no answer to so many walks.
    """
    outputs = arrays(response, max_bytes)
    persons = names(outputs, "person", walks)
    scores = output(outputs, "score", np.floating, walks)
    logits: Any = [None] * walks
    probabilities: Any = [None] * walks
    if "logits" in outputs or "probabilities" in outputs:  # A server may keep them to itself.
        logits = output(outputs, "logits", np.floating, walks, None)
        probabilities = output(outputs, "probabilities", np.floating, *logits.shape)
    faults = names(outputs, "fault", walks) if "fault" in outputs else [""] * walks  # Older exports have none.
    return [
        Identification(None if fault else person, float(score), logit, probability, fault)
        for person, score, logit, probability, fault in zip(persons, scores, logits, probabilities, faults, strict=True)
    ]


def embeddings(response: Any, walks: int, max_bytes: int) -> list[Embedding]:
    """The embeddings of a PredictResponse.

    Args:
        response: The PredictResponse.
        walks: How many walks were sent.
        max_bytes: As `arrays`.

    Raises:
        BadAnswerError: It is no answer to so many walks.
    """
    outputs = arrays(response, max_bytes)
    vectors = output(outputs, "embeddings", np.floating, walks, None)
    faults = names(outputs, "fault", walks)
    return [Embedding(None if fault else vector, fault) for vector, fault in zip(vectors, faults, strict=True)]


def encodings(response: Any, shape: tuple[int, ...], max_bytes: int) -> dict[str, np.ndarray]:
    """The gait encodings of a PredictResponse.

    Args:
        response: The PredictResponse.
        shape: That of the windows that were sent, `[B, f, J, 3]`.
        max_bytes: As `arrays`.

    Raises:
        BadAnswerError: It is no answer to such windows.
    """
    outputs = arrays(response, max_bytes)
    batch, frames = shape[:2]
    output(outputs, "ages", np.floating, batch, frames, None)
    output(outputs, "attention", np.floating, batch, 3, frames, frames)
    output(outputs, "reconstruction", np.floating, *shape)
    return outputs


def version_statuses(response: Any) -> list[VersionStatus]:
    """The versions of a GetModelStatusResponse."""
    return [
        VersionStatus(status.version, _STATES.get(status.state, str(status.state)), status.status.error_message)
        for status in response.model_version_status
    ]


def signature_infos(response: Any) -> dict[str, SignatureInfo]:
    """The signatures of a GetModelMetadataResponse, by name.

    Raises:
        BadAnswerError: It has none.
    """
    if "signature_def" not in response.metadata:
        raise BadAnswerError("the answer has no signature_def")
    signatures = parse(SignatureDefMap, response.metadata["signature_def"].value).signature_def
    return {
        name: SignatureInfo(_tensor_infos(signature.inputs), _tensor_infos(signature.outputs))
        for name, signature in signatures.items()
    }


def _tensor_infos(infos: Any) -> dict[str, TensorInfo]:
    return {
        name: TensorInfo(dtype_name(info.dtype), tuple(dim.size for dim in info.tensor_shape.dim))
        for name, info in infos.items()
    }
