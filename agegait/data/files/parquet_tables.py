"""Tables in Parquet."""

import os
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from agegait.data.files import parquet_pages
from agegait.data.files.limits import MIB, MOST_COORDINATES
from agegait.data.files.table import Table
from agegait.data.files.walk_columns import find_columns

_UNREADABLE = (pa.ArrowException, OSError, ValueError, TypeError)
"""What a damaged file may end in: Arrow's own errors, and those of NumPy and Python that it lets through."""

_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}

_BLOCK = 100_000
"""Fields that are read at once."""

_MOST_ROWS = MOST_COORDINATES // 3
_MOST_GROUP = 256 * MIB
"""Bytes of a group of rows in the columns that are read, decompressed."""

_LONGEST_TEXT = 1000
_LARGEST_FOOTER = 16 * MIB
_MOST_ENTRIES = 200_000
"""Of a list in the footer."""


def blocks(file: BinaryIO, source: str) -> Iterator[Table]:
    """Reads the columns of a Parquet file that mean something to a walk, some rows at a time.

    Args:
        file: What holds the table, which can seek.
        source: What it is called in errors: the file's path.

    Yields:
        Tables of the same columns, at least one.

    Raises:
        ValueError: The content is not Parquet, or a table that is too large.
    """
    parquet, wanted = _open(file, source)
    schema = parquet.schema_arrow
    names, clocks = tuple(schema.names), frozenset(i for i, kind in enumerate(schema.types) if _is_clock(kind))
    lines = np.arange(parquet.metadata.num_rows) + 1
    size = max(1, _BLOCK // max(1, len(wanted)))
    batches = parquet.iter_batches(size, columns=[names[column] for column in wanted], use_threads=False)
    start = 0
    while True:
        columns: list[Sequence[str] | np.ndarray | None] = [None] * len(names)
        try:
            batch = next(batches, None) if wanted else None
            if batch is not None:
                for column in wanted:
                    columns[column] = _column(batch.column(names[column]))
        except _UNREADABLE as error:
            raise _unreadable(source, error) from None
        if batch is not None:
            yield Table(source, names, columns, lines[start : start + batch.num_rows], clocks)
            start += batch.num_rows
        elif start:
            return
        else:
            empty = [() if _is_readable(kind) else None for kind in schema.types]
            yield Table(source, names, empty, lines[:0], clocks)
            return


def _open(file: BinaryIO, source: str) -> tuple[pq.ParquetFile, list[int]]:
    """Opens a file; and which of its columns are read, none where they are no walk's.

    Raises:
        ValueError: It is not Parquet, or a table that is too large.
    """
    try:
        _check_footer(file)
        parquet = pq.ParquetFile(file, thrift_container_size_limit=_MOST_ENTRIES)
        schema, metadata = parquet.schema_arrow, parquet.metadata
        wanted = _wanted(schema)
        texts = [schema.names[column] for column in wanted if _is_text(schema.types[column])]
        # Texts of a dictionary stay in it: one may be long and be in each row. Nothing is read ahead.
        parquet = pq.ParquetFile(
            file, read_dictionary=texts, buffer_size=MIB, pre_buffer=False, thrift_container_size_limit=_MOST_ENTRIES
        )
    except _UNREADABLE as error:
        raise _unreadable(source, error) from None
    if metadata.num_rows > _MOST_ROWS:
        raise ValueError(
            f"{source}: expected at most {_MOST_ROWS:,} rows, found {metadata.num_rows:,}; cut the recording."
        )
    try:
        most = max(_group_sizes(file, parquet, {schema.names[column] for column in wanted}), default=0)
    except _UNREADABLE as error:
        raise _unreadable(source, error) from None
    if most > _MOST_GROUP:
        raise ValueError(
            f"{source}: expected groups of rows of at most {_MOST_GROUP // MIB} MiB, found {most / MIB:.1f} MiB."
        )
    return parquet, wanted


def _group_sizes(file: BinaryIO, parquet: pq.ParquetFile, names: set[str]) -> Iterator[int]:
    """Bytes that the columns read of each group of rows inflate to, by the footer and by the pages themselves."""
    metadata = parquet.metadata
    leaves = [leaf for leaf in range(metadata.num_columns) if parquet.schema.column(leaf).path in names]
    for index in range(metadata.num_row_groups):
        group, size = metadata.row_group(index), 0
        for leaf in leaves:
            chunk = group.column(leaf)
            size += chunk.total_uncompressed_size
            if size <= _MOST_GROUP:
                start = chunk.data_page_offset
                if chunk.has_dictionary_page:
                    start = min(start, chunk.dictionary_page_offset)
                pages = parquet_pages.inflated_sizes(file, start, chunk.total_compressed_size)
                size += max(0, sum(pages) - chunk.total_uncompressed_size)
        yield size


def _check_footer(file: BinaryIO) -> None:
    """Refuses a footer that would take much memory: it becomes many times as large as it is."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - 8))
    size = int.from_bytes(file.read(4), "little")
    file.seek(0)
    if size > _LARGEST_FOOTER:
        raise ValueError(f"its footer has {size:,} bytes, over {_LARGEST_FOOTER:,}")


def _wanted(schema: pa.Schema) -> list[int]:
    try:
        unread = find_columns(tuple(schema.names)).unread
    except ValueError:
        return []  # whoever reads the table looks again, and says so
    return [index for index, kind in enumerate(schema.types) if index not in unread and _is_readable(kind)]


def _unreadable(source: str, error: Exception) -> ValueError:
    return ValueError(f"{source}: expected Parquet: {' '.join(str(error).split())}")


def _is_clock(kind: pa.DataType) -> bool:
    return pa.types.is_timestamp(kind) or pa.types.is_duration(kind) or pa.types.is_time(kind)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _is_readable(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return is_number or pa.types.is_boolean(kind) or pa.types.is_null(kind) or _is_clock(kind) or _is_text(kind)


def _column(column: pa.Array) -> Sequence[str] | np.ndarray:
    """A column as numbers, times as seconds, or as text."""
    if pa.types.is_dictionary(column.type) and not _is_text(column.type.value_type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _texts(column)
    if _is_clock(kind):
        number = pa.int32() if pa.types.is_time32(kind) else pa.int64()
        return _UNITS[kind.unit] * _numbers(column.cast(number))
    if pa.types.is_decimal(kind) or pa.types.is_null(kind):
        return _numbers(column.cast(pa.float64()))
    if pa.types.is_boolean(kind):
        return _numbers(column.cast(pa.int8()))
    return _texts(column.dictionary_encode()) if _is_text(kind) else _numbers(column)


def _numbers(column: pa.Array) -> np.ndarray:
    return np.asarray(column.to_numpy(zero_copy_only=False), "float64")


def _texts(column: pa.DictionaryArray) -> list[str]:
    longest = pc.max(pc.binary_length(column.dictionary)).as_py() or 0
    if longest > _LONGEST_TEXT:
        raise ValueError(f"expected texts of at most {_LONGEST_TEXT:,} bytes, found one of {longest:,}")
    texts = [text or "" for text in column.dictionary.to_pylist()]
    return ["" if index is None else texts[index] for index in column.indices.to_pylist()]
