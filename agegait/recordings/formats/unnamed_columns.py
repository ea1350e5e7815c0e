"""The columns of a table without a header."""

from typing import Any

import numpy as np

from agegait import skeletons
from agegait.recordings.formats.table import Table, looks_like_number
from agegait.recordings.formats.walk_columns import WalkColumns

_HIGHEST_STATE = 2
_MOST_BEFORE = 2
"""Columns before the first joint's: a frame's number and its time."""

_CAD60 = 171
"""Columns of CAD-60 and CAD-120: the frame; of 11 joints the orientation, place and confidences; of 4 the place."""

_CAD60_NAMES = (
    *("Head", "Neck", "Torso", "LeftShoulder", "LeftElbow", "RightShoulder", "RightElbow", "LeftHip", "LeftKnee"),
    *("RightHip", "RightKnee", "LeftHand", "RightHand", "LeftFoot", "RightFoot"),
)

_LEAST_JOINTS, _MOST_JOINTS = 10, 60
_MOST_LONG = 12
"""Columns of a table with a row for each joint."""


def columns_without_names(table: Table) -> WalkColumns:
    """Takes columns as x, y and z of each joint, or as x, y, z and a state where each fourth one has states.

    Before them may be the frames' numbers or times. A table may have a row for each joint, too, with the joint's number
    or name before x, y and z.

    Args:
        table: The first rows at least.

    Raises:
        ValueError: Columns of another number.
    """
    count = len(table.columns)
    titles = tuple(f"column {column + 1}" for column in range(count))
    if count <= _MOST_LONG and (long := _long(table, titles)):
        return long
    if count in (3, 4) and len(table.lines) > _LEAST_JOINTS:
        raise ValueError(
            f"{table.source}: expected x, y and z of each joint of a frame in a row, found rows of {count} numbers "
            "without a header: as of one joint each, and none that says which joint. A column of the joints' names or "
            "numbers before x would say so."
        )
    if count == _CAD60:
        starts = [*(1 + 14 * joint + 10 for joint in range(11)), *(155 + 4 * joint for joint in range(4))]
        triples = tuple((start, start + 1, start + 2) for start in starts)
        states = tuple(start + 3 for start in starts)
        return WalkColumns(triples, titles, _CAD60_NAMES, tracked=states, frame=0, units="mm")
    for before in range(_MOST_BEFORE + 1):
        own = range(before, count)
        if len(own) % 4 or not len(table.lines) or not _counters(table, before):
            continue
        if (len(own) % 3 or skeletons.schemas_of(len(own) // 4)) and _are_states(table, own):
            joints = range(before, count, 4)
            triples, tracked = tuple((i, i + 1, i + 2) for i in joints), tuple(i + 3 for i in joints)
            return WalkColumns(triples, titles, tracked=tracked, **_before(table, before))
    before = count % 3
    if count > 3 and _counters(table, before):
        triples = tuple((i, i + 1, i + 2) for i in range(before, count, 3))
        return WalkColumns(triples, titles, tracked=(None,) * len(triples), **_before(table, before))
    raise ValueError(
        f"{table.source}: expected x, y and z of each joint, perhaps behind a frame's number and time, or a header, "
        f"found {count} columns without a header."
    )


def _long(table: Table, titles: tuple[str, ...]) -> WalkColumns | None:
    """The columns of a table with a row for each joint: of its name or number, which come round again, then x, y, z."""
    for joint in range(min(3, len(table.columns) - 3)):
        labels = table.texts(joint)
        joints = labels.index(labels[0], 1) if labels and labels[0] in labels[1:] else 0
        if not _LEAST_JOINTS <= joints <= _MOST_JOINTS or len(set(labels[:joints])) < joints:
            continue
        if any(label != labels[row % joints] for row, label in enumerate(labels)):
            continue
        if not all(_is_place(table, joint + axis) for axis in (1, 2, 3)):
            continue
        before = [_whole_frames(table, column, joints) for column in range(joint)]
        if not all(before):
            continue
        state = joint + 4 if joint + 4 < len(table.columns) and _is_state(table, joint + 4) else None
        return WalkColumns(
            ((joint + 1, joint + 2, joint + 3),), titles, joint=joint, tracked=(state,), **_before(table, joint)
        )
    return None


def _before(table: Table, before: int) -> dict[str, Any]:
    """Which of the columns before the joints are the frames' numbers and times."""
    columns = list(range(before))
    frame = next((column for column in columns if _are_whole(table, column)), None)
    return {"frame": frame, "times": tuple((column, None) for column in columns if column != frame)}


def _counters(table: Table, before: int) -> bool:
    """Whether the first columns rise from row to row."""
    for column in range(before):
        if not _numeric(table, column):
            return False
        steps = np.diff(table.numbers(column))
        if not (steps >= 0).all() or not (steps > 0).any():
            return False
    return True


def _whole_frames(table: Table, column: int, joints: int) -> bool:
    """Whether a column rises with the frames, and not within them."""
    if not _numeric(table, column):
        return False
    steps = np.diff(table.numbers(column))
    within = np.arange(1, len(steps) + 1) % joints != 0
    return bool((steps[within] == 0).all() and (steps[~within] > 0).all())


def _numeric(table: Table, column: int) -> bool:
    return all(map(looks_like_number, table.texts(column)))


def _are_whole(table: Table, column: int) -> bool:
    numbers = table.numbers(column)
    return bool((numbers == np.round(numbers)).all() and np.ptp(numbers) < 100 * max(1, len(numbers)))


def _is_place(table: Table, column: int) -> bool:
    return _numeric(table, column) and not bool((table.numbers(column) == np.round(table.numbers(column))).all())


def _is_state(table: Table, column: int) -> bool:
    return not _numeric(table, column) or bool(np.isin(table.numbers(column), range(_HIGHEST_STATE + 1)).all())


def _are_states(table: Table, columns: range) -> bool:
    """Whether each fourth column holds 0, 1 and 2 alone, as Kinect's states of tracking, or 0 and 1 alone."""
    states = np.stack([table.numbers(column) for column in columns[3::4]])
    return bool(np.isin(states, range(_HIGHEST_STATE + 1)).all())
