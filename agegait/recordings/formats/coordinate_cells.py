"""Cells of a table that hold x, y and z together, such as `(0.1, 0.9, 2.5)`, as Unity and Python write places."""

import re
from collections.abc import Iterable, Sequence

from agegait.recordings.files.numbers import NUMBER

_BETWEEN = "\x1f"
"""Takes the place of what is between x, y and z, so that nothing that parts the table's fields is within a cell."""

_CELL = re.compile(r'"?[(\[]([-+0-9.eE,;\t ]{5,200})[)\]]"?')
_PARTS = re.compile(r"[,;\t ]+")
_LEAST = 3
"""Such cells in a row: fewer are no body."""


def has_cells(lines: Iterable[str]) -> bool:
    """Whether rows of a table have such cells."""
    return any(without_commas(line).count(_BETWEEN) >= 2 * _LEAST for line in lines)


def without_commas(line: str) -> str:
    """A line, in whose cells x, y and z are parted by nothing that parts fields; cells of four numbers are one text."""
    return _CELL.sub(_plain, line)


def with_numbers(line: str) -> str:
    """A line with a number in place of each cell: what separates its fields is found as in any table."""
    return re.sub(
        rf"[^\s{_BETWEEN},;|]+{_BETWEEN}[^{_BETWEEN}]+{_BETWEEN}[^\s{_BETWEEN},;|]+", "0.5", without_commas(line)
    )


class CellRows:
    """Puts each cell's numbers into fields of their own, and names them in rows above that are as long.

    Args:
        rows: The first rows, each as fields.
    """

    def __init__(self, rows: Iterable[Sequence[str]]) -> None:
        found = next((row for row in rows if sum(_BETWEEN in field for field in row) >= _LEAST), ())
        self._length = len(found)
        self._cells = [index for index, field in enumerate(found) if _BETWEEN in field]

    def expanded(self, row: list[str]) -> list[str]:
        """A row with three fields for each cell."""
        if not any(_BETWEEN in field for field in row):
            if len(row) != self._length:
                return row
            named = set(self._cells)
            return [
                name
                for index, field in enumerate(row)
                for name in (
                    [f"{field.strip()}_{axis}" for axis in "xyz"] if index in named and field.strip() else [field]
                )
            ]
        return [part for field in row for part in field.split(_BETWEEN)]


def _plain(found: re.Match[str]) -> str:
    parts = [part for part in _PARTS.split(found[1]) if part]
    if not all(map(NUMBER.fullmatch, parts)):
        return found[0]
    return _BETWEEN.join(parts) if len(parts) == 3 else f"[{':'.join(parts)}]"
