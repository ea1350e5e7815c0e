"""The first tables."""

import sqlalchemy as sa
from alembic import op

from agegait.gallery.tables import Embedding, Time

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the tables."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    made = op.create_table(
        "gallery",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("removals", sa.BigInteger, nullable=False),
        sa.Column("unwiped", sa.Boolean, nullable=False),
        sa.Column("fingerprint", sa.String(64)),
        sa.Column("embedding_size", sa.Integer),
        sa.Column("calibration", sa.Text),
        comment="one row",
    )
    op.bulk_insert(made, [{"id": 1, "revision": 0, "removals": 0, "unwiped": False}])
    op.create_table(
        "gallery_person",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("plain_name", sa.Text, nullable=False, unique=True),
        sa.Column("consent", sa.Text, nullable=False),
        sa.Column("enrolled", Time, nullable=False),
        sa.Column("expires", Time, index=True),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "gallery_template",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("person", sa.Integer, sa.ForeignKey("gallery_person.id"), nullable=False, index=True),
        sa.Column("embedding", Embedding, nullable=False),
        sa.Column("frames", sa.Integer, nullable=False),
        sa.Column("tracked", sa.Float, nullable=False),
        sa.Column("steadiness", sa.Float),
        sa.Column("enrolled", Time, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "gallery_audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("time", Time, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("person", sa.Integer, index=True),
        sa.Column("detail", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
