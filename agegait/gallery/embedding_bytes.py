"""Embeddings as a database's bytes: as rows of text or lists they would take ten times as long to read."""

from collections.abc import Sequence

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from agegait.gallery import tables


def selected(connection: sa.Connection) -> sa.ColumnElement[bytes]:
    """The column of embeddings, for a query; `decoded` reads what it gives."""
    if connection.dialect.name == "postgresql":
        return sa.func.vector_send(tables.templates.c.embedding, type_=sa.LargeBinary)
    return sa.type_coerce(tables.templates.c.embedding, sa.LargeBinary)


def decoded(embeddings: Sequence[bytes], connection: sa.Connection) -> NDArray[np.float32]:
    """The embeddings `[W, D]` of some rows."""
    if connection.dialect.name == "postgresql":  # behind two numbers of two bytes each, the most significant byte first
        rows = np.frombuffer(b"".join(embeddings), "u1").reshape(len(embeddings), -1)
        return np.ascontiguousarray(rows[:, 4:]).view(">f4").astype("float32")
    return np.frombuffer(b"".join(embeddings), "<f4").reshape(len(embeddings), -1).astype("float32", copy=False)
