"""Records in JSON, which somebody may have cut short or written into."""

import dataclasses
import json
import reprlib
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

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
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: expected JSON: {error}.") from None
    check_shape(path, found, shape)
    return found


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
    for fault in _faults(name, record, dict):
        raise ValueError(f"{fault}.")
    for unknown in record.keys() - fields.keys():
        raise ValueError(f"{_below(name, unknown)}: expected no such name.")
    values = {}
    for key, field in fields.items():
        if key not in record:
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                raise ValueError(f"{_below(name, key)}: expected, found none.")
        elif dataclasses.is_dataclass(field.type):
            values[key] = from_record(field.type, record[key], _below(name, key))  # type: ignore[arg-type]
        else:
            for fault in _faults(_below(name, key), record[key], field.type):
                raise ValueError(f"{fault}.")
            values[key] = record[key]
    return cls(**values)


def _faults(name: str, found: Any, shape: Any) -> Iterator[str]:
    if isinstance(shape, Mapping):
        yield from _faults(name, found, dict)
        for key, inner in shape.items():
            if key not in found:
                yield f"{_below(name, key)}: expected {_words(inner)}, found none"
            else:
                yield from _faults(_below(name, key), found[key], inner)
    elif isinstance(shape, list):
        yield from _faults(name, found, list)
        for number, value in enumerate(found):
            yield from _faults(f"{name}[{number}]", value, shape[0])
    elif not any(_is(found, kind) for kind in getattr(shape, "__args__", (shape,))):
        expected = f"expected {_words(shape)}, found {reprlib.repr(found)}"
        yield f"{name}: {expected}" if name else expected


def _is(found: Any, kind: Any) -> bool:
    if kind is float:
        return isinstance(found, int | float) and not isinstance(found, bool)
    return isinstance(found, kind) and not (kind is int and isinstance(found, bool))


def _words(shape: Any) -> str:
    if isinstance(shape, Mapping | list):
        shape = dict if isinstance(shape, Mapping) else list
    return " or ".join(_WORDS.get(kind, kind.__name__) for kind in getattr(shape, "__args__", (shape,)))


def _below(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key
