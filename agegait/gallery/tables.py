"""The tables of a gallery. Names of people stand in `people` alone, and walks nowhere."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

metadata = sa.MetaData()


class Time(sa.TypeDecorator[datetime]):
    """A time in UTC: SQLite knows no time zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """As the database stores it."""
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """As Python knows it."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Embedding(sa.TypeDecorator[NDArray[np.float32]]):
    """An embedding `[D]`: pgvector's `vector`, in SQLite its float32 numbers, the least byte first."""

    impl = sa.LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The database's own type."""
        if dialect.name == "postgresql":
            from pgvector.sqlalchemy import VECTOR  # of the extra `postgres`

            return dialect.type_descriptor(VECTOR())
        return dialect.type_descriptor(sa.LargeBinary())

    def process_bind_param(self, value: NDArray[np.float32] | None, dialect: Dialect) -> Any:
        """As the database takes it."""
        if value is None:
            return None
        return value if dialect.name == "postgresql" else np.asarray(value, "<f4").tobytes()

    def process_result_value(self, value: Any, dialect: Dialect) -> NDArray[np.float32] | None:
        """As NumPy has it."""
        if value is None:
            return None
        return np.asarray(value, "float32") if dialect.name == "postgresql" else np.frombuffer(value, "<f4")


state = sa.Table(
    "gallery",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("removals", sa.BigInteger, nullable=False),
    sa.Column("unwiped", sa.Boolean, nullable=False),
    sa.Column("fingerprint", sa.String(64)),
    sa.Column("embedding_size", sa.Integer),
    sa.Column("calibration", sa.Text),
    comment="one row",
)

people = sa.Table(
    "gallery_person",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("plain_name", sa.Text, nullable=False, unique=True),
    sa.Column("consent", sa.Text, nullable=False),
    sa.Column("enrolled", Time, nullable=False),
    sa.Column("expires", Time, index=True),
    sqlite_autoincrement=True,  # the number of somebody forgotten is never another's
)

templates = sa.Table(
    "gallery_template",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("person", sa.Integer, sa.ForeignKey("gallery_person.id"), nullable=False, index=True),
    sa.Column("embedding", Embedding, nullable=False),
    sa.Column("frames", sa.Integer, nullable=False),
    sa.Column("tracked", sa.Float, nullable=False),
    sa.Column("steadiness", sa.Float),
    sa.Column("enrolled", Time, nullable=False),
    sqlite_autoincrement=True,  # numbers only grow: what is new is found by them
)

audit = sa.Table(
    "gallery_audit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("time", Time, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("person", sa.Integer, index=True),  # no foreign key: the number outlives the person
    sa.Column("detail", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)
