"""Tables: CSV, TSV and Parquet."""

from pathlib import Path

from agegait.recordings.file_format import FileFormat
from agegait.recordings.files import opening
from agegait.recordings.formats import csv_tables
from agegait.recordings.formats.walk_tables import read_tables
from agegait.recordings.recording import Recording
from agegait.recordings.walk_format import WalkFormat


def _read_csv(path: Path, within: Path | None, walk_format: WalkFormat) -> list[Recording]:
    with opening.open_regular(path, within) as file:
        return read_tables(csv_tables.blocks(file, str(path)), walk_format)


def _read_parquet(path: Path, within: Path | None, walk_format: WalkFormat) -> list[Recording]:
    from agegait.recordings.formats import parquet_tables  # a tenth of a second that other files do not need

    with opening.open_regular(path, within) as file:
        return read_tables(parquet_tables.blocks(file, str(path), walk_format), walk_format)


FORMATS = (
    FileFormat("csv", "a table with commas, semicolons or tabs", (".csv", ".tsv", ".txt"), _read_csv),
    FileFormat("parquet", "a table of Parquet", (".parquet",), _read_parquet),
)
