"""Tables in text, with commas, semicolons or tabs between the fields."""

import csv
import io
import re

import numpy as np

from agegait.data.files.table import Table, looks_like_number


def parse(content: bytes, source: str) -> Table:
    """Reads a table from text in UTF-8, with or without a header.

    The first line is the header if most of its fields are no numbers, or if it counts the columns from 0 as pandas
    does where they have no names. Blank lines are left out, and so is an empty column after the last separator.

    Args:
        content: A file's content.
        source: What it is called in errors: the file's path.

    Raises:
        ValueError: The content is no text, or no table: the lines have other numbers of fields. The message names the
            source, the line, what was expected and what was found.
    """
    rows, lines = _rows(_text(content, source), source)
    if not rows:
        raise ValueError(f"{source}, line 1: expected a header or numbers, found an empty file.")
    if len(rows[0]) == 1:
        raise ValueError(
            f"{source}, line {lines[0]}: expected fields with commas, semicolons or tabs between them, found "
            f"{rows[0][0][:60]!r}."
        )
    header = _is_header(rows[0])
    if header:
        rows[0] = [name.strip() for name in rows[0]]
        rows[0][0] = rows[0][0].lstrip("# ")  # NumPy's savetxt begins it so
    _drop_empty_end(rows, header)
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(rows[0]):
            raise ValueError(f"{source}, line {line}: {_other_length(row, len(rows[0]))}")
    body = rows[1:] if header else rows
    columns = list(zip(*body, strict=True)) or [()] * len(rows[0])
    return Table(source, tuple(rows[0]) if header else None, columns, np.array(lines[len(rows) - len(body) :], int))


def _text(content: bytes, source: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{source}, line {number}: expected text in UTF-8, found the byte 0x{content[error.start]:02x}."
        ) from None
    if "\0" in text:
        number = text.count("\n", 0, text.index("\0")) + 1
        raise ValueError(f"{source}, line {number}: expected text, found a zero byte.")
    return text


def _rows(text: str, source: str) -> tuple[list[list[str]], list[int]]:
    first = next((line for line in text.split("\n") if line.strip()), "")
    separator = next((separator for separator in "\t;" if separator in first), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows, lines = [], []
    try:
        for row in reader:
            if len(row) > 1 or (row and row[0].strip()):
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise ValueError(f"{source}, line {reader.line_num}: expected fields of a table: {error}") from None
    return rows, lines


def _is_header(row: list[str]) -> bool:
    if row in ([str(number) for number in range(len(row))], ["", *(str(number) for number in range(len(row) - 1))]):
        return True
    named = [name for name in row if name.strip()]
    return sum(map(looks_like_number, named)) * 2 < len(named)


def _drop_empty_end(rows: list[list[str]], header: bool) -> None:
    """Leaves out the last column where its fields are empty and it has no name."""
    body = rows[1:] if header else rows
    if not body or any(row[-1].strip() for row in body):
        return
    if header and len(rows[0]) == len(body[0]):
        if rows[0][-1]:
            return
        rows[0].pop()
    for row in body:
        row.pop()


def _other_length(row: list[str], expected: int) -> str:
    hint = ""
    if len(row) > expected and all(re.fullmatch(r"\s*[+-]?[0-9]+\s*", name) for name in row):
        hint = "; decimal commas are not read, write decimal points"
    return f"expected {expected} fields as in the first line, found {len(row)}{hint}."
