"""The columns of a table without a header."""

import numpy as np

from agegait import skeletons
from agegait.recordings.formats.table import Table
from agegait.recordings.formats.walk_columns import WalkColumns

_HIGHEST_STATE = 2


def columns_without_names(table: Table) -> WalkColumns:
    """Takes columns as x, y and z of each joint, or as x, y, z and a state where each fourth one has states.

    Args:
        table: The first rows at least.

    Raises:
        ValueError: Columns of another number.
    """
    count = len(table.columns)
    if count % 4 == 0 and len(table.lines) and (count % 3 or skeletons.schemas_of(count // 4)) and _are_states(table):
        starts = range(0, count, 4)
        triples, tracked = tuple((i, i + 1, i + 2) for i in starts), tuple(i + 3 for i in starts)
    elif count % 3 == 0:
        triples, tracked = tuple((i, i + 1, i + 2) for i in range(0, count, 3)), ()
    else:
        raise ValueError(
            f"{table.source}: expected x, y and z of each joint, or a header, found {count} columns without a header."
        )
    return WalkColumns(triples, tuple(f"column {column + 1}" for column in range(count)), tracked=tracked)


def _are_states(table: Table) -> bool:
    """Whether each fourth column holds 0, 1 and 2 alone, as Kinect's states of tracking, or 0 and 1 alone."""
    states = np.stack([table.numbers(column) for column in range(3, len(table.columns), 4)])
    return bool(np.isin(states, range(_HIGHEST_STATE + 1)).all())
