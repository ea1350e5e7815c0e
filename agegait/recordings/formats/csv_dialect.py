"""What separates the fields of a table in text, and which of its lines are the header."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from agegait.recordings.formats.column_names import combined_header, is_axes, is_units, unit_of
from agegait.recordings.formats.table import looks_like_number
from agegait.recordings.formats.walk_columns import find_columns

SEPARATORS = ("\t", ";", ",", "|", " ")
"""What may be between fields; a blank stands for any number of blanks and tabs."""

_MOST_FIELDS = 500
"""Of a row, that are looked at."""

Row = tuple[list[str], int]
"""Fields, and the line that they end in."""


@dataclass(frozen=True)
class Header:
    """The lines before a table's numbers.

    Attributes:
        names: Of the columns; None where there is no header.
        first: Which of the rows is the first with numbers.
        preamble: Rows before the header, which are no part of the table.
        units: Of coordinates, where a row below the names says so.
    """

    names: list[str] | None
    first: int
    preamble: int = 0
    units: str | None = None


def fields_of(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    """Splits lines into fields.

    Raises:
        csv.Error: Quotes that do not match.
    """
    if separator == " ":
        return (line.split() for line in lines)
    return csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=separator != "\t")


def separator_of(lines: Sequence[str]) -> str:
    """Finds the separator that gives the most numbers, in rows of one length; else the most fields."""
    stated = re.fullmatch(r'"?sep=(.)"?\s*', lines[0]) if lines else None
    if stated and stated[1] in SEPARATORS:
        return stated[1]
    scores = {separator: _score(lines, separator) for separator in SEPARATORS}
    return max(SEPARATORS, key=scores.__getitem__) if any(scores.values()) else ","


def _score(lines: Sequence[str], separator: str) -> tuple[int, int]:
    if not any(separator in line for line in lines):
        return 0, 0
    rows: list[list[str]] = []
    with suppress(csv.Error):  # the sample may end within quotes
        rows.extend(fields_of(lines, separator))
    numbers = [sum(map(looks_like_number, row[:_MOST_FIELDS])) for row in rows]
    lengths = Counter(len(row) for row, count in zip(rows, numbers, strict=True) if count)
    usual = max(lengths, key=lambda length: (lengths[length], length), default=0)
    score = sum(count for row, count in zip(rows, numbers, strict=True) if len(row) == usual) if usual > 1 else 0
    # Names have blanks within them more often than between them.
    return score, 0 if separator == " " else max((len(row) for row in rows if len(row) > 1), default=0)


def find_header(rows: Sequence[Row], comments: Sequence[str]) -> Header:
    """Finds the header: the row whose names say what columns are, else the last row before the numbers.

    Args:
        rows: The first rows that are not blank, at least one.
        comments: Fields of the comment right before the first row, which NumPy writes names in; none where there is
            no such comment.
    """
    for index, (row, _) in enumerate(rows):
        if _is_numbers(row) and not (index == 0 and _counts(row)):
            break
        if index + 1 < len(rows) and is_axes(rows[index + 1][0]):
            below = rows[index + 1][0]
            return _with_rows_below(rows, index + 1, combined_header(row, below), preamble=index)
        if _understood(row):
            return _with_rows_below(rows, index, row)
    first = _first_numbers(rows)
    if first is None:  # names alone, or no table at all: whoever looks for the columns says so
        usual = Counter(len(row) for row, _ in rows).most_common(1)[0][0]
        index = next(i for i, (row, _) in enumerate(rows) if len(row) == usual)
        return Header([name.strip() for name in rows[index][0]], index + 1, index)
    if markers := _markers(rows[:first], len(rows[first][0])):
        return Header(markers, first, first)
    if _counts(rows[0][0]) and len(rows) > 1:
        return Header([name.strip() for name in rows[0][0]], 1)
    fields = len(rows[first][0])
    if comments and abs(len(comments) - fields) <= 1 and not _is_numbers(comments):
        return Header([name.strip() for name in comments], first, first)
    if first and abs(len(rows[first - 1][0]) - fields) <= 1:
        return Header([name.strip() for name in rows[first - 1][0]], first, first - 1)
    if first and len(rows[0][0]) > 1 and first == 1:
        return Header([name.strip() for name in rows[0][0]], 1)
    return Header(None, first, first)


def _markers(above: Sequence[Row], fields: int) -> list[str]:
    """Names of the columns below a row in which Qualisys names the markers, each of three columns."""
    row = next((row for row, _ in above if row[0].strip().upper() == "MARKER_NAMES"), [])
    names = [name.strip() for name in row[1:] if name.strip()]
    if not names or fields - 3 * len(names) not in (0, 1):
        return []
    columns = [f"{name}_{axis}" for name in names for axis in "xyz"]
    return columns + [""] * (fields - len(columns))


def _with_rows_below(rows: Sequence[Row], index: int, names: Sequence[str], preamble: int | None = None) -> Header:
    """A header, and what stands between it and the numbers: units, or the name of pandas' index."""
    first, units, names = index + 1, None, [name.strip() for name in names]
    while first < len(rows) - 1 and not any(map(looks_like_number, row := rows[first][0])):
        if is_units(row):
            units = unit_of(row)
        elif len(row) == len(names) and row[0].strip() and not any(field.strip() for field in row[1:]):
            names[0] = row[0].strip()
        elif [field.strip() for field in row] != names:  # else it is there twice
            break
        first += 1
    return Header(names, first, index if preamble is None else preamble, units)


def _understood(row: Sequence[str]) -> bool:
    try:
        find_columns(tuple(name.strip() for name in row))
    except ValueError:
        return False
    return True


def _first_numbers(rows: Sequence[Row]) -> int | None:
    """The first row of numbers that is as long as most of them."""
    lengths = Counter(len(row) for row, _ in rows if _is_numbers(row))
    if not lengths:
        return None
    usual = max(lengths, key=lambda length: (lengths[length], length))
    return next(index for index, (row, _) in enumerate(rows) if len(row) == usual and _is_numbers(row))


def _is_numbers(row: Sequence[str]) -> bool:
    named = [field for field in row if field.strip()]
    return bool(named) and sum(map(looks_like_number, named)) * 2 >= len(named)


def _counts(row: Sequence[str]) -> bool:
    """Whether a row counts the columns from 0, as pandas does where they have no names."""
    return list(row) in ([str(i) for i in range(len(row))], ["", *(str(i) for i in range(len(row) - 1))])
