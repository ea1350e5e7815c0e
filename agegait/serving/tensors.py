"""Arrays to and from TensorProto, be it TensorFlow's message or the client's own: NumPy does all of it."""

import math
from typing import Any, NamedTuple

import numpy as np
from google.protobuf.unknown_fields import UnknownFieldSet

from agegait.serving.wire_pb2 import PackedTensor

MAX_RANK = 254


class Kind(NamedTuple):
    """How a dtype is held: its NumPy dtype and the typed field of TensorProto."""

    dtype: np.dtype
    field: str


FLOAT = 1
"""DT_FLOAT, the number of float32 among TensorFlow's dtypes."""

STRING = 7
"""DT_STRING."""

KINDS = {
    FLOAT: Kind(np.dtype(np.float32), "float_val"),
    2: Kind(np.dtype(np.float64), "double_val"),
    3: Kind(np.dtype(np.int32), "int_val"),
    4: Kind(np.dtype(np.uint8), "int_val"),
    5: Kind(np.dtype(np.int16), "int_val"),
    6: Kind(np.dtype(np.int8), "int_val"),
    STRING: Kind(np.dtype(object), "string_val"),
    9: Kind(np.dtype(np.int64), "int64_val"),
    10: Kind(np.dtype(np.bool_), "bool_val"),
    22: Kind(np.dtype(np.uint32), "uint32_val"),
    23: Kind(np.dtype(np.uint64), "uint64_val"),
}
"""The dtypes that are read and written, by their number in TensorFlow's DataType."""

_NUMBERS = {kind.dtype: number for number, kind in KINDS.items()}
_PACKED = {name: np.dtype(kind) for name, kind in (("float_val", "<f4"), ("double_val", "<f8"))}
"""Fields whose bytes on the wire are an array's: read and written whole, not one Python number after another."""


def dtype_name(number: int) -> str:
    """A dtype's name for people: `float32`, `string`."""
    if number == STRING:
        return "string"
    return KINDS[number].dtype.name if number in KINDS else f"dtype {number}"


def claimed_shape(proto: Any, max_elements: int) -> tuple[int, ...]:
    """The shape that a TensorProto claims, read before anything is allocated.

    Raises:
        ValueError: An unknown rank, too many dimensions, a negative one, or more than `max_elements` in all.
    """
    if proto.tensor_shape.unknown_rank:
        raise ValueError("a shape of unknown rank")
    if len(proto.tensor_shape.dim) > MAX_RANK:
        raise ValueError(f"{len(proto.tensor_shape.dim)} dimensions, at most {MAX_RANK} are read")
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    if any(size < 0 for size in shape):
        raise ValueError(f"a negative dimension in {list(shape)}")
    # Of the dimensions that are not zero too: [0, 2**40] holds nothing, and no model should have to make it.
    if math.prod(size for size in shape if size) > max_elements:
        raise ValueError(f"shape {list(shape)} has more elements than the limit of {max_elements}")
    return shape


def decode(proto: Any, max_elements: int) -> np.ndarray:
    """The array of a TensorProto, from either encoding.

    A typed field that is shorter than the shape repeats its last value, and an empty one is all zeros: TensorFlow's
    rules.

    Args:
        proto: A TensorProto.
        max_elements: Most elements that its shape may claim.

    Raises:
        ValueError: A dtype that is not read, a shape as in `claimed_shape`, or values that do not fit it.
    """
    shape = claimed_shape(proto, max_elements)
    if proto.dtype not in KINDS:
        raise ValueError(f"{dtype_name(proto.dtype)} is not read")
    dtype, field = KINDS[proto.dtype]
    count = math.prod(shape)
    content = proto.tensor_content
    if content:
        if proto.dtype == STRING:
            raise ValueError("strings are read from string_val, not from tensor_content")
        if len(content) != count * dtype.itemsize:
            raise ValueError(f"tensor_content has {len(content)} bytes, its shape needs {count * dtype.itemsize}")
        return np.frombuffer(content, dtype).reshape(shape)
    given = _typed_values(proto, field, dtype, count)
    if len(given) < count:
        last = given[-1:] if len(given) else np.array([b""] if proto.dtype == STRING else [0], dtype)
        given = np.concatenate([given, np.repeat(last, count - len(given))])
    return given.reshape(shape)


def encode(array: np.ndarray, proto: Any) -> None:
    """Writes an array into a TensorProto's shape and typed field.

    Raises:
        ValueError: A dtype that is not written.
    """
    if array.dtype not in _NUMBERS:
        raise ValueError(f"array: expected one of {', '.join(map(dtype_name, KINDS))}, received {array.dtype}.")
    proto.dtype = _NUMBERS[array.dtype]
    for size in array.shape:
        proto.tensor_shape.dim.add().size = size
    field = KINDS[proto.dtype].field
    if field in _PACKED:
        values = array.astype(_PACKED[field], copy=False).tobytes()
        if isinstance(proto, PackedTensor):
            getattr(proto, field).append(values)
        else:
            packed = PackedTensor()
            getattr(packed, field).append(values)
            proto.MergeFromString(packed.SerializeToString())
    else:
        getattr(proto, field).extend(array.ravel().tolist())


def _typed_values(proto: Any, field: str, dtype: np.dtype, most: int) -> np.ndarray:
    if field in _PACKED:
        packed = proto if isinstance(proto, PackedTensor) else PackedTensor.FromString(proto.SerializeToString())
        number = packed.DESCRIPTOR.fields_by_name[field].number
        if any(unknown.field_number == number for unknown in UnknownFieldSet(packed)):
            raise ValueError(f"{field} is not packed")
        values = b"".join(getattr(packed, field))
        if len(values) % dtype.itemsize:
            raise ValueError(f"{field} has {len(values)} bytes, which are no whole number of values")
        _require_at_most(most, len(values) // dtype.itemsize, field)
        return np.frombuffer(values, _PACKED[field]).astype(dtype, copy=False)
    given = getattr(proto, field)
    _require_at_most(most, len(given), field)
    try:
        return np.array(given, dtype=dtype)
    except OverflowError:
        raise ValueError(f"a value in {field} does not fit {dtype.name}") from None


def _require_at_most(most: int, count: int, field: str) -> None:
    if count > most:
        raise ValueError(f"{field} has {count} values, its shape holds {most}")
