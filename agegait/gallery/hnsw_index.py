import threading
from collections.abc import Sequence

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from agegait.gallery import tables
from agegait.gallery.state import State

_LOOKED_THROUGH = 200
"""Least `hnsw.ef_search`, templates that a search looks through: the more, the rarer it misses the nearest."""

_MOST_LOOKED_THROUGH = 1000
"""What pgvector allows."""


class HnswIndex:
    """An approximate search in PostgreSQL, by pgvector: nothing in memory. May be shared by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._revision = -1
        self._sizes: dict[int, int] = {}

    def prepare(self, connection: sa.Connection) -> None:
        """Makes the index where there is none yet."""
        connection.execute(
            sa.text(
                "CREATE INDEX IF NOT EXISTS gallery_template_nearest ON gallery_template "
                "USING hnsw (embedding vector_ip_ops)"
            )
        )

    def follow(self, connection: sa.Connection, state: State) -> dict[int, int]:
        """How many people have so many templates."""
        with self._lock:
            if state.revision > self._revision:
                count = sa.select(sa.func.count(tables.templates.c.id).label("walks"))
                each = count.group_by(tables.templates.c.person).subquery()
                rows = connection.execute(sa.select(each.c.walks, sa.func.count()).group_by(each.c.walks))
                self._sizes = {int(walks): int(people) for walks, people in rows}
                self._revision = state.revision
            return self._sizes

    def search(self, connection: sa.Connection, embedding: NDArray[np.float32], count: int) -> list[tuple[int, float]]:
        """The people nearest to an embedding of unit length `[D]`, and their cosines, the nearest first."""
        columns = tables.templates.c
        wanted = max(_LOOKED_THROUGH, 8 * count)
        # The negative inner product. Of rows alone: a join would not be answered by the index.
        distance = columns.embedding.op("<#>", return_type=sa.Float())(embedding)
        query = sa.select(columns.person, distance.label("distance")).order_by(sa.text("distance")).limit(wanted)
        looked = min(wanted, _MOST_LOOKED_THROUGH)
        connection.execute(sa.text(f"SET LOCAL hnsw.ef_search = {looked}"))
        connection.execute(sa.text("SET LOCAL hnsw.iterative_scan = strict_order"))
        nearest: dict[int, float] = {}
        for person, value in connection.execute(query):
            nearest.setdefault(person, -value)
        return list(nearest.items())[:count]

    def drop(self, people: Sequence[int]) -> None:
        """Nothing: nobody is held in memory."""
