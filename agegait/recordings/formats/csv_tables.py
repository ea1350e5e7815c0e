"""Tables in text, with commas, semicolons or tabs between the fields."""

import csv
import io
import itertools
import re
from collections.abc import Iterator
from typing import BinaryIO, cast

import numpy as np

from agegait.recordings.files.limits import MOST_COLUMNS, MOST_LINE
from agegait.recordings.formats.table import Table, looks_like_number

_BLOCK = 100_000
"""Fields that are read at once: texts take many times the memory of numbers."""


def open_text(file: BinaryIO) -> io.TextIOWrapper:
    """A file as the text of a table; line ends are left to what reads the table."""
    return io.TextIOWrapper(file, encoding="utf-8-sig", newline="")


def blocks(file: io.TextIOWrapper, source: str) -> Iterator[Table]:
    """Reads a table from text in UTF-8, with or without a header, some rows at a time.

    The first line is the header if most of its fields are no numbers, or if it counts the columns from 0 as pandas
    does where they have no names. Blank lines are left out, and so is an empty column after the last separator.

    Args:
        file: What holds the text, opened by `open_text`.
        source: What it is called in errors: the file's path.

    Yields:
        Tables of the same columns, at least one, the rows of one after those of the other.

    Raises:
        ValueError: The content is no text, or no table: the lines have other numbers of fields, or are too long. The
            message names the source, the line, what was expected and what was found.
    """
    rows = _rows(file, source)
    first, line = next(rows, ([], 1))
    if not first:
        raise ValueError(f"{source}, line 1: expected a header or numbers, found an empty file.")
    if len(first) == 1:
        raise ValueError(
            f"{source}, line {line}: expected fields with commas, semicolons or tabs between them, found "
            f"{first[0][:60]!r}."
        )
    if len(first) > MOST_COLUMNS:
        raise ValueError(f"{source}: expected at most {MOST_COLUMNS:,} columns, found {len(first):,}.")
    names = None
    if _is_header(first):
        names = [name.strip() for name in first]
        names[0] = names[0].lstrip("# ")  # NumPy's savetxt begins it so
    else:
        rows = itertools.chain([(first, line)], rows)
    row, line = next(rows, ([], line))
    if not row:
        yield Table(source, tuple(names or ()), [()] * len(first), np.zeros(0, int))
        return
    ended = not row[-1].strip() and _has_end(names, len(row))
    if ended and names and len(names) == len(row):
        names.pop()
    rows = itertools.chain([(row, line)], rows)
    yield from _blocks(rows, source, names, len(row) if ended or not names else len(names), ended)


def _has_end(names: list[str] | None, fields: int) -> bool:
    """Whether the first row of numbers, whose last field is empty, ends in a separator."""
    if names is None:
        return fields % 3 == 1
    return len(names) == fields - 1 or (len(names) == fields and not names[-1])


def _blocks(
    rows: Iterator[tuple[list[str], int]], source: str, names: list[str] | None, fields: int, ended: bool
) -> Iterator[Table]:
    """The rows below the header, each of as many fields, of which the last is none where rows end in a separator."""
    size = max(1, _BLOCK // fields)
    while block := list(itertools.islice(rows, size)):
        for row, line in block:
            if len(row) != fields or (ended and row.pop().strip()):
                raise ValueError(f"{source}, line {line}: {_other_length(row, fields - ended)}")
        columns = list(zip(*(row for row, _ in block), strict=True))
        yield Table(source, names if names is None else tuple(names), columns, np.array([line for _, line in block]))


def _rows(file: io.TextIOWrapper, source: str) -> Iterator[tuple[list[str], int]]:
    """The rows that are not blank, each with the line that it ends in."""
    lines = _Lines(file, source)
    first = next((line for line in lines if line.strip()), "")
    separator = next((separator for separator in "\t;" if separator in first), ",")
    reader = csv.reader(itertools.chain([first], lines), delimiter=separator, strict=True)
    try:
        for row in reader:
            lines.row_length = 0
            if len(row) > 1 or (row and row[0].strip()):
                yield row, lines.number
    except csv.Error as error:
        raise ValueError(f"{source}, line {lines.number}: expected fields of a table: {error}") from None


class _Lines(Iterator[str]):
    """The lines of a text, none of them too long.

    Attributes:
        number: Of the last line, from 1.
        row_length: Characters since this was last set to 0: a row may be of several lines.
    """

    def __init__(self, file: io.TextIOWrapper, source: str) -> None:
        self.number = 0
        self.row_length = 0
        self._file, self._source = file, source

    def __next__(self) -> str:
        try:
            line = self._file.readline(MOST_LINE + 1)
        except UnicodeDecodeError:
            raise ValueError(f"{self._source}, {self._undecodable()}") from None
        if not line:
            raise StopIteration
        self.number += 1
        self.row_length += len(line)
        if self.row_length > MOST_LINE:
            raise ValueError(
                f"{self._source}, line {self.number}: expected rows of at most {MOST_LINE:,} characters, found more."
            )
        if "\0" in line:
            raise ValueError(f"{self._source}, line {self.number}: expected text, found a zero byte.")
        return line

    def _undecodable(self) -> str:
        """Says where the first byte is that is no text."""
        content = cast(BinaryIO, self._file.buffer)
        content.seek(0)
        number = 1
        while line := content.readline(MOST_LINE):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return f"line {number}: expected text in UTF-8, found the byte 0x{line[error.start]:02x}."
            number += line.endswith(b"\n")
        return f"line {number}: expected text in UTF-8, found a character that is cut off."


def _is_header(row: list[str]) -> bool:
    if row in ([str(number) for number in range(len(row))], ["", *(str(number) for number in range(len(row) - 1))]):
        return True
    named = [name for name in row if name.strip()]
    return sum(map(looks_like_number, named)) * 2 < len(named)


def _other_length(row: list[str], expected: int) -> str:
    hint = ""
    if len(row) > expected and all(re.fullmatch(r"\s*[+-]?[0-9]+\s*", name) for name in row):
        hint = "; decimal commas are not read, write decimal points"
    return f"expected {expected} fields as in the first line, found {len(row)}{hint}."
