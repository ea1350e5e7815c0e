"""Puts the parts together in which a table is read."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np

from agegait.recordings.files.limits import MOST_COORDINATES, check_size
from agegait.recordings.formats.table import Table, looks_like_number
from agegait.recordings.formats.time_texts import is_digits_of_a_date
from agegait.recordings.formats.tracking import STATES
from agegait.recordings.formats.walk_columns import WalkColumns

_MOST_ROWS = MOST_COORDINATES // 3
"""Of a table with a row for each joint."""

_MOST_SHARED = 3 * MOST_COORDINATES
"""Coordinates of a table of several walks."""


_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?")
_LONGEST_NAME = 100


def joined(first: Table, others: Iterator[Table], columns: WalkColumns) -> Table:
    """One table of the columns that are read: of numbers, but for names and for times that are text.

    Args:
        first: The first rows.
        others: Further ones; they are read up to what a table may have.
        columns: What the columns mean.

    Raises:
        ValueError: More than a table may have, or fields that are no numbers.
    """
    states = [column for column in columns.tracked if column is not None]
    arrays: dict[int, list[np.ndarray]] = {column: [] for triple in columns.coordinates for column in triple}
    points = _check_decimals(first, list(arrays))
    coordinates = frozenset(arrays)
    arrays |= {column: [] for column in (*states, columns.frame) if column is not None}
    words: dict[int, list[str]] = {column: [] for column in columns.texts}
    for column, _ in columns.times:
        begin = first.texts(column)[0] if len(first.lines) else "0"
        is_text = not looks_like_number(begin) or is_digits_of_a_date(begin)
        if is_text:
            words[column] = []
        else:
            arrays[column] = []
    known: dict[str, str] = {}  # the same few texts come in all rows
    lines: list[np.ndarray] = []
    rows, joints = 0, len(columns.coordinates)
    shared = columns.person is not None or columns.walks or columns.body is not None
    for block in chain([first], others):
        rows += len(block.lines)
        if columns.joint is not None and rows > (_MOST_SHARED // 3 if shared else _MOST_ROWS):
            raise ValueError(f"{block.source}: expected at most {_MOST_ROWS:,} rows, found more; cut the recording.")
        if columns.joint is None and not shared:
            check_size(block.source, rows, joints)
        if columns.joint is None and rows * joints * 3 > _MOST_SHARED:
            raise ValueError(f"{block.source}: expected at most {_MOST_SHARED:,} coordinates, found more; split it.")
        for column, parts in arrays.items():
            if column not in coordinates:
                block = _plain(block, column, points, column == columns.frame)
            parts.append(block.numbers(column, STATES if column in states else {}))
        for column, entries in words.items():
            entries.extend(known.setdefault(text, text) for text in block.texts(column))
        lines.append(block.lines)
    joined: list[Sequence[str] | np.ndarray | None] = [None] * len(first.columns)
    for column, parts in arrays.items():
        joined[column] = np.concatenate(parts)
    for column, entries in words.items():
        joined[column] = entries
    return first.with_columns(joined, np.concatenate(lines))


def _plain(block: Table, column: int, points: bool, is_frame: bool) -> Table:
    """Numbers without commas between thousands, where coordinates have decimal points; frames' without their words."""
    fields = block.columns[column]
    if fields is None or isinstance(fields, np.ndarray) or not len(fields):
        return block
    if points and any("," in field for field in fields):
        fields = [field.replace(",", "") if _THOUSANDS.fullmatch(field.strip()) else field for field in fields]
    elif is_frame and not looks_like_number(fields[0]):
        fields = [_last_number(field) for field in fields]
    else:
        return block
    columns = list(block.columns)
    columns[column] = fields
    return block.with_columns(columns, block.lines)


def _last_number(field: str) -> str:
    """The last number of a frame's name, such as that of its picture's file."""
    found = re.findall("[0-9]{1,9}", field) if len(field) <= _LONGEST_NAME else []
    return found[-1] if found else field


def _check_decimals(table: Table, columns: Sequence[int]) -> bool:
    """Whether coordinates have decimal points.

    Raises:
        ValueError: Some have points, others commas.
    """
    points = next((column for column in columns if table.has_decimal(column, ".")), None)
    commas = next((column for column in columns if table.has_decimal(column, ",")), None)
    if points is not None and commas is not None:
        raise ValueError(
            f"{table.source}: expected one kind of decimal mark, found points in {table.title(points)} and commas in "
            f"{table.title(commas)}."
        )
    return points is not None
