"""Walks in tables: a row for each frame, or for each joint of each frame; of one person or of everybody."""

from collections.abc import Iterator

import numpy as np

from agegait.recordings.files.limits import check_size
from agegait.recordings.formats.table import Table
from agegait.recordings.formats.table_frames import frames_of, times_of
from agegait.recordings.formats.table_parts import joined
from agegait.recordings.formats.table_tracks import Track, present, split
from agegait.recordings.formats.tracking import STATES, tracked_of
from agegait.recordings.formats.unnamed_columns import columns_without_names
from agegait.recordings.formats.walk_columns import WalkColumns, find_columns, joint_order
from agegait.recordings.recording import Recording, listed
from agegait.recordings.walk_format import WalkFormat


def read_tables(blocks: Iterator[Table], walk_format: WalkFormat) -> list[Recording]:
    """Reads walks from a table, see `find_columns` for its columns; without a header, x, y and z of each joint.

    Args:
        blocks: Tables of the same columns, at least one, each with some of the rows. They are read up to what a walk
            may have.
        walk_format: How they are to be understood.

    Returns:
        A recording for each walk of each person, and for each body that is there at once with others.

    Raises:
        ValueError: A table that is no walk, or too large. The message names the line and the column.
    """
    first = next(blocks)
    columns = columns_of(first, walk_format)
    table = joined(first, blocks, columns)
    if not len(table.lines):
        raise ValueError(f"{table.source}: expected at least one frame, found none.")
    read = _read_wide if columns.joint is None else _read_long
    recordings = []
    for body, own in columns.of_bodies():
        tracks = split(table, own)
        for track in tracks if body is None else present(table, own, tracks, body):
            part = table if len(track.rows) == len(table.lines) else table.take(track.rows)
            recordings.append(read(part, own, track))
    return recordings


def columns_of(table: Table, walk_format: WalkFormat) -> WalkColumns:
    """What a table's columns mean.

    Raises:
        ValueError: No coordinates, or the like, see `find_columns`.
    """
    if table.names is None:
        return columns_without_names(table)
    try:
        return find_columns(table.names, walk_format.person_column, bool(getattr(walk_format, "joint_map", None)))
    except ValueError as error:
        raise ValueError(f"{table.source}: {error}") from None


def _read_wide(table: Table, columns: WalkColumns, track: Track) -> Recording:
    axes = [np.stack([table.numbers(triple[axis]) for triple in columns.coordinates], axis=1) for axis in range(3)]
    tracked = None
    if any(column is not None for column in columns.tracked):
        seen = np.ones(len(table.lines))
        states = [seen if column is None else _states(table, columns, column) for column in columns.tracked]
        tracked = tracked_of(np.stack(states, axis=1), table.source)
    numbers = track.frames
    if numbers is None and columns.frame is not None:
        numbers = _finite(table, columns.frame)
    rows = np.arange(len(table.lines))
    return _recording(table, columns, track, rows, numbers, np.stack(axes, axis=-1), columns.names, tracked)


def _read_long(table: Table, columns: WalkColumns, track: Track) -> Recording:
    column = columns.joint or 0
    numbers, labels = _frame_keys(table, columns), table.texts(column)
    try:
        order, numbered = joint_order(labels)
    except ValueError as error:
        raise ValueError(f"{table.source}, {table.title(column)}: {error}") from None
    keys, rows, frame = np.unique(numbers, return_index=True, return_inverse=True)
    check_size(table.source, len(rows), len(order))
    place = {label: index for index, label in enumerate(order)}
    joint = np.array([place[label] for label in labels], int)
    _, first, cell = np.unique(frame * len(order) + joint, return_index=True, return_inverse=True)
    places = np.stack([table.numbers(axis) for axis in columns.coordinates[0]], axis=-1)
    other = np.setdiff1d(np.arange(len(labels)), first)
    before = first[cell[other]]
    same = ((places[other] == places[before]) | (np.isnan(places[other]) & np.isnan(places[before]))).all(axis=-1)
    if not same.all():
        row = int(other[~same][0])
        raise ValueError(
            f"{table.source}, line {table.lines[row]}: expected each joint once a frame, and one walk a file, found "
            f"{labels[row]} of frame {numbers[row]:.15g} again; columns such as person and walk tell several apart."
        )
    coordinates = np.full((len(rows), len(order), 3), np.nan)
    coordinates[frame[first], joint[first]] = places[first]
    remarks: tuple[str, ...] = ()
    if len(other):
        remarks = (f"{len(other)} rows are there twice (line {table.lines[other[0]]} is the first) and were left out",)
    tracked = None
    if columns.tracked[0] is not None:
        states = np.full(coordinates.shape[:2], np.nan)
        states[frame[first], joint[first]] = _states(table, columns, columns.tracked[0])[first]
        tracked = tracked_of(states, f"{table.source}, {table.title(columns.tracked[0])}")
    names = None if numbered else tuple(order)
    counted = keys if columns.frame is not None else None
    return _recording(table, columns, track, rows, counted, coordinates, names, tracked, remarks)


def _recording(
    table: Table,
    columns: WalkColumns,
    track: Track,
    rows: np.ndarray,
    numbers: np.ndarray | None,
    coordinates: np.ndarray,
    names: tuple[str, ...] | None,
    tracked: np.ndarray | None,
    remarks: tuple[str, ...] = (),
) -> Recording:
    """What both kinds of table end in; `rows` [R] are those in which frames begin."""
    frames = frames_of(table, columns, rows, numbers, coordinates)
    begins = rows[frames.kept]
    changes = {int(place) for place in np.searchsorted(begins, track.changes)}
    unread = [columns.titles[column] for column in columns.unread if columns.titles[column].strip()]
    return Recording(
        table.source,
        coordinates[frames.kept],
        names=names,
        tracked=None if tracked is None else tracked[frames.kept],
        units=columns.units or table.units,
        seconds=frames.seconds,
        frame_rate=frames.frame_rate or (table.frame_rate if frames.seconds is None else None),
        lines=table.lines[begins],
        person=track.person,
        walk=track.walk,
        body=track.body,
        breaks=tuple(sorted({*frames.breaks, *changes} - {0, len(begins)})),
        remarks=(
            *table.remarks,
            *remarks,
            *track.remarks,
            *frames.remarks,
            *([f"not read: {listed(unread)}"] if unread else []),
        ),
    )


def _states(table: Table, columns: WalkColumns, column: int) -> np.ndarray:
    states = table.numbers(column, STATES)
    return 2 - states if columns.inferred else states


def _frame_keys(table: Table, columns: WalkColumns) -> np.ndarray:
    """[R], what tells the frames of a long table apart."""
    if columns.frame is not None:
        return _finite(table, columns.frame)
    for column, _ in columns.times:
        times, _ = times_of(table, column, np.arange(len(table.lines)))
        if times is not None:
            return times
    labels = np.unique(table.texts(columns.joint or 0), return_inverse=True)[1]
    joints = int(labels.max()) + 1
    if len(labels) % joints == 0 and (rounds := labels.reshape(-1, joints) == labels[:joints]).all() and rounds.size:
        return np.repeat(np.arange(len(rounds)), joints).astype(float)  # each frame has all joints in one order
    raise ValueError(
        f"{table.source}: expected a column that numbers the frames, as each joint has a row, found "
        f"{listed(table.names or ())}."
    )


def _finite(table: Table, column: int) -> np.ndarray:
    numbers = table.numbers(column)
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise ValueError(f"{table.place(row, column)}: expected a number, found none.")
    return numbers
