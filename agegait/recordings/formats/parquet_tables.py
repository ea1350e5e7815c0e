"""Tables in Parquet."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from agegait.recordings.files import parquet_claims
from agegait.recordings.files.limits import MIB, MOST_COORDINATES
from agegait.recordings.files.numbers import to_float64
from agegait.recordings.formats.table import Table
from agegait.recordings.formats.walk_tables import columns_of
from agegait.recordings.walk_format import WalkFormat

_UNREADABLE = (pa.ArrowException, OSError, ValueError, TypeError)
"""What a damaged file may end in: Arrow's own errors, and those of NumPy and Python that it lets through."""

_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}

_BLOCK = 100_000
"""Fields that are read at once."""

_MOST_ROWS = MOST_COORDINATES // 3
_LONGEST_TEXT = 1000
_MOST_ENTRIES = 200_000
"""Of a list in the footer."""


def blocks(file: BinaryIO, source: str, walk_format: WalkFormat) -> Iterator[Table]:
    """Reads the columns of a Parquet file that mean something to a walk, some rows at a time.

    Args:
        file: What holds the table, which can seek.
        source: What it is called in errors: the file's path.
        walk_format: How its columns are to be understood.

    Yields:
        Tables of the same columns, at least one.

    Raises:
        ValueError: The content is not Parquet, or a table that is too large.
    """
    parquet, wanted, named = _open(file, source, walk_format)
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
                    columns[column] = _column(batch.column(names[column]), column in named)
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


def _open(file: BinaryIO, source: str, walk_format: WalkFormat) -> tuple[pq.ParquetFile, list[int], frozenset[int]]:
    """Opens a file; which of its columns are read, none where they are no walk's; and which of these hold names.

    Raises:
        ValueError: It is not Parquet, or a table that is too large.
    """
    try:
        footer = parquet_claims.read_footer(file)
        parquet = pq.ParquetFile(file, thrift_container_size_limit=_MOST_ENTRIES)
        schema, rows = parquet.schema_arrow, parquet.metadata.num_rows
        wanted, named = _wanted(schema, walk_format)
        chosen = {schema.names[column] for column in wanted}
        leaves = [parquet.schema.column(leaf).path for leaf in range(parquet.metadata.num_columns)]
        if rows <= _MOST_ROWS:
            read = [leaf for leaf, path in enumerate(leaves) if path in chosen]
            parquet_claims.check_pages(file, footer, len(leaves), read, _MOST_ROWS)
        texts = [name for name in chosen if _is_text(schema.field(name).type)]
        # Texts of a dictionary stay in it: one may be long and be in each row. Nothing is read ahead.
        parquet = pq.ParquetFile(
            file, read_dictionary=texts, buffer_size=MIB, pre_buffer=False, thrift_container_size_limit=_MOST_ENTRIES
        )
    except parquet_claims.ClaimError as error:
        raise ValueError(f"{source}: {error}.") from None
    except _UNREADABLE as error:
        raise _unreadable(source, error) from None
    if rows > _MOST_ROWS:
        raise ValueError(f"{source}: expected at most {_MOST_ROWS:,} rows, found {rows:,}; cut the recording.")
    return parquet, wanted, named


def _wanted(schema: pa.Schema, walk_format: WalkFormat) -> tuple[list[int], frozenset[int]]:
    try:
        columns = columns_of(Table("", tuple(schema.names), (), np.zeros(0, int)), walk_format)
    except ValueError:
        return [], frozenset()  # whoever reads the table looks again, and says so
    unread = columns.unread
    wanted = [index for index, kind in enumerate(schema.types) if index not in unread and _is_readable(kind)]
    return wanted, frozenset(columns.texts)


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


def _column(column: pa.Array, named: bool) -> Sequence[str] | np.ndarray:
    """A column as numbers, times as seconds, or as text; names as text, whose digits a float would lose."""
    if pa.types.is_dictionary(column.type) and not _is_text(column.type.value_type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _texts(column)
    if named and pa.types.is_integer(kind):
        return ["" if number is None else str(number) for number in column.to_pylist()]
    if _is_clock(kind):
        number = pa.int32() if pa.types.is_time32(kind) else pa.int64()
        return _UNITS[kind.unit] * _numbers(column.cast(number))
    if pa.types.is_decimal(kind) or pa.types.is_null(kind):
        return _numbers(column.cast(pa.float64()))
    if pa.types.is_boolean(kind):
        return _numbers(column.cast(pa.int8()))
    return _texts(column.dictionary_encode()) if _is_text(kind) else _numbers(column)


def _numbers(column: pa.Array) -> np.ndarray:
    return to_float64(column.to_numpy(zero_copy_only=False))


def _texts(column: pa.DictionaryArray) -> list[str]:
    longest = pc.max(pc.binary_length(column.dictionary)).as_py() or 0
    if longest > _LONGEST_TEXT:
        raise ValueError(f"expected texts of at most {_LONGEST_TEXT:,} bytes, found one of {longest:,}")
    return ["" if text is None else text for text in column.dictionary_decode().to_pylist()]
