"""Walks in tables: a row for each frame, or for each joint of each frame."""

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np

from agegait.recordings.files.limits import MOST_COORDINATES, check_size
from agegait.recordings.formats.table import Table, looks_like_number
from agegait.recordings.formats.tracking import tracked_of
from agegait.recordings.formats.walk_columns import WalkColumns, find_columns, joint_order
from agegait.recordings.frame_times import frame_seconds
from agegait.recordings.recording import Recording, listed

_STATES = {"false": 0.0, "nottracked": 0.0, "not_tracked": 0.0, "inferred": 1.0, "tracked": 2.0, "true": 1.0}
"""Words for whether a joint was tracked."""

_MOST_ROWS = MOST_COORDINATES // 3
"""Of a table with a row for each joint."""


def read_table(blocks: Iterator[Table]) -> Recording:
    """Reads a walk from a table, see `find_columns` for its columns; without a header, x, y and z of each joint.

    Args:
        blocks: Tables of the same columns, at least one, each with some of the rows. They are read up to what a walk
            may have.

    Raises:
        ValueError: A table that is no walk, or too large. The message names the line and the column.
    """
    first = next(blocks)
    columns = _columns(first)
    table = _joined(first, blocks, columns)
    return _read_wide(table, columns) if columns.joint is None else _read_long(table, columns, columns.joint)


def _columns(table: Table) -> WalkColumns:
    if table.names is None:
        if len(table.columns) % 3:
            raise ValueError(
                f"{table.source}: expected x, y and z of each joint, or a header, found {len(table.columns)} columns "
                "without a header."
            )
        starts = range(0, len(table.columns), 3)
        return WalkColumns(tuple((start, start + 1, start + 2) for start in starts))
    try:
        return find_columns(table.names)
    except ValueError as error:
        raise ValueError(f"{table.source}: {error}") from None


def _joined(first: Table, others: Iterator[Table], columns: WalkColumns) -> Table:
    """One table of the columns that are read: of numbers, but for the joints and for times that are none."""
    states = [column for column in columns.tracked if column is not None]
    arrays: dict[int, list[np.ndarray]] = {column: [] for triple in columns.coordinates for column in triple}
    arrays |= {column: [] for column in (*states, columns.frame, columns.time) if column is not None}
    words: dict[int, list[str]] = {} if columns.joint is None else {columns.joint: []}
    if columns.time is not None and len(first.lines) and not looks_like_number(first.texts(columns.time)[0]):
        words[columns.time] = []
        del arrays[columns.time]
    known: dict[str, str] = {}  # the same few texts come in all rows
    lines: list[np.ndarray] = []
    rows = 0
    for block in chain([first], others):
        rows += len(block.lines)
        if columns.joint is None:
            check_size(block.source, rows, len(columns.coordinates))
        elif rows > _MOST_ROWS:
            raise ValueError(f"{block.source}: expected at most {_MOST_ROWS:,} rows, found more; cut the recording.")
        for column, parts in arrays.items():
            parts.append(block.numbers(column, _STATES if column in states else {}))
        for column, entries in words.items():
            entries.extend(known.setdefault(text, text) for text in block.texts(column))
        lines.append(block.lines)
    joined: list[Sequence[str] | np.ndarray | None] = [None] * len(first.columns)
    for column, parts in arrays.items():
        joined[column] = np.concatenate(parts)
    for column, entries in words.items():
        joined[column] = entries
    return Table(first.source, first.names, joined, np.concatenate(lines), first.clocks)


def _read_wide(table: Table, columns: WalkColumns) -> Recording:
    axes = [np.stack([table.numbers(triple[axis]) for triple in columns.coordinates], axis=1) for axis in range(3)]
    tracked = None
    if any(column is not None for column in columns.tracked):
        seen = np.ones(len(table.lines))
        states = [seen if column is None else table.numbers(column, _STATES) for column in columns.tracked]
        tracked = tracked_of(np.stack(states, axis=1), table.source)
    remarks = [] if columns.frame is None else _check_frames(table, columns.frame)
    rows = np.arange(len(table.lines))
    return _recording(table, columns, rows, np.stack(axes, axis=-1), columns.names, tracked, remarks)


