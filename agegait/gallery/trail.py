"""The rows of the audit trail, in a transaction of the caller's."""

from collections.abc import Iterable
from datetime import UTC, datetime

import sqlalchemy as sa

from agegait.gallery import tables
from agegait.gallery.audit_entry import AuditEntry


def note(connection: sa.Connection, actor: str, action: str, people: Iterable[int | None], detail: str = "") -> None:
    """Adds an entry for each of some people."""
    shared = {"time": datetime.now(UTC), "actor": actor, "action": action, "detail": detail}
    rows = [{**shared, "person": person} for person in people]
    if rows:
        connection.execute(tables.audit.insert(), rows)


def entries(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[AuditEntry]:
    """Entries, the oldest first."""
    columns = tables.audit.c
    query = sa.select(columns.time, columns.actor, columns.action, columns.person, columns.detail)
    return [AuditEntry(*row) for row in connection.execute(query.where(*conditions).order_by(columns.id))]
