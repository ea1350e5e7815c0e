"""Tables in text, with commas, semicolons, tabs, bars or blanks between the fields."""

import csv
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np

from agegait.recordings.files.limits import MOST_COLUMNS
from agegait.recordings.files.text_encodings import encoding_of
from agegait.recordings.formats.coordinate_cells import CellRows, has_cells, with_numbers, without_commas
from agegait.recordings.formats.csv_dialect import Header, Row, fields_of, find_header, separator_of
from agegait.recordings.formats.file_notes import Notes, notes_of
from agegait.recordings.formats.table import Table
from agegait.recordings.formats.text_lines import TextLines, without_mark

_BLOCK = 100_000
"""Fields that are read at once: texts take many times the memory of numbers."""

_SAMPLE_LINES = 60
_SAMPLE_CHARACTERS = 200_000
_SHOWN = 60
_ENDS = ("END", "EOF")
"""What some programs write behind the last row."""


def blocks(file: BinaryIO, source: str) -> Iterator[Table]:
    """Reads a table from text, with or without a header, some rows at a time.

    Lines before the header, comments and blank lines are left out, and so are empty columns behind the last one that
    has a name.

    Args:
        file: What holds the text, which can seek.
        source: What it is called in errors: the file's path.

    Yields:
        Tables of the same columns, at least one, the rows of one after those of the other.

    Raises:
        ValueError: The content is no text, or no table: the lines have other numbers of fields, or are too long. The
            message names the source, the line, what was expected and what was found.
    """
    encoding = encoding_of(file, source)
    with io.TextIOWrapper(file, encoding, newline="") as text:
        lines = TextLines(text, source)
        sample = _sample(lines)
        if not sample:
            raise ValueError(f"{source}, line 1: expected a header or numbers, found an empty file.")
        if cells := has_cells(line for line, _ in sample):
            sample = [(without_commas(line), number) for line, number in sample]
        separator = separator_of([with_numbers(line) if cells else line for line, _ in sample])
        if re.fullmatch(r'"?sep=.?"?\s*', sample[0][0]):  # Excel reads it so
            sample = sample[1:]
        comment = lines.comments[-1] if lines.comments and lines.comments[-1][1] < _first_line(sample) else None
        rows = _rows(sample, lines, separator, source, cells)
        first = list(itertools.islice(rows, max(1, len(sample) - 1)))
        if not first or max(len(row) for row, _ in first) == 1:
            found = repr(first[0][0][0][:_SHOWN]) if first else "none"
            line = first[0][1] if first else lines.number
            raise ValueError(
                f"{source}, line {line}: expected fields with commas, semicolons or tabs between them, found {found}."
            )
        if (most := max(len(row) for row, _ in first)) > MOST_COLUMNS:
            raise ValueError(f"{source}: expected at most {MOST_COLUMNS:,} columns, found {most:,}.")
        header = find_header(first, _fields(without_mark(comment[0]), separator) if comment else [])
        said = [line for line, _ in lines.comments] + [separator.join(row) for row, _ in first[: header.preamble]]
        notes = notes_of(said, header, encoding, first)
        table = itertools.chain(first[header.first :], rows)
        yield from _blocks(table, source, header, notes)


def _sample(lines: TextLines) -> list[tuple[str, int]]:
    """The first lines that are not blank."""
    sample: list[tuple[str, int]] = []
    characters = 0
    for line in lines:
        lines.row_length = 0
        if line.strip():
            sample.append((line, lines.number))
            characters += len(line)
        if len(sample) == _SAMPLE_LINES or characters > _SAMPLE_CHARACTERS:
            break
    return sample


def _first_line(sample: Sequence[tuple[str, int]]) -> float:
    return sample[0][1] if sample else float("inf")


def _fields(line: str, separator: str) -> list[str]:
    try:
        return next(fields_of([line], separator), [])
    except csv.Error:
        return []


class _Numbered(Iterator[str]):
    """Lines of the sample, then of the file, with the number of the last one."""

    def __init__(self, sample: Sequence[tuple[str, int]], lines: TextLines, cells: bool) -> None:
        self.number = sample[-1][1] if sample else 0
        self._cells = cells
        self._sample, self._lines = iter(sample), lines

    def __next__(self) -> str:
        line, number = next(self._sample, ("", 0))
        if not line:
            line = next(self._lines)
            line, number = without_commas(line) if self._cells else line, self._lines.number
        self.number = number
        return line


def _rows(
    sample: Sequence[tuple[str, int]], lines: TextLines, separator: str, source: str, cells: bool
) -> Iterator[Row]:
    """The rows that are not blank, each with the line that it ends in; no rows of empty fields at the end.

    `cells` tells that some fields hold x, y and z together.
    """
    numbered = _Numbered(sample, lines, cells)
    of_cells = CellRows(_fields(line, separator) for line, _ in sample) if cells else None
    empty: list[Row] = []
    try:
        for row in fields_of(numbered, separator):
            row = of_cells.expanded(row) if of_cells else row
            lines.row_length = 0
            if not any(field.strip() for field in row):
                if len(row) > 1:
                    empty.append((row, numbered.number))
                continue
            yield from empty
            empty.clear()
            yield row, numbered.number
    except csv.Error as error:
        raise ValueError(f"{source}, line {numbered.number}: expected fields of a table: {error}") from None


def _blocks(rows: Iterator[Row], source: str, header: Header, notes: Notes) -> Iterator[Table]:
    """The rows below the header, each cut to as many fields as there are columns."""
    row, line = next(rows, ([], 0))
    names = None if header.names is None else _names(header.names, row)
    fields = len(row) - (len(row) % 3 != 0 and not row[-1].strip()) if names is None else len(names)
    title = None if names is None else tuple(names)
    table = Table(
        source,
        title,
        [()] * fields,
        np.zeros(0, int),
        units=notes.units,
        frame_rate=notes.frame_rate,
        remarks=notes.remarks,
    )
    if not row:
        yield table
        return
    rows = itertools.chain([(row, line)], rows)
    while block := list(itertools.islice(rows, max(1, _BLOCK // fields))):
        while len(block) > 1 and len(block[-1][0]) == 1 and block[-1][0][0].strip().upper() in _ENDS:
            block.pop()
        for number, (row, line) in enumerate(block):
            if len(row) < fields or any(field.strip() for field in row[fields:]):
                last = number + 1 == len(block) and next(rows, None) is None
                raise ValueError(f"{source}, line {line}: {_other_length(row, fields, last)}")
            del row[fields:]
        columns = list(zip(*(row for row, _ in block), strict=True))
        yield table.with_columns(columns, np.array([line for _, line in block]))


def _names(names: list[str], row: list[str]) -> list[str]:
    """Names for the columns of a first row: without those of empty columns at the end; R leaves out the first one."""
    while len(names) > 1 and not names[-1] and not "".join(row[len(names) - 1 :]).strip():
        names = names[:-1]
    if len(row) == len(names) + 1 and row[-1].strip() and row[0].strip() in ("0", "1"):
        return ["", *names]
    return names


def _other_length(row: list[str], expected: int, last: bool) -> str:
    hint = ""
    if len(row) > expected and all(re.fullmatch(r"\s*[+-]?[0-9]*\s*", field) for field in row):
        hint = "; fields with decimal commas need another separator, or quotes"
    elif len(row) < expected and last:
        hint = "; the file breaks off"
    return f"expected {expected} fields as in the first line, found {len(row)}{hint}."