def _read_long(table: Table, columns: WalkColumns, column: int) -> Recording:
    key = columns.time if columns.frame is None else columns.frame
    if key is None:
        raise ValueError(
            f"{table.source}: expected a column that numbers the frames, as each joint has a row, found "
            f"{listed(table.names or ())}."
        )
    numbers, labels = _finite(table, key), table.texts(column)
    try:
        order, numbered = joint_order(labels)
    except ValueError as error:
        raise ValueError(f"{table.source}, {table.title(column)}: {error}") from None
    _, rows, frame = np.unique(numbers, return_index=True, return_inverse=True)
    check_size(table.source, len(rows), len(order))
    place = {label: index for index, label in enumerate(order)}
    joint = np.array([place[label] for label in labels], int)
    cells, first = np.unique(frame * len(order) + joint, return_index=True)
    if len(cells) < len(labels):
        row = int(np.setdiff1d(np.arange(len(labels)), first)[0])
        raise ValueError(
            f"{table.source}, line {table.lines[row]}: expected each joint once a frame, and one walk a file, found "
            f"{labels[row]} of frame {numbers[row]:g} again."
        )
    coordinates = np.full((len(rows), len(order), 3), np.nan)
    coordinates[frame, joint] = np.stack([table.numbers(axis) for axis in columns.coordinates[0]], axis=-1)
    tracked = None
    if columns.tracked[0] is not None:
        states = np.full(coordinates.shape[:2], np.nan)
        states[frame, joint] = table.numbers(columns.tracked[0], _STATES)
        tracked = tracked_of(states, f"{table.source}, {table.title(columns.tracked[0])}")
    return _recording(table, columns, rows, coordinates, None if numbered else tuple(order), tracked, [])


def _recording(
    table: Table,
    columns: WalkColumns,
    rows: np.ndarray,
    coordinates: np.ndarray,
    names: tuple[str, ...] | None,
    tracked: np.ndarray | None,
    remarks: list[str],
) -> Recording:
    """What both kinds of table end in; `rows` [T] are those in which frames begin."""
    seconds = None
    if columns.time is not None and len(rows):
        seconds, remark = _seconds(table, columns.time, columns.time_unit, rows)
        remarks = remarks + ([f"{table.title(columns.time)} {remark}"] if remark else [])
    if columns.unread:
        remarks = [*remarks, f"not read: {listed([(table.names or ())[column] for column in columns.unread])}"]
    return Recording(
        table.source,
        coordinates,
        names=names,
        tracked=tracked,
        seconds=seconds,
        lines=table.lines[rows],
        remarks=tuple(remarks),
    )


def _seconds(table: Table, column: int, unit: float | None, rows: np.ndarray) -> tuple[np.ndarray | None, str]:
    """When frames were taken, and a remark on how the column was understood.

    Raises:
        ValueError: Times fall.
    """
    entries = table.columns[column]
    if not isinstance(entries, np.ndarray):
        first = table.texts(column)[0]
        return None, f"not understood: {first[:40]!r}"
    times = _finite(table, column)[rows]
    if (np.diff(times) < 0).any():
        row = rows[np.flatnonzero(np.diff(times) < 0)[0] + 1]
        raise ValueError(f"{table.place(row, column)}: expected times in order, and one walk a file.")
    return frame_seconds(times, 1.0 if column in table.clocks else unit)


def _check_frames(table: Table, column: int) -> list[str]:
    """Remarks on the frames' numbers.

    Raises:
        ValueError: They do not rise.
    """
    numbers = _finite(table, column)
    steps = np.diff(numbers)
    if (steps <= 0).any():
        row = int(np.flatnonzero(steps <= 0)[0]) + 1
        raise ValueError(
            f"{table.place(row, column)}: expected frames in order, and one walk a file, found {numbers[row]:g} after "
            f"{numbers[row - 1]:g}."
        )
    if not len(steps) or (steps == np.median(steps)).all():
        return []
    row = int(np.flatnonzero(steps != np.median(steps))[0]) + 1
    return [f"frames are missing: {numbers[row]:g} follows {numbers[row - 1]:g}"]


def _finite(table: Table, column: int) -> np.ndarray:
    numbers = table.numbers(column)
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise ValueError(f"{table.place(row, column)}: expected a number, found none.")
    return numbers
