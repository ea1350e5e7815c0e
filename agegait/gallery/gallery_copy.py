import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from agegait.gallery import tables, trail
from agegait.gallery.database import Database
from agegait.gallery.database_error import GalleryDatabaseError
from agegait.gallery.gallery import Gallery, user_name
from agegait.gallery.state import State
from agegait.terminal.visible_text import visible

_ROWS_AT_ONCE = 2_000
_COPIED = (tables.people, tables.templates, tables.audit)
"""In this order: templates are people's."""


@dataclass(frozen=True)
class GalleryCopy:
    """What was copied from a gallery to another.

    Attributes:
        people: How many people.
        templates: How many templates.
        audit: How many entries of the audit trail.
        calibrated: Whether there was a calibration.
        fingerprint: Of the embedder of the templates; None where there were none yet.

    Example:
        >>> agegait.gallery.GalleryCopy(2, 5, 3, True, "a3f1").templates
        5
    """

    people: int
    templates: int
    audit: int
    calibrated: bool
    fingerprint: str | None


def copy_gallery(source: str, target: str, actor: str | None = None) -> GalleryCopy:
    """Copies a gallery into an empty one: from SQLite to PostgreSQL, back, or to another of the same kind.

    People keep their numbers, so that the audit trail, which is copied too, goes on. Nobody gets the number of somebody
    who was forgotten. Whoever is expired is deleted first. The copy shows the source as it was at one moment; it is
    written in one transaction, so all of it is there, or nothing. The audit trail of both notes it.

    Args:
        source: The gallery's URL, see `Gallery.open`.
        target: That of a gallery without anything in it, which is made where there is none.
        actor: Who copies, for the audit trail; the user of this process by default.

    Raises:
        ValueError: No gallery to copy, or something in the target.
        GalleryDatabaseError: A database that does not do as asked, or a target that is not what the source was.

    Example:
        >>> import tempfile
        >>> folder = tempfile.TemporaryDirectory()
        >>> url = f"sqlite:///{folder.name}/gallery.db"  # or that of PostgreSQL
        >>> agegait.Gallery.open(url).close()
        >>> agegait.gallery.copy_gallery(url, f"sqlite:///{folder.name}/copy.db").people
        0
        >>> folder.cleanup()
    """
    actor = visible(user_name() if actor is None else actor)
    with _database("source", source, makes=False) as there, _database("target", target) as here:
        _check_different(there, here)
        Gallery.open(source, actor=actor).close()  # which deletes whoever is expired
        with here.writes() as to:
            state = State.read(to, lock=True)
            if state.revision or any(to.execute(sa.select(table.c.id).limit(1)).first() for table in _COPIED):
                raise ValueError(f"target: expected an empty gallery, received {here.name}, which has something in it.")
            with there.writes() as connection:
                trail.note(connection, actor, "copy", [None], f"to {'SQLite' if here.is_sqlite else 'PostgreSQL'}")
            with there.reads() as connection:
                return _copy(connection, to)


@contextlib.contextmanager
def _database(argument: str, url: str, makes: bool = True) -> Iterator[Database]:
    try:
        database = Database(url, makes)
    except ValueError as error:
        raise ValueError(f"{argument}: {str(error).removeprefix('url: ')}") from None
    with contextlib.closing(database):
        yield database


def _copy(source: sa.Connection, target: sa.Connection) -> GalleryCopy:
    state = State.read(source)
    if state.embedding_size and target.dialect.name == "postgresql":
        kind = f"vector({state.embedding_size})"
        target.execute(sa.text(f"ALTER TABLE gallery_template ALTER embedding TYPE {kind} USING NULL"))
    calibration = source.scalar(sa.select(tables.state.c.calibration))
    state.write(target)
    target.execute(tables.state.update().values(calibration=calibration))
    counts = []
    for table in _COPIED:
        for rows in _parts(source, table):
            target.execute(table.insert(), rows)
        _continue_numbers(source, target, table)
        expected, found = (connection.scalar(_count(table)) or 0 for connection in (source, target))
        if expected != found:
            raise GalleryDatabaseError(f"target: expected {expected} rows of {table.name}, found {found}.")
        counts.append(found)
    people, templates, audit = counts
    return GalleryCopy(people, templates, audit, calibration is not None, state.fingerprint)


def _parts(connection: sa.Connection, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
    """The rows of a table, some at once: a gallery may have millions."""
    query = sa.select(table).order_by(table.c.id).execution_options(yield_per=_ROWS_AT_ONCE)
    for part in connection.execute(query).mappings().partitions():
        yield [dict(row) for row in part]


def _count(table: sa.Table) -> sa.Select[int]:
    return sa.select(sa.func.count()).select_from(table)


def _continue_numbers(source: sa.Connection, target: sa.Connection, table: sa.Table) -> None:
    """Lets the target go on with the source's numbers: one that is not there any more is nobody else's later."""
    last = _last_number(source, table)
    if target.dialect.name == "postgresql":
        if last:
            target.execute(sa.select(sa.func.setval(_sequence(table), last)))
        return
    name = {"name": table.name}
    target.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), name)
    target.execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), {**name, "last": last})


def _last_number(connection: sa.Connection, table: sa.Table) -> int:
    """The highest number that was ever given."""
    if connection.dialect.name == "postgresql":
        sequence = connection.scalar(sa.select(_sequence(table)))
        given = connection.scalar(sa.text(f"SELECT last_value FROM {sequence} WHERE is_called"))
    else:
        given = connection.scalar(sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
    return max(given or 0, connection.scalar(sa.select(sa.func.max(table.c.id))) or 0)


def _sequence(table: sa.Table) -> sa.ColumnElement[str]:
    return sa.func.pg_get_serial_sequence(table.name, "id")


def _check_different(source: Database, target: Database) -> None:
    files = [database.file for database in (source, target) if database.file is not None]
    if source.name == target.name or (len(files) == 2 and files[0].samefile(files[1])):
        raise ValueError("target: expected another gallery than the source, received the same.")
