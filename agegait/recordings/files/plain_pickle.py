import math
import pickletools
import warnings
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from agegait.recordings.files.limits import MOST_LABEL_STEPS

_NUMPY = ("numpy.core", "numpy._core")
_MULTIARRAY = {f"{package}.multiarray" for package in _NUMPY}
_NUMERIC = {f"{package}.numeric" for package in _NUMPY}


def read_plain_pickle(content: bytes) -> Any:
    """What a pickle holds, if that is plain data: numbers, texts, lists, dicts of numbers, arrays of numbers.

    Python's own unpickler calls what a file tells it to, and NumPy's part of it makes arrays of whatever type and
    flags a file claims. This reads the opcodes instead and calls nothing: arrays are made of bytes that are there,
    of types that are numbers.

    Args:
        content: The pickle, of any protocol.

    Returns:
        None, numbers, `str`, `bytes`, `list`, `tuple`, `dict` and `np.ndarray`; an array of objects is a list, or what
        it holds if it has no dimensions.

    Raises:
        ValueError: It holds something else, or is damaged.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of Python, for a text with an escape that is none
            found = _Machine(len(content)).run(content)
    except (IndexError, KeyError, TypeError, OverflowError, AttributeError) as error:
        raise ValueError(f"damaged: {type(error).__name__}") from None
    return _finished(found)


@dataclass(frozen=True)
class _Name:
    """Something that a pickle asks for by its name."""

    module: str
    name: str

    def refuse(self) -> NoReturn:
        raise ValueError(f"it asks for {self.module}.{self.name}, which is not plain data; refused")


@dataclass
class _Type:
    """A NumPy type, while it is put together."""

    code: str
    order: str = "="

    def build(self, state: tuple) -> None:
        _, order, *rest = state
        if self.holds_objects:  # Read as a list: what the file says of its items' memory is not looked at.
            return
        if order not in ("<", ">", "|", "=") or any(part not in (None, -1, 0) for part in rest):
            raise ValueError("it holds an array of a type that is no number; refused")
        self.order = order

    @property
    def holds_objects(self) -> bool:
        """Whether it is the type of anything at all."""
        return self.code.rstrip("0123456789") == "O"

    def dtype(self) -> np.dtype:
        if self.code not in {f"{kind}{size}" for kind in "iuf" for size in (1, 2, 4, 8)} - {"f1"}:
            raise ValueError(f"it holds an array of the type {self.code!r}, which is no number; refused")
        return np.dtype(self.code if self.order == "|" else self.order + self.code)


@dataclass
class _Array:
    """A NumPy array, while it is put together: its numbers, or the list of an array of objects."""

    value: Any = None
    scalar: bool = False

    def build(self, state: tuple) -> None:
        _, shape, kind, fortran, content = state
        if isinstance(kind, _Type) and kind.holds_objects:
            if not isinstance(content, list) or len(content) != math.prod(_checked(shape)) or len(shape) > 1:
                raise ValueError("it holds an array of objects that does not fit its shape; refused")
            self.value, self.scalar = content, shape == ()
        else:
            self.value = _numbers(content, kind, shape, "F" if fortran else "C")


class _Machine:
    """Runs a pickle's opcodes, but for those that call a function of the file's choice.

    Args:
        size: Bytes of the pickle: no more are made of its texts.
    """

    def __init__(self, size: int) -> None:
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._encodable = size

    def run(self, content: bytes) -> Any:
        for step_number, (opcode, argument, _) in enumerate(pickletools.genops(content)):
            if step_number == MOST_LABEL_STEPS:
                raise ValueError(f"it has over {MOST_LABEL_STEPS:,} opcodes; refused")
            name = opcode.name
            if name == "STOP":
                return self._stack.pop()
            if name in _VALUES:
                self._stack.append(argument)
            elif name in _CONSTANTS:
                self._stack.append(_CONSTANTS[name])
            else:
                step = getattr(self, f"_{name.lower()}", None)
                if step is None:
                    raise ValueError(f"it holds {name}, which is not plain data; refused")
                step(argument)
        raise ValueError("it has no end")

    def _proto(self, version: int) -> None:
        pass

    def _frame(self, size: int) -> None:
        pass

    def _mark(self, _: None) -> None:
        self._marks.append(self._stack)
        self._stack = []

    def _pop_mark(self, _: None = None) -> list[Any]:
        items, self._stack = self._stack, self._marks.pop()
        return items

    def _pop(self, _: None) -> None:
        self._stack.pop()

    def _dup(self, _: None) -> None:
        self._stack.append(self._stack[-1])

    def _long1(self, number: int) -> None:
        if number.bit_length() > 64:
            raise ValueError("it holds a number of more than 64 bits")
        self._stack.append(number)

    _int = _long = _long4 = _long1

    def _empty_list(self, _: None) -> None:
        self._stack.append([])

    def _empty_dict(self, _: None) -> None:
        self._stack.append({})

    def _list(self, _: None) -> None:
        items = self._pop_mark()
        self._stack.append(items)

    def _tuple(self, _: None) -> None:
        items = self._pop_mark()
        self._stack.append(tuple(items))

    def _tuple1(self, _: None) -> None:
        self._stack[-1:] = [tuple(self._stack[-1:])]

    def _tuple2(self, _: None) -> None:
        self._stack[-2:] = [tuple(self._stack[-2:])]

    def _tuple3(self, _: None) -> None:
        self._stack[-3:] = [tuple(self._stack[-3:])]

    def _dict(self, _: None) -> None:
        items = self._pop_mark()
        self._stack.append({})
        self._set(items)

    def _append(self, _: None) -> None:
        item = self._stack.pop()
        self._a_list().append(item)

    def _appends(self, _: None) -> None:
        items = self._pop_mark()
        self._a_list().extend(items)

    def _setitem(self, _: None) -> None:
        items = [self._stack.pop(), self._stack.pop()]
        self._set(items[::-1])

    def _setitems(self, _: None) -> None:
        self._set(self._pop_mark())

    def _binput(self, place: int) -> None:
        self._memo[place] = self._stack[-1]

    _put = _long_binput = _binput

    def _memoize(self, _: None) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _binget(self, place: int) -> None:
        self._stack.append(self._memo[place])

    _get = _long_binget = _binget

    def _global(self, names: str) -> None:
        self._stack.append(_Name(*names.split(" ", 1)))

    def _stack_global(self, _: None) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise ValueError("it asks for something that has no name; refused")
        self._stack.append(_Name(module, name))

    def _reduce(self, _: None) -> None:
        arguments, asked = self._stack.pop(), self._stack.pop()
        if not isinstance(asked, _Name) or not isinstance(arguments, tuple):
            raise ValueError("it holds a call, which is not plain data; refused")
        self._stack.append(self._made(asked, arguments))

    def _build(self, _: None) -> None:
        state, made = self._stack.pop(), self._stack[-1]
        if not isinstance(made, _Type | _Array) or not isinstance(state, tuple):
            raise ValueError("it holds the state of an object, which is not plain data; refused")
        made.build(state)

    def _made(self, asked: _Name, arguments: tuple) -> Any:
        if asked.module in _MULTIARRAY and asked.name == "_reconstruct":
            if arguments[0] != _Name("numpy", "ndarray"):
                raise ValueError("it holds an array that is no plain array; refused")
            return _Array()
        if asked.module in _MULTIARRAY and asked.name == "scalar":
            kind, content = arguments
            return _numbers(self._bytes(content), kind, (), "C").item()
        if asked.module in _NUMERIC and asked.name == "_frombuffer":
            content, kind, shape, order = arguments
            return _numbers(content, kind, shape, order)
        if asked == _Name("numpy", "dtype"):
            return _Type(_text(arguments[0]))
        if asked == _Name("_codecs", "encode"):
            text, codec = arguments
            if codec not in ("latin1", "latin-1"):
                raise ValueError(f"it holds a text in the codec {codec!r:.40}, expected latin1; refused")
            return self._bytes(text)
        if asked in (_Name("__builtin__", "bytes"), _Name("builtins", "bytes")) and arguments == ():
            return b""
        asked.refuse()

    def _bytes(self, content: Any) -> bytes:
        """The bytes of a text, which is how Python 2 and old protocols hold bytes."""
        if isinstance(content, bytes | bytearray):
            return bytes(content)
        self._encodable -= len(_text(content))
        if self._encodable < 0:
            raise ValueError("it makes more of its texts than it holds; refused")
        return content.encode("latin-1")

    def _a_list(self) -> list[Any]:
        if not isinstance(self._stack[-1], list):
            raise ValueError("it adds to something that is no list; refused")
        return self._stack[-1]

    def _set(self, items: list[Any]) -> None:
        into = self._stack[-1]
        keys, values = items[::2], items[1::2]
        # Keys that are nested deeply would overflow the C stack as they are hashed.
        if not isinstance(into, dict) or len(keys) != len(values) or not all(type(key) in _KEYS for key in keys):
            raise ValueError("it holds a dict whose keys are no numbers and no texts; refused")
        into.update(zip(keys, values, strict=True))


_VALUES = {
    *("BININT", "BININT1", "BININT2", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_KEYS = (int, float, str)


def _numbers(content: Any, kind: Any, shape: Any, order: Any) -> np.ndarray:
    """An array over bytes that are there."""
    if not isinstance(kind, _Type) or order not in ("C", "F"):
        raise ValueError("it holds an array of a type that is no number; refused")
    dtype, shape = kind.dtype(), _checked(shape)
    if isinstance(content, str):
        content = content.encode("latin-1")
    if not isinstance(content, bytes | bytearray) or len(content) != math.prod(shape) * dtype.itemsize:
        raise ValueError("it holds an array whose bytes do not fit its shape; refused")
    return np.frombuffer(content, dtype).reshape(shape, order=order)


def _checked(shape: Any) -> tuple[int, ...]:
    if not isinstance(shape, tuple) or len(shape) > 8 or not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError("it holds an array without a proper shape; refused")
    return shape


def _text(found: Any) -> str:
    if not isinstance(found, str):
        raise ValueError("it holds something else where a text belongs; refused")
    return found


def _finished(found: Any) -> Any:
    """What an array holds, and what its items do; names and types that were left over are nothing."""
    if isinstance(found, _Array):
        found = found.value[0] if found.scalar else found.value
    if isinstance(found, _Name):
        found.refuse()
    if isinstance(found, dict):
        return {key: value.value if isinstance(value, _Array) else value for key, value in found.items()}
    return found
