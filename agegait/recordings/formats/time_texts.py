"""Times that are written as text: `2024-03-05T10:15:30.033Z`, `3/5/2024 1:15:30 PM`, `10:15:30,033`."""

import re
from collections.abc import Sequence
from datetime import date

import numpy as np

_CLOCK = re.compile(
    r"(?P<day>(?:.*?[\sT_])?)(?:(?P<hours>[0-9]{1,3}):)?(?P<minutes>[0-9]{1,2}):(?P<seconds>[0-9]{2})"
    r"(?:[.,:](?P<part>[0-9]{1,9}))?\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?"
)
_DIGITS = re.compile(
    r"(?P<day>(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01]))[_T-]?(?P<hours>[01][0-9]|2[0-3])"
    r"(?P<minutes>[0-5][0-9])(?P<seconds>[0-5][0-9])[._-]?(?P<part>[0-9]{0,9})"
)
_ISO_DAY = re.compile(r"([0-9]{4})[-/.]([0-9]{2})[-/.]([0-9]{2})")
_DAY, _HALF, _HOUR = 86_400.0, 43_200.0, 3600.0
_LONGEST = 60


def seconds_of(texts: Sequence[str]) -> np.ndarray | None:
    """Reads dates and times of day.

    The order of day and month makes no difference: where the date changes otherwise than as ISO 8601 writes it, a day
    has passed. Clocks of twelve hours that say neither am nor pm are understood, too.

    Args:
        texts: In order of time.

    Returns:
        [T] seconds from any beginning; None where one of the texts is no time.
    """
    seconds = np.empty(len(texts))
    shift, before, day_before = 0.0, -np.inf, ""
    known: dict[str, tuple[str, float]] = {}  # whole seconds come in many rows
    for index, text in enumerate(texts):
        if text not in known:
            found = _time(text)
            if found is None or not (found["hours"] or found["part"]):
                return None
            known[text] = found["day"].strip(" T_"), _of_day(found)
        day, time = known[text]
        if day != day_before and index:
            passed = _days_between(day_before, day)
            shift += _DAY * passed if passed is not None else _DAY
        elif time + shift < before - _HALF + _HOUR:  # it went round
            shift += _DAY if time + shift < before - _HALF - _HOUR else _HALF
        elif text.count(":") == 1 and time + shift < before - _HOUR / 2:
            shift += _HOUR
        seconds[index] = before = time + shift
        day_before = day
    return seconds


def is_digits_of_a_date(text: str) -> bool:
    """Whether digits alone are a date and a time of day, such as `20240305101530033`."""
    return len(text) <= _LONGEST and bool(_DIGITS.fullmatch(text.strip()))


def _time(text: str) -> re.Match[str] | None:
    if len(text) > _LONGEST:
        return None
    return _DIGITS.fullmatch(text.strip()) or _CLOCK.fullmatch(text.strip())


def _of_day(found: re.Match[str]) -> float:
    hours = int(found["hours"] or 0)
    if half := found.groupdict().get("half"):
        hours = hours % 12 + 12 * (half[0] in "Pp")
    part = found["part"] or "0"
    return hours * 3600 + int(found["minutes"]) * 60 + int(found["seconds"]) + int(part) / 10 ** len(part)


def _days_between(before: str, now: str) -> int | None:
    """Days from one date to another, where both are as ISO 8601 writes them."""
    first, last = _ISO_DAY.fullmatch(before), _ISO_DAY.fullmatch(now)
    if not first or not last:
        return None
    try:
        return (date(*map(int, last.groups())) - date(*map(int, first.groups()))).days
    except ValueError:
        return None
