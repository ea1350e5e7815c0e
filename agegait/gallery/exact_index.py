import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from agegait.gallery import embedding_bytes, tables
from agegait.gallery.state import State

_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, eq=False)
class _Templates:
    """What a search sees, whatever is enrolled meanwhile."""

    embeddings: NDArray[np.float32]
    persons: NDArray[np.int64]
    sizes: dict[int, int]


class ExactIndex:
    """All templates in memory, kept in step with the database. May be shared by threads.

    Args:
        size: Size D of an embedding.
    """

    def __init__(self, size: int) -> None:
        self._lock = threading.Lock()
        self._revision, self._removals, self._newest = -1, 0, 0
        self._embeddings = np.empty((0, size), "float32")
        self._persons = np.empty(0, "int64")
        self._templates = _Templates(self._embeddings, self._persons, {})

    def prepare(self, connection: sa.Connection) -> None:
        """Nothing: the database needs no index for it."""

    def follow(self, connection: sa.Connection, state: State) -> dict[int, int]:
        """Reads what changed since the last time.

        Returns:
            How many people have so many templates.
        """
        with self._lock:
            if state.revision > self._revision:
                if state.removals > self._removals:
                    self._remove(connection)
                self._add(connection)
                self._revision, self._removals = state.revision, state.removals
            return self._templates.sizes

    def search(self, connection: sa.Connection, embedding: NDArray[np.float32], count: int) -> list[tuple[int, float]]:
        """The people nearest to an embedding of unit length `[D]`, and their cosines, the nearest first."""
        del connection
        templates = self._templates
        cosines = templates.embeddings @ embedding
        wanted = min(len(cosines), max(64, 8 * count))
        while True:  # as many templates as are of enough people
            rows = np.argpartition(cosines, len(cosines) - wanted)[len(cosines) - wanted :]
            rows = rows[np.argsort(-cosines[rows], kind="stable")]
            people, first = np.unique(templates.persons[rows], return_index=True)
            if len(people) >= count or wanted == len(cosines):
                break
            wanted = min(len(cosines), 4 * wanted)
        order = np.argsort(first)[:count]
        return [(int(people[place]), float(cosines[rows[first[place]]])) for place in order]

    def drop(self, people: Sequence[int]) -> None:
        """Removes the templates of people who were deleted, without a look at the database."""
        with self._lock:
            self._keep(~np.isin(self._templates.persons, np.array(people, "int64")))

    def _remove(self, connection: sa.Connection) -> None:
        there = np.fromiter(connection.scalars(sa.select(tables.people.c.id)), "int64")
        self._keep(np.isin(self._templates.persons, there))

    def _keep(self, kept: NDArray[np.bool_]) -> None:
        # New arrays: what was removed is not kept behind those that a search may still see.
        self._embeddings, self._persons = self._templates.embeddings[kept], self._templates.persons[kept]
        self._publish(len(self._persons))

    def _add(self, connection: sa.Connection) -> None:
        columns = tables.templates.c
        vectors = embedding_bytes.selected(connection)
        query = sa.select(columns.id, columns.person, vectors).where(columns.id > self._newest).order_by(columns.id)
        count, newest = len(self._templates.persons), self._newest
        unknown = sa.select(sa.func.count()).where(columns.id > newest).select_from(tables.templates)
        self._reserve(count, count + (connection.scalar(unknown) or 0))
        for part in connection.execute(query.execution_options(yield_per=_ROWS_AT_ONCE)).partitions():
            ids, persons, embeddings = zip(*part, strict=True)
            part_of_all = slice(count, count + len(ids))
            self._persons[part_of_all] = persons
            self._embeddings[part_of_all] = embedding_bytes.decoded(embeddings, connection)
            count += len(ids)
            newest = ids[-1]
        self._publish(count)
        self._newest = newest

    def _reserve(self, count: int, total: int) -> None:
        """Makes room for so many templates, and for some more, so that not each that is added moves all."""
        room = max(total, count * 5 // 4) - len(self._persons)
        if total > len(self._persons):
            self._persons = np.concatenate([self._persons, np.zeros(room, "int64")])
            added = np.zeros((room, self._embeddings.shape[1]), "float32")
            self._embeddings = np.concatenate([self._embeddings, added])

    def _publish(self, count: int) -> None:
        persons = self._persons[:count]
        numbers = np.unique(np.unique(persons, return_counts=True)[1], return_counts=True)
        sizes = dict(zip(*(column.tolist() for column in numbers), strict=True))
        self._templates = _Templates(self._embeddings[:count], persons, sizes)
