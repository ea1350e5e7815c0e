"""TensorFlow Serving's JSON of Predict requests and their answers, to arrays and from them."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import orjson

from agegait.serving.server.servable import TensorSpec
from agegait.serving.server.status_error import invalid_argument
from agegait.serving.tensors import KINDS, STRING, dtype_name

_B64 = "b64"
_MAX_DIMENSIONS = 32  # NumPy's own limit, in its older versions.
_BYTES = "_bytes"  # Outputs of such a name are bytes and no text, by TensorFlow Serving's rule.


@dataclass(frozen=True)
class Document:
    """A Predict request's JSON.

    Attributes:
        signature: The name of the signature that it asks for; empty for the default one.
        by_row: Whether it lists `instances`, each with all inputs, and not `inputs`, each with the whole batch.
        values: What it lists.
    """

    signature: str
    by_row: bool
    values: Any


def memory_needed(body: bytearray, max_values: int) -> int:
    """What a body takes once it is parsed, reckoned before it is: text of a few bytes becomes objects of many.

    Raises:
        StatusError: INVALID_ARGUMENT for more values than a request may have.
    """
    values, lists, objects = body.count(b",") + 1, body.count(b"["), body.count(b"{")
    if values > max_values:
        raise invalid_argument(f"the body: expected at most {max_values:,} values, received {values:,}")
    return len(body) * (3 if body.isascii() else 7) + 80 * values + 72 * lists + 256 * objects


def parse(body: bytearray) -> Document:
    """A Predict request's JSON, so far as it does not depend on the signature.

    Raises:
        StatusError: INVALID_ARGUMENT for what is no JSON, NaN and Infinity among it, or no Predict request.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise invalid_argument(f"JSON Parse error: {error.msg} at offset: {error.pos}") from None
    if not isinstance(document, dict):
        raise invalid_argument("the body: expected a JSON object")
    signature = document.get("signature_name", "")
    if not isinstance(signature, str):
        raise invalid_argument("'signature_name' key must be a string value.")
    if ("instances" in document) == ("inputs" in document):
        raise invalid_argument(
            "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist"
            if "inputs" in document
            else "Missing 'inputs' or 'instances' key"
        )
    if "inputs" in document:
        return Document(signature, False, document["inputs"])
    instances = document["instances"]
    if not isinstance(instances, list) or not instances:
        raise invalid_argument("'instances': expected a list with at least one value")
    return Document(signature, True, instances)


def read_arrays(document: Document, specs: Mapping[str, TensorSpec]) -> dict[str, np.ndarray]:
    """The arrays of a request's inputs.

    Args:
        document: The request.
        specs: The signature's inputs.

    Raises:
        StatusError: INVALID_ARGUMENT, with the input's name, what was expected and what came.
    """
    values = _by_name(document, specs)
    for name in values:
        if name not in specs:
            raise invalid_argument(f"JSON object: does not have named input: {name[:100]}")
    return {name: _array(name, value, specs[name].dtype) for name, value in values.items()}


def write(arrays: Mapping[str, np.ndarray], by_row: bool) -> bytes:
    """An answer's JSON, in the format of its request. The name of an output that is the only one is left out.

    Raises:
        StatusError: INVALID_ARGUMENT for outputs without rows.
    """
    told = {name: _told(name, array) for name, array in arrays.items()}
    if not by_row:
        return _dump({"outputs": told if len(told) > 1 else next(iter(told.values()))})
    sizes = {name: len(array) if array.ndim else None for name, array in arrays.items()}
    if None in sizes.values() or len(set(sizes.values())) > 1:
        raise invalid_argument(
            f"outputs: expected a common batch, received {sizes}; send 'inputs' in place of 'instances'"
        )
    if len(told) == 1:
        return _dump({"predictions": next(iter(told.values()))})
    return _dump({"predictions": [dict(zip(told, row, strict=True)) for row in zip(*told.values(), strict=True)]})


