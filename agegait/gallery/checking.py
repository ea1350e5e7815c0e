"""How near the templates of a gallery are to each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agegait.gallery.duplicate import Duplicate
from agegait.gallery.person import Person
from agegait.gallery.snapshot import Snapshot
from agegait.gallery.walk_check import WalkCheck

_MOST_PAIRS = 10_000
"""Of people who look alike: with more, the threshold tells nobody from anybody."""


@dataclass(frozen=True, eq=False)
class Nearest:
    """How far some walks are from the nearest others.

    Attributes:
        probes: `[P]` numbers of the walks in their snapshot.
        own: `[P]` distance to the nearest other walk of the same person; infinite where there is none.
        other: `[P]` distance to the nearest walk of somebody else; infinite where there is nobody.
        place: `[P]` number of that walk.
    """

    probes: NDArray[np.int64]
    own: NDArray[np.float32]
    other: NDArray[np.float32]
    place: NDArray[np.int64]


def find_nearest(
    snapshot: Snapshot,
    probes: NDArray[np.int64] | None = None,
    limit: float = -1.0,
    pairs: dict[tuple[int, int], float] | None = None,
) -> Nearest:
    """Compares walks with all others.

    Args:
        snapshot: All walks.
        probes: Which of them to compare; all by default.
        limit: The distance up to which walks count as one person's.
        pairs: Filled with the numbers of people who have walks within the limit, and the distance of the nearest.

    Raises:
        ValueError: So many such pairs that the limit makes no sense.
    """
    probes = np.arange(len(snapshot)) if probes is None else probes
    own, other = np.full(len(probes), np.inf, "float32"), np.full(len(probes), np.inf, "float32")
    place, done = np.zeros(len(probes), "int64"), 0
    for rows, columns, distances, same in snapshot.distances(probes):
        part = slice(done, done + len(rows))
        if columns[-1] == len(snapshot) - 1:
            done += len(rows)
        if same.any():
            own[part] = np.minimum(own[part], np.where(same, distances, np.inf).min(axis=1))
            distances[same] = np.inf
        nearest = distances.argmin(axis=1)
        found = distances[np.arange(len(rows)), nearest]
        place[part] = np.where(found < other[part], columns[nearest], place[part])
        other[part] = np.minimum(found, other[part])
        if pairs is not None:
            _collect(pairs, snapshot.persons, rows, columns, distances, limit)
    return Nearest(probes, own, other, place)


def _collect(
    pairs: dict[tuple[int, int], float],
    persons: NDArray[np.int64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    distances: NDArray[np.float32],
    limit: float,
) -> None:
    for row, column in np.argwhere(distances <= limit).tolist():
        pair = int(persons[rows[row]]), int(persons[columns[column]])
        if pair[0] < pair[1]:
            pairs[pair] = min(pairs.get(pair, np.inf), float(distances[row, column]))
    if len(pairs) > _MOST_PAIRS:
        raise ValueError(
            f"threshold: expected a distance that few people are within from each other, received {limit:.3f}, "
            f"which more than {_MOST_PAIRS:,} pairs are."
        )


def compare_all(
    snapshot: Snapshot, people: Sequence[Person], limit: float
) -> tuple[list[WalkCheck], list[Duplicate], Nearest]:
    """Compares all templates with each other.

    Args:
        snapshot: The templates.
        people: All who are enrolled.
        limit: The distance up to which walks count as one person's.

    Returns:
        Each walk beside the nearest others; pairs of people with walks within the limit, the nearest first; and how far
        each walk is from the nearest others.

    Raises:
        ValueError: So many such pairs that the limit makes no sense.
    """
    names = {person.id: person.name for person in people}
    pairs: dict[tuple[int, int], float] = {}
    nearest = find_nearest(snapshot, limit=limit, pairs=pairs)
    others = [names[person] for person in snapshot.persons[nearest.place].tolist()] if len(snapshot) else []
    walks = [
        WalkCheck(names[person], number, frames, _finite(own), _finite(other), name if np.isfinite(other) else None)
        for person, number, frames, own, other, name in zip(
            snapshot.persons.tolist(),
            snapshot.numbers().tolist(),
            snapshot.frames.tolist(),
            nearest.own.tolist(),
            nearest.other.tolist(),
            others,
            strict=True,
        )
    ]
    nearest_first = sorted(pairs.items(), key=lambda pair: pair[1])
    duplicates = [Duplicate(names[first], names[second], distance) for (first, second), distance in nearest_first]
    return walks, duplicates, nearest


def _finite(distance: float) -> float | None:
    return distance if np.isfinite(distance) else None
