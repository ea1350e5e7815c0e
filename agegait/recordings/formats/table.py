"""A table from a file, before it is known what its columns mean."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from agegait.recordings.files.numbers import DECIMAL_COMMA, NUMBER

_NOTHING = frozenset({
    *("", "nan", "+nan", "-nan", "na", "n/a", "n.a.", "#n/a", "null", "none", "missing", "undefined"),
    *("-", "--", "---", ".", "?", "nan(ind)", "-nan(ind)", "nan(snan)"),
    *("#num!", "#value!", "#ref!", "#div/0!", "#name?", "#null!"),
})  # fmt: skip
_OLD_WINDOWS = re.compile(r"[+-]?1\.?[#$](IND|QNAN|SNAN|INF)0*", re.IGNORECASE)
"""What C programs on Windows once wrote for NaN and infinity."""

_INFINITIES = ("inf", "infinity")
_LONGEST_SHOWN = 40


def looks_like_number(text: str) -> bool:
    """Whether a field is meant to be a number, or to say that there is none."""
    text = text.strip()
    if NUMBER.fullmatch(text) or DECIMAL_COMMA.fullmatch(text):
        return True
    return len(text) <= _LONGEST_SHOWN and bool(text) and (text.lower() in _NOTHING or is_old_windows(text))


def is_old_windows(text: str) -> bool:
    """Whether a field is what C programs on Windows wrote where there was no number."""
    return bool(_OLD_WINDOWS.fullmatch(text))


@dataclass(frozen=True)
class Table:
    """Columns of text or of numbers.

    Attributes:
        source: The file's path, for errors.
        names: Of the columns; None where the file has no header.
        columns: Each a sequence of texts or an array of numbers; None for what is neither.
        lines: Line or row of the file that each of the table's rows is in.
        clocks: Columns that are known to be times in seconds.
        units: Of coordinates, where the file says so.
        frame_rate: Hz, where the file says so.
        remarks: What a reader of the file should know.
    """

    source: str
    names: tuple[str, ...] | None
    columns: Sequence[Sequence[str] | np.ndarray | None]
    lines: np.ndarray
    clocks: frozenset[int] = field(default_factory=frozenset)
    units: str | None = None
    frame_rate: float | None = None
    remarks: tuple[str, ...] = ()

    def numbers(self, column: int, words: Mapping[str, float] = MappingProxyType({})) -> np.ndarray:
        """A column as float64, NaN where a field is empty or says that there is no number.

        Args:
            column: Which column.
            words: Numbers that words in small letters stand for.

        Raises:
            ValueError: A field is no number, by its line and column.
        """
        fields = self.columns[column]
        if isinstance(fields, np.ndarray):
            return fields
        if fields is None:
            raise ValueError(f"{self.source}, {self.title(column)}: expected numbers, found values of another kind.")
        together = "".join(fields)
        has_points = "." in together
        if "_" not in together and together.isascii():  # float() would let both pass
            commas = "," in together and not has_points
            try:
                return np.array(
                    [float(entry.replace(",", ".")) for entry in fields] if commas else [*map(float, fields)]
                )
            except ValueError:
                pass
        return np.array([self._number(entry, words, row, column, has_points) for row, entry in enumerate(fields)])

    def has_decimal(self, column: int, mark: str) -> bool:
        """Whether a column's fields have a decimal mark in them."""
        fields = self.columns[column]
        return fields is not None and not isinstance(fields, np.ndarray) and any(mark in entry for entry in fields)

    def texts(self, column: int) -> list[str]:
        """A column as text, numbers without decimals where they have none.

        Raises:
            ValueError: The column is neither text nor numbers.
        """
        fields = self.columns[column]
        if fields is None:
            raise ValueError(f"{self.source}, {self.title(column)}: expected text, found values of another kind.")
        return [text.strip() if isinstance(text, str) else repr(float(text)).removesuffix(".0") for text in fields]

    def take(self, rows: np.ndarray) -> "Table":
        """Some of the rows."""
        columns = [
            None
            if fields is None
            else fields[rows]
            if isinstance(fields, np.ndarray)
            else [fields[row] for row in rows]
            for fields in self.columns
        ]
        return self.with_columns(columns, self.lines[rows])

    def with_columns(self, columns: Sequence[Sequence[str] | np.ndarray | None], lines: np.ndarray) -> "Table":
        """The same table with other rows."""
        return replace(self, columns=columns, lines=lines)

    def title(self, column: int) -> str:
        """What a column is called in errors."""
        return f"column {column + 1}" if self.names is None else f"column {self.names[column]!r}"

    def place(self, row: int, column: int) -> str:
        """Where a field is, for errors."""
        return f"{self.source}, line {self.lines[row]}, {self.title(column)}"

    def _number(self, entry: str, words: Mapping[str, float], row: int, column: int, has_points: bool) -> float:
        text = entry.strip()
        if NUMBER.fullmatch(text):
            return float(text)
        if text.lower() in words:
            return words[text.lower()]
        if text.lower() in _NOTHING:
            return np.nan
        if text.lstrip("+-").lower() in _INFINITIES:
            return np.inf
        if is_old_windows(text):
            return np.inf if "INF" in text.upper() else np.nan
        hint = ""
        if self.names is not None and text == self.names[column].strip():
            hint = ": the header is there again, so it may be two recordings in one file"
        if DECIMAL_COMMA.fullmatch(text):
            if not has_points:
                return float(text.replace(",", "."))
            hint = " among numbers with decimal points"
        shown = text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "..."
        raise ValueError(f"{self.place(row, column)}: expected a number, found {shown!r}{hint}.")
