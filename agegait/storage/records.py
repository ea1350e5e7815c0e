"""Records in JSON, which somebody may have cut short or written into."""

import dataclasses
import json
import reprlib
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar, get_args, get_origin

from agegait.storage.whole_file import write_text

T = TypeVar("T")

LOCK = ".lock"
"""A file that whoever works in a folder holds, and that says nothing."""

OPTIONAL = {"optional": True}
"""Metadata of a dataclass's field that is not written where it is None."""

_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false", types.NoneType: "null"}
_WORDS |= {dict: "an object", list: "a list", tuple: "a list"}


class Record:
    """The base of dataclasses that a folder keeps, each in a file of its own.

    Attributes:
        FILE: The file's name.
        FORMAT: The version of what it holds.
        OWNER: Whose folder it is, in words: `"a run"`.
    """

    FILE: ClassVar[str]
    FORMAT: ClassVar[int]
    OWNER: ClassVar[str]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """What a folder holds.

        Raises:
            ValueError: No such file, no JSON, another format, or something else than such a record; the message names
                the file.
            OSError: It cannot be read.
        """
        try:
            return cls.read_file(folder / cls.FILE)
        except (FileNotFoundError, NotADirectoryError):
            raise ValueError(f"{folder}: expected {cls.OWNER}'s folder with {cls.FILE}, found none.") from None

    @classmethod
    def find(cls, folder: Path) -> Self | None:
        """The record of what is to be resumed in a folder; None for a new or empty one.

        Raises:
            ValueError: As of `read`, or the folder holds something else.
        """
        if (folder / cls.FILE).exists():
            return cls.read(folder)
        if folder.exists() and (not folder.is_dir() or any(path.name != LOCK for path in folder.iterdir())):
            raise ValueError(
                f"{folder}: expected a new or empty folder, or {cls.OWNER} to resume, found something else."
            )
        return None

    @classmethod
    def read_file(cls, path: Path) -> Self:
        """What a file holds; errors as of `read`."""
        found = load_json(path)
        try:
            return from_record(cls, found)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    def write(self, folder: Path) -> None:
        """Writes the file, whole or not at all."""
        self.write_file(folder / self.FILE)

    def write_file(self, path: Path) -> None:
        """As `write`, to a file of another name."""
        write_record(path, self.to_plain())

    def to_plain(self) -> dict[str, Any]:
        """What the file holds."""
        return {"format": self.FORMAT, **plain_fields(self)}


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


def plain(value: Any) -> Any:
    """What JSON holds of dataclasses, and of lists, tuples and dictionaries of some."""
    if hasattr(value, "to_plain"):
        return value.to_plain()
    if dataclasses.is_dataclass(value):
        return plain_fields(value)
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def plain_fields(record: Any) -> dict[str, Any]:
    """What JSON holds of the fields of a dataclass."""
    fields = ((field, getattr(record, field.name)) for field in dataclasses.fields(record))
    return {
        field.name: plain(value) for field, value in fields if value is not None or "optional" not in field.metadata
    }


def from_record(cls: type[T], record: Any, name: str = "") -> T:
    """A dataclass from what JSON holds of it, its default values where a name is not there.

    Raises:
        ValueError: Something else, or values that the class refuses.
    """
    fields: dict[str, Any] = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    _require(name, record, dict)
    if issubclass(cls, Record):
        record = dict(record)
        if (written := record.pop("format", None)) != cls.FORMAT:
            versions = record.get("versions")
            by = f", written by agegait {versions.get('agegait')}" if isinstance(versions, dict) else ""
            expected = f"expected format {cls.FORMAT}, as this version of agegait writes, found {written!r}{by}."
            raise ValueError(f"{name}: {expected}" if name else expected)
    for unknown in record.keys() - fields.keys():
        raise ValueError(f"{_below(name, unknown)}: expected no such name.")
    values = {}
    for key, field in fields.items():
        if key in record:
            values[key] = build(field.type, record[key], _below(name, key))
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ValueError(f"{_below(name, key)}: expected {words(field.type)}, found none.")
    return cls(**values)


def build(kind: Any, found: Any, name: str) -> Any:
    """A value of a type, which may be a dataclass, or a list, tuple or dictionary of some.

    A class with a form of its own in JSON has `to_plain`, and `from_plain`, which takes what JSON holds and its name.

    Raises:
        ValueError: As `from_record`.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if hasattr(kind, "from_plain"):
        return kind.from_plain(found, name)
    if dataclasses.is_dataclass(kind):
        return from_record(kind, found, name)  # type: ignore[arg-type]
    if origin in (list, tuple):
        _require(name, found, list)
        return origin(build(inner[0], value, f"{name}[{number}]") for number, value in enumerate(found))
    if origin is dict:
        _require(name, found, dict)
        return {_key(inner[0], key, name): build(inner[1], value, _below(name, key)) for key, value in found.items()}
    if found is not None and inner[1:] == (types.NoneType,) and _is_built(inner[0]):
        return build(inner[0], found, name)
    _require(name, found, kind)
    return found


def _is_built(kind: Any) -> bool:
    return dataclasses.is_dataclass(kind) or get_origin(kind) in (list, tuple, dict)


def _key(kind: Any, key: str, name: str) -> Any:
    """A dictionary's key, which is text in JSON."""
    try:
        return kind(key)
    except ValueError:
        raise ValueError(f"{_below(name, key)}: expected {words(kind)} as a name.") from None


def _require(name: str, found: Any, shape: Any) -> None:
    if not any(is_of(found, kind) for kind in getattr(shape, "__args__", (shape,))):
        expected = f"expected {words(shape)}, found {reprlib.repr(found)}."
        raise ValueError(f"{name}: {expected}" if name else expected)


def is_of(found: Any, kind: Any) -> bool:
    """Whether a value is of a type as JSON has them: whole numbers are numbers, true and false are none."""
    if kind is Any:
        return True
    if kind is float:
        return isinstance(found, int | float) and not isinstance(found, bool)
    return isinstance(found, get_origin(kind) or kind) and not (kind is int and isinstance(found, bool))


def words(shape: Any) -> str:
    """What is expected, in words."""
    if _is_built(shape):
        shape = get_origin(shape) or dict
    return " or ".join(
        _WORDS.get(get_origin(kind) or kind, kind.__name__) for kind in getattr(shape, "__args__", (shape,))
    )


def _below(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key
