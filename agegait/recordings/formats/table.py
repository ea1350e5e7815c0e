"""A table from a file, before it is known what its columns mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from agegait.recordings.files.numbers import DECIMAL_COMMA, NUMBER

_NOTHING = ("", "nan", "+nan", "-nan", "na", "n/a", "#n/a", "null", "none")
_INFINITIES = ("inf", "infinity")


def looks_like_number(text: str) -> bool:
    """Whether a field is meant to be a number, be it one that is not read, such as one with a decimal comma."""
    text = text.strip()
    return bool(NUMBER.fullmatch(text) or DECIMAL_COMMA.fullmatch(text)) or text.lower() in _NOTHING[1:]


@dataclass(frozen=True)
class Table:
    """Columns of text or of numbers.

    Attributes:
        source: The file's path, for errors.
        names: Of the columns; None where the file has no header.
        columns: Each a sequence of texts or an array of numbers; None for what is neither.
        lines: Line or row of the file that each of the table's rows is in.
        clocks: Columns that are known to be times in seconds.
    """

    source: str
    names: tuple[str, ...] | None
    columns: Sequence[Sequence[str] | np.ndarray | None]
    lines: np.ndarray
    clocks: frozenset[int] = field(default_factory=frozenset)

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
        if "_" not in together and together.isascii():  # float() would let both pass
            try:
                return np.array(list(map(float, fields)))
            except ValueError:
                pass
        return np.array([self._number(entry, words, row, column) for row, entry in enumerate(fields)])

    def texts(self, column: int) -> list[str]:
        """A column as text, numbers without decimals where they have none.

        Raises:
            ValueError: The column is neither text nor numbers.
        """
        fields = self.columns[column]
        if fields is None:
            raise ValueError(f"{self.source}, {self.title(column)}: expected text, found values of another kind.")
        return [text.strip() if isinstance(text, str) else f"{text:g}" for text in fields]

    def title(self, column: int) -> str:
        """What a column is called in errors."""
        return f"column {column + 1}" if self.names is None else f"column {self.names[column]!r}"

    def place(self, row: int, column: int) -> str:
        """Where a field is, for errors."""
        return f"{self.source}, line {self.lines[row]}, {self.title(column)}"

    def _number(self, entry: str, words: Mapping[str, float], row: int, column: int) -> float:
        text = entry.strip()
        if NUMBER.fullmatch(text):
            return float(text)
        if text.lower() in words:
            return words[text.lower()]
        if text.lower() in _NOTHING:
            return np.nan
        if text.lstrip("+-").lower() in _INFINITIES:
            return np.inf
        hint = ""
        if DECIMAL_COMMA.fullmatch(text):
            hint = "; decimal commas are not read, write decimal points"
        shown = text if len(text) <= 40 else text[:40] + "..."
        raise ValueError(f"{self.place(row, column)}: expected a number, found {shown!r}{hint}.")
