"""What a Parquet file claims of its columns, looked at before anything is inflated: a page of 100 bytes may hold 2 GiB.

Arrow believes these claims; and where its Python meets damage in some of them, it ends the process.
"""

import os
from collections.abc import Collection
from typing import BinaryIO

from agegait.recordings.files.compact_thrift import I32, I64, LIST, STRUCT, ThriftReader, ThriftStruct
from agegait.recordings.files.limits import MIB

MOST_GROUP = 256 * MIB
"""Bytes of a group of rows in the columns that are read, decompressed."""

_MAGIC = b"PAR1"
_LARGEST_FOOTER = 4 * MIB
_LARGEST_PAGE_HEADER = 64 * 1024
_USUAL_PAGE_HEADER = 512
_DATA, _DICTIONARY, _DATA_2 = 0, 2, 3
_OF_PAGE = {_DATA: (5, 2), _DICTIONARY: (7, 2), _DATA_2: (8, 4)}
"""For each kind of page, the field of its own header, and in that the field of the encoding."""

_BYTES = (6, 7)
_DELTA_BYTE_ARRAY = 7


class ClaimError(ValueError):
    """A file is whole, but larger than may be, or written in a way that is not read."""


def read_footer(file: BinaryIO) -> ThriftStruct:
    """Reads what a file says that it holds: Parquet's `FileMetaData`.

    Raises:
        ValueError: There is none, or one that is too large.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 8))
    length, magic = int.from_bytes(file.read(4), "little"), file.read(4)
    if magic != _MAGIC or length > size - 12:
        raise ValueError("it does not end as Parquet does")
    if length > _LARGEST_FOOTER:
        raise ClaimError(f"expected a footer of at most {_LARGEST_FOOTER:,} bytes, found {length:,}")
    file.seek(size - 8 - length)
    reader = ThriftReader(file.read(length))
    file.seek(0)
    return reader.struct()


def check_pages(file: BinaryIO, footer: ThriftStruct, leaves: int, wanted: Collection[int], most_values: int) -> None:
    """Looks at the headers of all pages of the columns that are read.

    Args:
        file: The file, which can seek.
        footer: See `read_footer`.
        leaves: Columns that its schema has.
        wanted: Those that are read.
        most_values: Of one page.

    Raises:
        ValueError: Headers are damaged, or claim more than may be.
    """
    size = file.seek(0, os.SEEK_END)
    for group in footer.value(4, LIST):
        chunks = _structs(group).value(1, LIST)
        if len(chunks) != leaves:
            raise ValueError(f"it has {leaves} columns, but {len(chunks)} in a group of rows")
        inflated = 0
        for leaf in wanted:
            inflated += inflated_size(file, size, _structs(_structs(chunks[leaf]).value(3, STRUCT)), most_values)
            if inflated > MOST_GROUP:
                raise ClaimError(f"expected groups of rows of at most {MOST_GROUP // MIB} MiB, found more")
    file.seek(0)


def inflated_size(file: BinaryIO, size: int, chunk: ThriftStruct, most_values: int) -> int:
    """Bytes that a column's pages in a group of rows inflate to, as their own headers say.

    Args:
        file: The file, which can seek.
        size: Bytes of the file.
        chunk: What the footer says of the column: Parquet's `ColumnMetaData`.
        most_values: Of one page.

    Raises:
        ValueError: Headers are damaged, or claim more than may be.
    """
    values, start, length = chunk.value(5, I64), chunk.value(9, I64), chunk.value(7, I64)
    if 11 in chunk and 0 < (dictionary := chunk.value(11, I64)) < start:
        start = dictionary
    if not 0 <= start <= start + length <= size:
        raise ValueError("a column is said to be behind the end")
    inflated, seen, end = 0, 0, start + length
    while seen < values and start < end:
        page, header_length = _page(file, start, end)
        compressed, claimed = page.value(3, I32), page.value(2, I32)
        if compressed < 0 or claimed < 0:
            raise ValueError("a page has a negative size")
        kind = page.value(1, I32)
        if kind in _OF_PAGE:
            field, encoding = _OF_PAGE[kind]
            own = _structs(page.value(field, STRUCT))
            if not 0 <= own.value(1, I32) <= most_values:
                raise ClaimError(f"expected pages of at most {most_values:,} values, found {own.value(1, I32):,}")
            if own.value(encoding, I32) == _DELTA_BYTE_ARRAY and chunk.value(1, I32) in _BYTES:
                # Each text may repeat all of the one before: a page grows with the square of its size.
                raise ClaimError("expected texts as PLAIN or in a dictionary, found DELTA_BYTE_ARRAY")
            seen += own.value(1, I32) if kind != _DICTIONARY else 0
        inflated += claimed
        start += header_length + compressed
    return inflated


def _page(file: BinaryIO, start: int, end: int) -> tuple[ThriftStruct, int]:
    """The header of a page, and its length."""
    for length in (_USUAL_PAGE_HEADER, _LARGEST_PAGE_HEADER):
        file.seek(start)
        reader = ThriftReader(file.read(min(length, end - start)))
        try:
            return reader.struct(), reader.place
        except ValueError:
            if length == _LARGEST_PAGE_HEADER:
                raise
    raise ValueError("a page has no header")


def _structs(value: object) -> ThriftStruct:
    if not isinstance(value, ThriftStruct):
        raise ValueError("it holds something else where a struct belongs")
    return value
