from dataclasses import dataclass

import sqlalchemy as sa

from agegait.gallery import tables


@dataclass(frozen=True)
class State:
    """What holds of a whole gallery.

    Attributes:
        revision: Grows with each change of people, templates or the calibration.
        removals: Grows with each removal of people.
        unwiped: Whether something was deleted that the file may still hold.
        fingerprint: Of the embedder of the templates; None before the first.
        embedding_size: Size D of an embedding; None before the first.
    """

    revision: int
    removals: int
    unwiped: bool
    fingerprint: str | None
    embedding_size: int | None

    @classmethod
    def read(cls, connection: sa.Connection, lock: bool = False) -> "State":
        """Reads it.

        Args:
            connection: In a transaction.
            lock: Whether others have to wait with their changes until the transaction ends.
        """
        columns = tables.state.c
        query = sa.select(
            columns.revision,
            columns.removals,
            columns.unwiped,
            columns.fingerprint,
            columns.embedding_size,
        )
        return cls(*connection.execute(query.with_for_update() if lock else query).one())

    def write(self, connection: sa.Connection) -> None:
        """Writes it in place of the one before."""
        connection.execute(tables.state.update().values(**self.__dict__))
