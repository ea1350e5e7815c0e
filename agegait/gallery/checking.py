"""How near the templates of a gallery are to each other, in a transaction of the caller's."""

from collections.abc import Sequence

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from agegait.gallery import tables
from agegait.gallery.duplicate import Duplicate
from agegait.gallery.person import Person
from agegait.gallery.walk_check import WalkCheck

_ROWS_AT_ONCE = 256
_MOST_PAIRS = 10_000
"""Of people who look alike: with more, the threshold tells nobody from anybody."""


def compare_all(
    connection: sa.Connection, people: Sequence[Person], limit: float
) -> tuple[list[WalkCheck], list[Duplicate]]:
    """Compares all templates with each other.

    Args:
        connection: In a transaction.
        people: All who are enrolled.
        limit: The distance up to which walks count as one person's.

    Returns:
        Each walk beside the nearest others; pairs of people with walks within the limit, the nearest first.

    Raises:
        ValueError: So many such pairs that the limit makes no sense.
    """
    names = {person.id: person.name for person in people}
    columns = tables.templates.c
    query = sa.select(columns.person, columns.frames, columns.embedding).order_by(columns.person, columns.id)
    rows = [row for row in connection.execute(query) if row.person in names]
    if not rows:
        return [], []
    embeddings, persons = np.stack([row.embedding for row in rows]), np.array([row.person for row in rows])
    walks: list[WalkCheck] = []
    pairs: dict[tuple[int, int], float] = {}
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        own, apart = _distances(embeddings, persons, start)
        for row, (to_own, to_others) in enumerate(zip(own.min(axis=1), apart, strict=True), start):
            place = int(to_others.argmin())
            other = float(to_others[place])
            number = row - int(np.searchsorted(persons, persons[row])) + 1
            nearest = names[int(persons[place])] if np.isfinite(other) else None
            name, frames = names[int(persons[row])], rows[row].frames
            walks.append(WalkCheck(name, number, frames, _finite(float(to_own)), _finite(other), nearest))
        for row, column in np.argwhere(apart <= limit).tolist():
            pair = int(persons[start + row]), int(persons[column])
            if pair[0] < pair[1]:
                pairs[pair] = min(pairs.get(pair, np.inf), float(apart[row, column]))
        if len(pairs) > _MOST_PAIRS:
            raise ValueError(
                f"threshold: expected a distance that few people are within from each other, received {limit:.3f}, "
                f"which more than {_MOST_PAIRS:,} pairs are."
            )
    nearest_first = sorted(pairs.items(), key=lambda pair: pair[1])
    return walks, [Duplicate(names[first], names[second], distance) for (first, second), distance in nearest_first]


def _distances(
    embeddings: NDArray[np.float32], persons: NDArray[np.int64], start: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Distances of some templates to the same person's others, and to everybody else's; infinite elsewhere."""
    rows = np.arange(start, min(start + _ROWS_AT_ONCE, len(persons)))
    distances = np.maximum(1 - embeddings[rows] @ embeddings.T, 0)
    distances[np.arange(len(rows)), rows] = np.inf
    same = persons[rows, None] == persons
    return np.where(same, distances, np.inf), np.where(same, np.inf, distances)


def _finite(distance: float) -> float | None:
    return distance if np.isfinite(distance) else None