def _by_name(document: Document, specs: Mapping[str, TensorSpec]) -> dict[str, Any]:
    values = document.values
    if not document.by_row:
        if isinstance(values, dict) and not _is_b64(values):
            return values
        return {_only_name("inputs", specs): values}
    objects = [isinstance(one, dict) and not _is_b64(one) for one in values]
    if not any(objects):
        return {_only_name("instances", specs): values}
    if not all(objects):
        raise invalid_argument("'instances': expected a plain list or a list of objects, received a mix of both")
    for place, one in enumerate(values):
        if one.keys() != values[0].keys():
            raise invalid_argument(
                f"Failed to process element: {place} of 'instances' list: keys must be equal to: {','.join(specs)}"
            )
    return {name: [one[name] for one in values] for name in values[0]}


def _only_name(key: str, specs: Mapping[str, TensorSpec]) -> str:
    if len(specs) != 1:
        raise invalid_argument(f"{key} is a plain value/list, but several inputs are required: {','.join(specs)}")
    return next(iter(specs))


def _array(name: str, value: Any, dtype: int) -> np.ndarray:
    shape: list[int] = []
    level = [value]
    while level and set(map(type, level)) == {list}:
        if len(shape) == _MAX_DIMENSIONS:
            raise invalid_argument(f"input {name!r}: expected at most {_MAX_DIMENSIONS} dimensions, received more")
        sizes = set(map(len, level))
        if len(sizes) > 1:
            raise invalid_argument(f"input {name!r}: expected lists of one length at level {len(shape)}")
        shape.append(sizes.pop())
        level = list(chain.from_iterable(level))
    kinds = set(map(type, level))
    if dtype not in KINDS:
        raise invalid_argument(f"input {name!r}: {dtype_name(dtype)} is not read from JSON")
    if dtype == STRING:
        return np.array([_string(name, one) for one in level], object).reshape(shape)
    array = _numbers(name, level, kinds, KINDS[dtype].dtype)
    return array.reshape(shape)


def _numbers(name: str, values: list[Any], kinds: set[type], dtype: np.dtype) -> np.ndarray:
    by_kind: dict[str, set[type]] = {"f": {int, float}, "b": {bool}}
    allowed = by_kind.get(dtype.kind, {int})
    if not kinds <= allowed:
        received = ", ".join(sorted(kind.__name__ for kind in kinds - allowed))
        raise invalid_argument(f"input {name!r}: expected {dtype.name}, all at one level, received {received}")
    try:
        if dtype.kind != "f":
            return np.array(values, dtype)
        with np.errstate(over="ignore"):
            array = np.array(values, np.float64).astype(dtype)
    except OverflowError:
        raise invalid_argument(f"input {name!r}: a value does not fit {dtype.name}") from None
    if not np.isfinite(array).all():
        raise invalid_argument(f"input {name!r}: a value does not fit {dtype.name}")
    return array


def _is_b64(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {_B64} and isinstance(value[_B64], str)


def _string(name: str, value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if not _is_b64(value):
        raise invalid_argument(f"input {name!r}: expected strings, all at one level, received {type(value).__name__}")
    try:
        return base64.b64decode(value[_B64], validate=True)
    except (binascii.Error, ValueError):
        raise invalid_argument(f"input {name!r}: Unable to base64 decode") from None


def _told(name: str, array: np.ndarray) -> Any:
    if array.dtype.kind != "O":
        return np.ascontiguousarray(array) if array.ndim else array[()]
    if name.endswith(_BYTES):
        return _nested(array, lambda one: {_B64: base64.b64encode(one).decode()})
    return _nested(array, lambda one: one.decode(errors="replace"))


def _nested(array: np.ndarray, write_one: Any) -> Any:
    told = np.empty(array.shape, object)
    told.ravel()[:] = [write_one(one) for one in array.ravel()]
    return told.tolist()


def _dump(document: Any) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
