"""Records in JSON, which somebody may have cut short or written into."""

import dataclasses
import json
import reprlib
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from agegait.storage.whole_file import write_text

T = TypeVar("T")

_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false", types.NoneType: "null"}
_WORDS |= {dict: "an object", list: "a list"}


def read_record(path: Path, shape: Mapping[str, Any]) -> dict[str, Any]:
    """What a JSON file holds.

    Args:
        path: The file.
        shape: What is expected of it: for each name that must be there a type, a union of types, a shape of its own, or
            `[shape]` for a list of such.

    Raises:
        ValueError: No JSON, or something else than what is expected; the message names the file.
        OSError: It cannot be read.
    """
    found = load_json(path)
    check_shape(path, found, shape)
    return found


def load_json(path: Path) -> Any:
    """What a JSON file holds, whatever it is.

    Raises:
        ValueError: No JSON; the message names the file.
        OSError: It cannot be read.
    """
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: expected JSON: {error}.") from None


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Writes a JSON file, whole or not at all."""
    write_text(path, json.dumps(record, indent=2))


def check_shape(path: Path, found: Any, shape: Any) -> None:
    """Raises ValueError, which names the file, where a value is not as a shape has it, see `read_record`."""
    for fault in _faults("", found, shape):
        raise ValueError(f"{path}: {fault}.")


def from_record(cls: type[T], record: Any, name: str = "") -> T:
    """A dataclass from what `dataclasses.asdict` made of it, its default values where a name is not there.

    Raises:
        ValueError: Something else, or values that the class refuses.
    """
    fields: dict[str, Any] = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    _require(name, record, dict)
    for unknown in record.keys() - fields.keys():
        raise ValueError(f"{_below(name, unknown)}: expected no such name.")
    values = {}
    for key, field in fields.items():
        if key in record:
            values[key] = _built(field.type, record[key], _below(name, key))
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ValueError(f"{_below(name, key)}: expected {words(field.type)}, found none.")
    return cls(**values)


def _built(kind: Any, found: Any, name: str) -> Any:
    """A value of a type, which may be a dataclass, or a list or dictionary of some."""
    origin, inner = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind):
        return from_record(kind, found, name)  # type: ignore[arg-type]
    if origin is list:
        _require(name, found, list)
        return [_built(inner[0], value, f"{name}[{number}]") for number, value in enumerate(found)]
    if origin is dict:
        _require(name, found, dict)
        return {key: _built(inner[1], value, _below(name, key)) for key, value in found.items()}
    if found is not None and inner[1:] == (types.NoneType,) and _is_built(inner[0]):
        return _built(inner[0], found, name)
    _require(name, found, kind)
    return found


def _is_built(kind: Any) -> bool:
    return dataclasses.is_dataclass(kind) or get_origin(kind) in (list, dict)


def _require(name: str, found: Any, shape: Any) -> None:
    for fault in _faults(name, found, shape):
        raise ValueError(f"{fault}.")


def _faults(name: str, found: Any, shape: Any) -> Iterator[str]:
    if isinstance(shape, Mapping):
        yield from _faults(name, found, dict)
        for key, inner in shape.items():
            if key not in found:
                yield f"{_below(name, key)}: expected {words(inner)}, found none"
            else:
                yield from _faults(_below(name, key), found[key], inner)
    elif isinstance(shape, list):
        yield from _faults(name, found, list)
        for number, value in enumerate(found):
            yield from _faults(f"{name}[{number}]", value, shape[0])
    elif not any(is_of(found, kind) for kind in getattr(shape, "__args__", (shape,))):
        expected = f"expected {words(shape)}, found {reprlib.repr(found)}"
        yield f"{name}: {expected}" if name else expected


def is_of(found: Any, kind: Any) -> bool:
    """Whether a value is of a type as JSON has them: whole numbers are numbers, true and false are none."""
    if kind is Any:
        return True
    if kind is float:
        return isinstance(found, int | float) and not isinstance(found, bool)
    return isinstance(found, get_origin(kind) or kind) and not (kind is int and isinstance(found, bool))


def words(shape: Any) -> str:
    """What is expected, in words."""
    if isinstance(shape, Mapping | list):
        shape = dict if isinstance(shape, Mapping) else list
    if _is_built(shape):
        shape = get_origin(shape) or dict
    return " or ".join(
        _WORDS.get(get_origin(kind) or kind, kind.__name__) for kind in getattr(shape, "__args__", (shape,))
    )


def _below(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key
