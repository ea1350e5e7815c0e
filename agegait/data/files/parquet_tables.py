"""Tables in Parquet."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from agegait.data.files.table import Table

_UNREADABLE = (pa.ArrowException, OSError, ValueError, TypeError)
"""What a damaged file may end in: Arrow's own errors, and those of NumPy and Python that it lets through."""

_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


def parse(content: bytes, source: str) -> Table:
    """Reads a table from Parquet.

    Args:
        content: A file's content.
        source: What it is called in errors: the file's path.

    Raises:
        ValueError: The content is not Parquet.
    """
    try:
        table = pq.ParquetFile(pa.BufferReader(content)).read()
        columns = [_column(column) for column in table.columns]
    except _UNREADABLE as error:
        raise ValueError(f"{source}: expected Parquet: {' '.join(str(error).split())}") from None
    clocks = frozenset(index for index, column in enumerate(table.columns) if _is_clock(column.type))
    return Table(source, tuple(table.column_names), columns, np.arange(table.num_rows) + 1, clocks)


def _is_clock(kind: pa.DataType) -> bool:
    return pa.types.is_timestamp(kind) or pa.types.is_duration(kind) or pa.types.is_time(kind)


def _column(column: pa.ChunkedArray) -> Sequence[str] | np.ndarray | None:
    """A column as numbers, times as seconds, or as text; None where it is neither."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if _is_clock(kind):
        number = pa.int32() if pa.types.is_time32(kind) else pa.int64()
        return _UNITS[kind.unit] * np.asarray(column.cast(number).to_numpy(), "float64")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return np.asarray(column.to_numpy(), "float64")
    if pa.types.is_decimal(kind) or pa.types.is_null(kind):
        return np.asarray(column.cast(pa.float64()).to_numpy(), "float64")
    if pa.types.is_boolean(kind):
        return np.asarray(column.cast(pa.int8()).to_numpy(), "float64")
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return ["" if text is None else text for text in column.to_pylist()]
    return None
