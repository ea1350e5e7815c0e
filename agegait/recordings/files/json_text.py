"""JSON of a bounded size in memory."""

import json
from typing import Any

import numpy as np

from agegait.recordings.files.limits import MIB, MOST_JSON_MEMORY

_MEMORY = {b"{": 256, b"[": 64, b",": 64}
"""Bytes that Python takes, at the most, for what begins with each of these, an object, an array or a further value."""

_NUMBERS = frozenset((int, float, type(None)))


def parse_json(content: bytes, source: str) -> Any:
    """Parses JSON, or lines of JSON, in UTF-8, 16 or 32. NaN and Infinity pass, as Python and others write them.

    Args:
        content: A file's content.
        source: What it is called in errors: the file's path.

    Raises:
        ValueError: It is no JSON, is nested too deeply, or would take too much memory.
    """
    if (memory := sum(content.count(mark) * size for mark, size in _MEMORY.items())) > MOST_JSON_MEMORY:
        raise ValueError(
            f"{source}: expected JSON that takes at most {MOST_JSON_MEMORY // MIB} MiB of memory, found one of "
            f"{memory // MIB} MiB; cut the recording."
        )
    try:
        text = content.decode(json.detect_encoding(content))
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            if error.msg != "Extra data" or (error.lineno == 1 and "\n" not in text.strip()):
                raise
            return [json.loads(line) for line in text.splitlines() if line.strip()]
    except RecursionError:
        raise ValueError(f"{source}: expected JSON, found that it is nested too deeply.") from None
    except ValueError as error:
        raise ValueError(f"{source}: expected JSON, found {json_fault(error)}.") from None


def json_fault(error: Exception) -> str:
    """What is wrong with a text that is no JSON, and where, in words of ours."""
    if isinstance(error, json.JSONDecodeError):
        return f"something else in line {error.lineno}, column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return f"the byte 0x{error.object[error.start]:02x}, which is no text"
    return "something that is nested too deeply" if isinstance(error, RecursionError) else "a number that is too long"


def numbers(values: object, length: int, place: str) -> np.ndarray:
    """A list of numbers, which may be null, as an array.

    Args:
        values: What JSON has.
        length: How many there have to be.
        place: What they are called in errors.

    Returns:
        float64 [length], NaN for null.

    Raises:
        ValueError: Something other than so many numbers, or a number that is too large.
    """
    if not isinstance(values, list) or len(values) != length or not _NUMBERS.issuperset(map(type, values)):
        raise ValueError(f"{place}: expected {length} numbers, found {shown(values)}.")
    try:
        return np.array(values, "float64")
    except OverflowError:
        raise ValueError(f"{place}: expected numbers within float64, found a larger one.") from None


def shown(value: object) -> str:
    """What JSON has at a place, for errors."""
    if isinstance(value, list):
        kinds = sorted({_kind(entry) for entry in value})
        return f"a list of {len(value)}" + (f", of {' and '.join(kinds)}" if kinds else "")
    return f"{_kind(value)} {value!r:.40}" if isinstance(value, (str, int, float)) else _kind(value)


def _kind(value: object) -> str:
    kinds = {dict: "objects", list: "lists", str: "text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "numbers")
