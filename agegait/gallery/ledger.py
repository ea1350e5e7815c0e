import dataclasses
import threading
from collections.abc import Sequence

import sqlalchemy as sa

from agegait.gallery import people, tables, trail
from agegait.gallery.database import Database
from agegait.gallery.other_embedder_error import OtherEmbedderError
from agegait.gallery.state import State
from agegait.gallery.unwiped_error import UnwipedError
from agegait.thresholds.calibration import Calibration
from agegait.thresholds.embedder import Embedder


class Ledger:
    """What holds of a whole gallery: whose templates it has, its calibration, what is still to be overwritten.

    Args:
        database: The gallery's.
        embedder: That compares walks; None for none.
    """

    def __init__(self, database: Database, embedder: Embedder | None) -> None:
        self._database = database
        self._fingerprint = embedder.fingerprint() if embedder else None
        self._embedding_size = embedder.embedding_size if embedder else None
        self._calibration: tuple[int, Calibration | None] = (-1, None)
        self._wiping = threading.Lock()

    def state(self, connection: sa.Connection) -> State:
        """The gallery's state.

        Raises:
            OtherEmbedderError: Its templates are another embedder's.
        """
        state = State.read(connection)
        if None in (self._fingerprint, state.fingerprint) or self._fingerprint == state.fingerprint:
            return state
        if connection.execute(sa.select(tables.templates.c.id).limit(1)).first():
            raise OtherEmbedderError(
                f"embedder: expected the one that made this gallery's templates, {str(state.fingerprint)[:12]}, "
                f"received another, {str(self._fingerprint)[:12]}."
            )
        return state

    def bind(self, connection: sa.Connection, state: State) -> State:
        """Makes a gallery without templates one of this embedder, in a transaction that writes.

        Returns:
            The state, not written yet.

        Raises:
            OtherEmbedderError: It has templates, and they are another embedder's.
        """
        self.state(connection)
        if state.fingerprint == self._fingerprint:
            return state
        if not self._database.is_sqlite:
            kind = f"vector({self._embedding_size})"
            connection.execute(sa.text(f"ALTER TABLE gallery_template ALTER embedding TYPE {kind} USING NULL"))
        if self.calibration(connection, state) is None:  # perhaps there is one of another embedder
            connection.execute(tables.state.update().values(calibration=None))
        return dataclasses.replace(state, fingerprint=self._fingerprint, embedding_size=self._embedding_size)

    def calibration(self, connection: sa.Connection, state: State) -> Calibration | None:
        """The calibration, if it is this embedder's, or if there is no embedder."""
        revision, calibration = self._calibration
        if revision != state.revision:
            text = connection.scalar(sa.select(tables.state.c.calibration))
            calibration = Calibration.from_json(text) if text else None
            if calibration is not None and self._fingerprint not in (None, calibration.fingerprint):
                calibration = None
            self._calibration = (state.revision, calibration)
        return calibration

    def keep(self, calibration: Calibration, actor: str) -> None:
        """Puts a calibration in place of the one before.

        Raises:
            ValueError: It is another embedder's.
        """
        if calibration.fingerprint != self._fingerprint:
            raise ValueError("calibration: expected one of this embedder, received another's.")
        with self._database.writes() as connection:
            state = State.read(connection, lock=True)
            self.state(connection)
            connection.execute(tables.state.update().values(calibration=calibration.to_json()))
            trail.note(connection, actor, "recalibrate", [None], f"{calibration.people} people")
            dataclasses.replace(state, revision=state.revision + 1).write(connection)

    def remove(self, connection: sa.Connection, state: State, gone: Sequence[int], action: str, actor: str) -> None:
        """Deletes people, in a transaction that writes; `wipe` has to follow it."""
        people.remove(connection, gone)
        trail.note(connection, actor, action, gone)
        revision, removals = state.revision + 1, state.removals + 1
        dataclasses.replace(state, revision=revision, removals=removals, unwiped=True).write(connection)

    def unwiped(self) -> bool:
        """Whether something was deleted that the files may still hold."""
        with self._database.reads() as connection:
            return State.read(connection).unwiped

    def wipe(self, patience: float | None = None) -> None:
        """Overwrites what was deleted and not overwritten yet.

        Args:
            patience: As of `Database.wipe`.

        Raises:
            UnwipedError: Another process keeps it from doing so, or there is no room to write the file anew.
        """
        with self._wiping:
            with self._database.reads() as connection:
                before = State.read(connection)
            if not before.unwiped:  # somebody else did it
                return
            try:
                self._database.wipe(patience)
                with self._database.writes() as connection:
                    state = State.read(connection, lock=True)
                    if state.removals == before.removals:  # or somebody else deleted meanwhile, and wipes after it
                        dataclasses.replace(state, unwiped=False).write(connection)
            except OSError as error:
                raise UnwipedError(
                    f"{str(error).rstrip('.')}. What was deleted is not found any more. It is overwritten later: a "
                    "server tries each half minute, and so does the next to open the gallery."
                ) from error
