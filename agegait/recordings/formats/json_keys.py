"""Keys by which files of JSON are told apart, and what stands under them."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from agegait.recordings.files.json_text import numbers, shown


def has_key(*keys: str) -> Callable[[bytes], bool]:
    """A test of whether a key that one of some patterns matches is in a piece of JSON, in any encoding it may have."""
    pattern = re.compile(rb'"(%s)"\s{0,99}:' % b"|".join(key.encode() for key in keys), re.IGNORECASE)
    return lambda content: bool(pattern.search(content.replace(b"\0", b"")))  # of UTF-16 and 32


def by_letters(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What stands under keys in small letters and digits alone: `poseLandmarks` and `pose_landmarks` are one."""
    return {re.sub("[^a-z0-9]", "", key.lower()): value for key, value in entry.items()}


def first_of(entry: Mapping[str, Any], keys: Iterable[str]) -> Any:
    """What stands under the first of some keys that is there; None where none is."""
    return next((entry[key] for key in keys if entry.get(key) is not None), None)


def number_or_none(value: object, place: str) -> float | None:
    """A finite number that may be left out.

    Raises:
        ValueError: Something else.
    """
    if value is None:
        return None
    number = float(numbers([value], 1, place)[0])
    if not math.isfinite(number):
        raise ValueError(f"{place}: expected a finite number, found {number}.")
    return number


def id_or_none(value: object, place: str) -> str | None:
    """What a body is called, if it is.

    Raises:
        ValueError: Something other than a whole number or a text.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError(f"{place}: expected a number or a name, found {shown(value)}.")
    return str(value)
