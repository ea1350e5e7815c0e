"""What a Predict request must be before a model sees it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import grpc
import numpy as np

from agegait.export.resampled_endpoint import FASTEST, SLOWEST, resampled_lengths
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
                if name == "skeletons" and shape[1] < max(1, _least_frames(signature)):
                    raise _too_few_frames(signature, shape[1])
                if 0 in shape[1:]:
                    raise invalid_argument(f"input {name!r}: expected no empty dimension, received {list(shape)}")
                shapes[name] = shape
    if signature.limits.frame_rate and shapes.keys() >= {"skeletons", "frame_rate"}:
        shapes["skeletons"] = _resampled_shape(signature, shapes["skeletons"], inputs["frame_rate"])
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


def _least_frames(signature: Signature) -> int:
    """Frames that walks need as they come: of those that the graph resamples, nobody knows before."""
    return 1 if signature.limits.frame_rate else signature.limits.min_frames


def _resampled_shape(signature: Signature, shape: tuple[int, ...], frame_rate: Any) -> tuple[int, ...]:
    """The shape of walks as the graph resamples them, where that has more frames."""
    try:
        rates = decode(frame_rate, shape[0])
    except ValueError:  # refused in full as inputs are read
        return shape
    slowest = np.clip(rates.min(initial=FASTEST, where=rates > 0), SLOWEST, FASTEST)  # as those of NaN are
    most = resampled_lengths(np.array(shape[1]), np.array(slowest), signature.limits.frame_rate)
    return (shape[0], max(shape[1], int(most)), *shape[2:])


def _too_few_frames(signature: Signature, frames: int) -> StatusError:
    least = max(1, _least_frames(signature))
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
    frames, least = arrays["skeletons"].shape[1], _least_frames(signature)
    if frames < least:
        raise _too_few_frames(signature, frames)
    lengths = arrays.get("lengths")
    if lengths is None:
        return
    wrong = lengths[(lengths < least) | (lengths > frames)]
    if len(wrong):
        raise invalid_argument(f"input 'lengths': expected {least} to {frames} frames, received {wrong[0]}")
    if signature.limits.frame_rate and "frame_rate" in arrays:
        _check_rates(lengths, arrays["frame_rate"], signature)


def _check_rates(lengths: np.ndarray, rates: np.ndarray, signature: Signature) -> None:
    wrong = rates[(rates < SLOWEST) | (rates > FASTEST)]
    if len(wrong):
        raise invalid_argument(
            f"input 'frame_rate': expected {SLOWEST:g} to {FASTEST:g} frames a second, received {wrong[0]:g}"
        )
    limits = signature.limits
    frames = resampled_lengths(lengths, rates, limits.frame_rate)
    if len(short := frames[frames < limits.min_frames]):
        raise invalid_argument(
            f"input 'skeletons': expected at least {limits.min_frames} frames at {limits.frame_rate:g} a second, "
            f"received {short[0]}"
        )


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
