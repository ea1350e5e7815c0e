import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import alembic.command
import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from agegait.gallery.database_error import GalleryDatabaseError
from agegait.storage.disk_full import naming_full_disk
from agegait.storage.private_files import private_files, private_folder

_BUSY_SECONDS = 60
"""So long one process waits for what another writes."""

_PATIENCE = {"connect_timeout": 10, "tcp_user_timeout": 30_000}
"""So long PostgreSQL may take to be reached, in seconds, and to take what was sent, in milliseconds."""

_WRITABLE = "a file and a folder that can be written, as SQLite keeps its log beside the file"
_EXPECTED = {
    "unable to open database file": _WRITABLE,
    "attempt to write a readonly database": _WRITABLE,
    "file is not a database": "a gallery",
    "database disk image is malformed": "a file that is whole: restore a backup",
}
"""What is wrong where SQLite says so."""

_MIGRATION_LOCK = 0x616765676169
"""PostgreSQL's number of the lock under which one process alone makes the tables."""


class Database:
    """A gallery's database: its transactions and the version of its tables.

    Args:
        url: SQLAlchemy's, of a SQLite file or of PostgreSQL.
        makes: Whether a gallery is made where there is none.

    Raises:
        ValueError: Another kind of database, tables of a newer version, or no gallery where none is to be made.
        GalleryDatabaseError: It cannot be reached, or is no database.
    """

    def __init__(self, url: str, makes: bool = True) -> None:
        try:
            where = sa.make_url(url)
        except ArgumentError:
            raise ValueError("url: expected one such as sqlite:///gallery.db, received something else.") from None
        self.name = where.render_as_string(hide_password=True)
        self.is_sqlite = where.drivername in ("sqlite", "sqlite+pysqlite")
        if not self.is_sqlite and where.drivername != "postgresql+psycopg":
            raise ValueError(
                f"url: expected sqlite:///... or postgresql+psycopg://..., received one of {where.drivername}."
            )
        self.file = Path(where.database or "") if self.is_sqlite else None
        if self.file is not None and not makes and not self.file.is_file():
            raise ValueError(f"url: expected a gallery, found no file {where.database}.")
        self._engine = self._sqlite(where) if self.is_sqlite else self._postgresql(where)
        isolation = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._reading = self._engine.execution_options(**isolation)
        self._writing = self._engine.execution_options(writes=True)
        try:
            self._migrate(makes)
        except BaseException:
            self.close()
            raise

    @contextlib.contextmanager
    def reads(self) -> Iterator[sa.Connection]:
        """A transaction that sees the database as it is at one moment."""
        with self._errors(), self._reading.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def writes(self) -> Iterator[sa.Connection]:
        """A transaction that writes: all of it is kept, or nothing."""
        with self._errors(), self._writing.begin() as connection:
            yield connection

    def wipe(self, patience: float | None = None) -> None:
        """Overwrites what was deleted, as far as the database can.

        A SQLite file is written anew without it, its log emptied. PostgreSQL frees the space for other rows.

        Args:
            patience: So many seconds SQLite waits for what another process reads or writes; a minute by default.

        Raises:
            GalleryDatabaseError: Another process has been at work for so long.
        """
        patience = _BUSY_SECONDS if patience is None else patience
        with self._errors():
            if not self.is_sqlite:
                with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    connection.execute(sa.text("VACUUM gallery_person, gallery_template"))
                return
            with contextlib.closing(self._engine.raw_connection()) as connection:
                cursor = connection.cursor()
                cursor.execute(f"PRAGMA busy_timeout={1000 * patience:.0f}")
                try:
                    cursor.execute("VACUUM")
                    emptied = _empty_log(cursor, patience)
                finally:
                    cursor.execute(f"PRAGMA busy_timeout={1000 * _BUSY_SECONDS:.0f}")
        if not emptied:
            raise GalleryDatabaseError(
                f"{self.name}: expected to empty the log of what was deleted, found it in use by another process."
            )

    def close(self) -> None:
        """Ends all connections."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            with naming_full_disk(self.name):
                yield
        except (DBAPIError, sqlite3.Error) as error:  # the latter of what goes past SQLAlchemy
            said = str(error.orig if isinstance(error, DBAPIError) else error).strip().splitlines()
            reason = said[0] if said else "no reason"
            expected = _EXPECTED.get(reason, "a database that does as asked")
            raise GalleryDatabaseError(f"{self.name}: expected {expected}, received: {reason}") from error

    def _sqlite(self, url: sa.URL) -> sa.Engine:
        if url.database in (None, "", ":memory:") or url.query:
            raise ValueError(f"url: expected sqlite:/// and a file, received {self.name}.")
        private_folder(Path(url.database).parent)
        engine = sa.create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, hide_parameters=True)
        sa.event.listen(engine, "do_connect", _connect_privately)
        sa.event.listen(engine, "connect", _prepare)
        sa.event.listen(engine, "begin", _begin)
        return engine

    def _postgresql(self, url: sa.URL) -> sa.Engine:
        try:
            import pgvector  # noqa: F401

            waits = {name: seconds for name, seconds in _PATIENCE.items() if name not in url.query}
            # Connections are tried before use: a server may have started anew.
            return sa.create_engine(url, pool_pre_ping=True, connect_args=waits, hide_parameters=True)
        except ModuleNotFoundError as error:
            raise ValueError(
                f"url: expected PostgreSQL's packages, found no {error.name}: pip install agegait[postgres]"
            ) from None

    def _migrate(self, makes: bool) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
        script = ScriptDirectory.from_config(config)
        with self.reads() as connection:
            current = _version(connection)
            foreign = self.is_sqlite and current is None and sa.inspect(connection).get_table_names()
        if current == script.get_current_head():
            return
        if current is None and not makes:
            raise ValueError(f"url: expected a gallery, found none in {self.name}.")
        if foreign:
            raise ValueError(f"url: expected a gallery or no file, found another program's database in {self.name}.")
        if current not in (None, *(each.revision for each in script.walk_revisions())):
            raise ValueError(
                f"url: expected a gallery that this version of agegait knows, received one of a newer version, whose "
                f"tables are {current!r}."
            )
        with self.writes() as connection:
            if not self.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            config.attributes["connection"] = connection
            alembic.command.upgrade(config, "head")


def _version(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection, opts={"version_table": "gallery_version"}).get_current_revision()


def _connect_privately(
    dialect: sa.engine.Dialect, record: ConnectionPoolEntry, arguments: Any, named: Any
) -> sa.engine.interfaces.DBAPIConnection:
    """The file is for its owner alone, from the start, and so are those that SQLite puts beside it."""
    del record
    with private_files():
        connection: sa.engine.interfaces.DBAPIConnection = dialect.connect(*arguments, **named)
    return connection


def _prepare(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
    del record
    connection.isolation_level = None  # transactions begin as `_begin` says
    with private_files():
        _write_ahead(connection)
    for pragma in ("synchronous=FULL", "secure_delete=ON", "foreign_keys=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Turns the write-ahead log on: SQLite itself does not wait for another process that does the same."""
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _empty_log(cursor: Any, patience: float) -> bool:
    """Empties the write-ahead log: SQLite itself waits for readers, and not for another checkpoint under way."""
    until = time.monotonic() + patience
    while True:
        (busy, *_) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy or time.monotonic() > until:
            return not busy
        time.sleep(0.01)


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
