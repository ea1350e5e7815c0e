"""What a Predict request must be before a model sees it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import grpc
import numpy as np

from agegait.serving.server.limits import Limits
from agegait.serving.server.request_cost import RequestCost
from agegait.serving.server.servable import Signature, TensorSpec
from agegait.serving.server.status_error import StatusError, invalid_argument
from agegait.serving.tensors import claimed_shape, decode, dtype_name

FARTHEST = 1_000_000
"""Largest coordinate that is taken, in metres or millimetres: near the end of float32's range sums overflow, and what
comes out looks like an answer."""


def read_inputs(signature: Signature, inputs: Mapping[str, Any], max_elements: int) -> dict[str, np.ndarray]:
    """The arrays of a request's inputs, each checked against the signature.

    Args:
        signature: What the request asks for.
        inputs: TensorProtos by name.
        max_elements: Most elements that a tensor may claim to have.

    Raises:
        StatusError: INVALID_ARGUMENT, with the input's name, what was expected and what came.
    """
    if set(inputs) != set(signature.inputs):
        extra, missing = set(inputs) - set(signature.inputs), set(signature.inputs) - set(inputs)
        raise invalid_argument(
            f"input size does not match signature: {len(inputs)}!={len(signature.inputs)} len({_names(inputs)}) != "
            f"len({_names(signature.inputs)}). Sent extra: {_names(extra)}. Missing but required: {_names(missing)}."
        )
    arrays = {name: _read_input(name, spec, inputs[name], max_elements) for name, spec in signature.inputs.items()}
    if signature.joinable and len({len(array) for array in arrays.values()}) > 1:
        sizes = ", ".join(f"{name} has {len(array)}" for name, array in sorted(arrays.items()))
        raise invalid_argument(f"inputs: expected the same batch in each, {sizes}")
    if "skeletons" in arrays:
        _check_walks(arrays, signature)
    return arrays


def check_cost(signature: Signature, inputs: Mapping[str, Any], message_bytes: int, limits: Limits) -> RequestCost:
    """What a request takes, by the shapes that it claims.

    Raises:
        StatusError: INVALID_ARGUMENT for a shape that is none or claims too much, RESOURCE_EXHAUSTED for more rows or
            a larger answer than there may be.
    """
    shapes = {}
    for name, spec in signature.inputs.items():
        if name in inputs:
            try:
                shape = claimed_shape(inputs[name], limits.max_elements)
            except ValueError as error:
                raise invalid_argument(f"tensor parsing error: input {name!r}: {error}") from None
            if _fits(shape, spec.shape):  # What does not is refused later, in full.
                if name == "skeletons" and shape[1] < max(1, signature.limits.min_frames):
                    raise _too_few_frames(signature, shape[1])
                if 0 in shape[1:]:
                    raise invalid_argument(f"input {name!r}: expected no empty dimension, received {list(shape)}")
                shapes[name] = shape
    cost = RequestCost.of_shapes(signature, shapes, message_bytes)
    if cost.rows > limits.max_rows:
        raise _too_much(f"at most {limits.max_rows:,} rows are taken at once, received {cost.rows:,}")
    if cost.answer_bytes > limits.max_answer_bytes:
        raise _too_much(
            f"the answer would have {cost.answer_bytes:,} bytes, at most {limits.max_answer_bytes:,} are made"
        )
    if cost.bytes > limits.request_memory:
        raise _too_much(f"this request needs {cost.bytes:,} bytes of memory, requests have {limits.request_memory:,}")
    return cost


def _too_few_frames(signature: Signature, frames: int) -> StatusError:
    least = max(1, signature.limits.min_frames)
    return invalid_argument(f"input 'skeletons': expected at least {least} frames, received {frames}")


def _too_much(message: str) -> StatusError:
    return StatusError(grpc.StatusCode.RESOURCE_EXHAUSTED, message)


def read_filter(outputs: Collection[str], output_filter: Sequence[str]) -> list[str]:
    """The outputs that a request asks for, of those that there are; all of them where it asks for none.

    Raises:
        StatusError: INVALID_ARGUMENT for an output that the signature has not, or one that is requested twice.
    """
    seen: set[str] = set()
    for name in output_filter:
        if name not in outputs:
            raise invalid_argument(
                f"output tensor alias not found in signature: {name} Outputs expected to be in the set "
                f"{_names(outputs)}."
            )
        if name in seen:
            raise invalid_argument(f"duplicate output tensor alias: {name}")
        seen.add(name)
    return list(output_filter) or list(outputs)


def _read_input(name: str, spec: TensorSpec, proto: Any, max_elements: int) -> np.ndarray:
    if proto.dtype != spec.dtype:
        raise invalid_argument(f"input {name!r}: expected {dtype_name(spec.dtype)}, received {dtype_name(proto.dtype)}")
    try:
        shape = claimed_shape(proto, max_elements)
        if not _fits(shape, spec.shape):
            raise invalid_argument(f"input {name!r}: expected shape {_written(spec.shape)}, received {list(shape)}")
        array = decode(proto, max_elements)
    except ValueError as error:
        raise invalid_argument(f"tensor parsing error: input {name!r}: {error}") from None
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise invalid_argument(f"input {name!r}: expected finite values, received NaN or infinity")
    return array


def _check_walks(arrays: Mapping[str, np.ndarray], signature: Signature) -> None:
    if np.abs(arrays["skeletons"]).max(initial=0) > FARTHEST:
        raise invalid_argument(f"input 'skeletons': expected coordinates within {FARTHEST:,}, received larger ones")
    frames, least = arrays["skeletons"].shape[1], signature.limits.min_frames
    if frames < least:
        raise _too_few_frames(signature, frames)
    lengths = arrays.get("lengths")
    if lengths is None:
        return
    wrong = lengths[(lengths < least) | (lengths > frames)]
    if len(wrong):
        raise invalid_argument(f"input 'lengths': expected {least} to {frames} frames, received {wrong[0]}")


def _fits(shape: tuple[int, ...], expected: tuple[int | None, ...] | None) -> bool:
    if expected is None:
        return True
    return len(shape) == len(expected) and all(
        size is None or size == given for given, size in zip(shape, expected, strict=True)
    )


def _written(shape: tuple[int | None, ...] | None) -> list[int] | None:
    return None if shape is None else [-1 if size is None else size for size in shape]


def _names(names: Iterable[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"
