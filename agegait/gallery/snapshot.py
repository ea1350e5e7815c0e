from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from agegait.gallery import embedding_bytes, tables
from agegait.gallery.person import Person

_ROWS_AT_ONCE = 10_000
_COLUMNS_AT_ONCE = 4_096
_PROBES_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class Snapshot:
    """All templates of a gallery as they were at one moment, to be compared when the transaction is over.

    Attributes:
        embeddings: `[W, D]`, of unit length, those of a person one after another.
        persons: `[W]` numbers, ascending.
        frames: `[W]` of the walks.
        days: `[W]` when each was enrolled, as days since 1970 in UTC.
    """

    embeddings: NDArray[np.float32]
    persons: NDArray[np.int64]
    frames: NDArray[np.int64]
    days: NDArray[np.float64]

    @classmethod
    def read(cls, connection: sa.Connection, people: Sequence[Person]) -> "Snapshot":
        """Reads the templates of people.

        Args:
            connection: In a transaction, to be ended before what was read is compared.
            people: Those who count.
        """
        columns = tables.templates.c
        query = sa.select(columns.person, columns.frames, columns.enrolled, embedding_bytes.selected(connection))
        query = query.order_by(columns.person, columns.id).execution_options(yield_per=_ROWS_AT_ONCE)
        parts = []
        for part in connection.execute(query).partitions():
            persons, frames, enrolled, embeddings = zip(*part, strict=True)
            days = np.array([time.timestamp() / 86_400 for time in enrolled])
            vectors = embedding_bytes.decoded(embeddings, connection)
            parts.append((vectors, np.array(persons, "int64"), np.array(frames, "int64"), days))
        if not parts:
            return cls(np.empty((0, 0), "float32"), np.empty(0, "int64"), np.empty(0, "int64"), np.empty(0))
        arrays = [np.concatenate(column) for column in zip(*parts, strict=True)]
        counted = np.isin(arrays[1], np.array([person.id for person in people], "int64"))
        return cls(*(arrays if counted.all() else [array[counted] for array in arrays]))

    def __len__(self) -> int:
        return len(self.persons)

    def numbers(self) -> NDArray[np.int64]:
        """Which of its person's walks each is, from 1."""
        return np.arange(len(self)) - np.searchsorted(self.persons, self.persons) + 1

    def distances(
        self, probes: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.bool_]]]:
        """Distances between walks, some thousands by some hundreds at once, as memory allows.

        Args:
            probes: Which walks are compared with all.

        Yields:
            Numbers of some of the probes `[P]` and of some walks `[C]`, the distances `[P, C]`, infinite from a walk to
            itself, and whether both are of one person `[P, C]`.
        """
        for first in range(0, len(probes), _PROBES_AT_ONCE):
            rows = probes[first : first + _PROBES_AT_ONCE]
            for start in range(0, len(self), _COLUMNS_AT_ONCE):
                columns = np.arange(start, min(start + _COLUMNS_AT_ONCE, len(self)))
                distances = self.embeddings[rows] @ self.embeddings[start : start + _COLUMNS_AT_ONCE].T
                np.maximum(np.subtract(1, distances, out=distances), 0, out=distances)
                distances[rows[:, None] == columns] = np.inf
                yield rows, columns, distances, self.persons[rows, None] == self.persons[columns]
