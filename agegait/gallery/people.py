"""What is done with the rows of people and their templates, in a transaction of the caller's."""

import contextlib
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from agegait.data.folder.plain_name import plain_name, plain_person
from agegait.gallery import tables
from agegait.gallery.name_taken_error import NameTakenError
from agegait.gallery.person import Person
from agegait.gallery.quality import Quality
from agegait.gallery.template import Template
from agegait.gallery.unknown_person_error import UnknownPersonError
from agegait.terminal.visible_text import visible

MOST_CHARACTERS = 200
"""Of a name."""

MOST_NOTED = 10_000
"""Characters of a note of consent."""


def checked_name(person: str) -> str:
    """A name as it is stored.

    Raises:
        ValueError: No name: blanks alone, too long, or characters that are not to be seen.
    """
    if not isinstance(person, str):
        raise ValueError(f"person: expected a name, received {type(person).__name__}.")
    name = unicodedata.normalize("NFC", person.strip())
    if not 0 < len(name) <= MOST_CHARACTERS:
        raise ValueError(f"person: expected a name of 1 to {MOST_CHARACTERS} characters, received {len(name)}.")
    if visible(name) != name or not plain_person(name):
        raise ValueError(f"person: expected characters that can be seen, received '{visible(name)}'.")
    return name


def check_consent(consent: str) -> None:
    """Refuses what is no note of consent.

    Raises:
        ValueError: Nothing, too much, or no Unicode.
    """
    if not isinstance(consent, str) or not consent.strip() or len(consent) > MOST_NOTED:
        received = f"{len(consent)}" if isinstance(consent, str) else type(consent).__name__
        raise ValueError(f"consent: expected a note of 1 to {MOST_NOTED:,} characters, received {received}.")
    if "\0" in consent or not plain_name(consent):
        raise ValueError("consent: expected a note that can be seen, received characters that cannot.")
    try:
        consent.encode()
    except UnicodeEncodeError:
        raise ValueError("consent: expected Unicode, received bytes that are none.") from None


def checked_expiry(expires: datetime | None, now: datetime) -> datetime | None:
    """A time of expiry as it is stored, in UTC.

    Raises:
        ValueError: None to come, or no time with its zone.
    """
    if expires is None:
        return None
    if isinstance(expires, datetime) and expires.tzinfo is not None:
        with contextlib.suppress(OverflowError):  # the year 9999 is over in UTC
            utc = expires.astimezone(UTC)
            if utc > now:
                return utc
    received = expires.isoformat() if isinstance(expires, datetime) else type(expires).__name__
    raise ValueError(
        f"expires: expected a time to come, with its time zone, before the year 10000, received {received}."
    )


def listed(connection: sa.Connection, *conditions: sa.ColumnElement[bool], most: int | None = None) -> list[Person]:
    """People, in the order of their enrolment; so many at most."""
    columns = tables.people.c
    walks = (
        sa.select(sa.func.count())
        .where(tables.templates.c.person == columns.id)
        .scalar_subquery()
        .correlate(tables.people)
    )
    query = sa.select(columns.id, columns.name, columns.consent, columns.enrolled, columns.expires, walks)
    return [Person(*row) for row in connection.execute(query.where(*conditions).order_by(columns.id).limit(most))]


def not_expired(now: datetime) -> sa.ColumnElement[bool]:
    """The condition that a person is not expired."""
    expires = tables.people.c.expires
    return sa.or_(expires.is_(None), expires > now)


def one(connection: sa.Connection, person: str, *conditions: sa.ColumnElement[bool]) -> Person:
    """Somebody by a name that looks like theirs.

    Raises:
        UnknownPersonError: Nobody.
    """
    plain = plain_person(checked_name(person))
    found = listed(connection, tables.people.c.plain_name == plain, *conditions)
    if not found:
        raise UnknownPersonError
    return found[0]


def names(connection: sa.Connection, ids: Sequence[int]) -> dict[int, str]:
    """The names of some people, of those who are there."""
    columns = tables.people.c
    rows = connection.execute(sa.select(columns.id, columns.name).where(columns.id.in_(ids)))
    return {int(person): str(name) for person, name in rows}


def add(
    connection: sa.Connection,
    name: str,
    embeddings: NDArray[np.float32],
    qualities: Sequence[Quality],
    consent: str,
    expires: datetime | None,
    now: datetime,
) -> Person:
    """Enrols somebody, or further walks of somebody.

    Raises:
        NameTakenError: Somebody else has a name that looks the same.
    """
    known = listed(connection, tables.people.c.plain_name == plain_person(name))
    if known and known[0].name != name:
        raise NameTakenError(
            f"person: expected a name that nobody else has, received {name!r} beside {known[0].name!r}, which looks "
            "the same."
        )
    if known:
        person = known[0].id
        changed = {"consent": consent} | ({"expires": expires} if expires else {})
        connection.execute(tables.people.update().where(tables.people.c.id == person).values(changed))
    else:
        values = {"name": name, "plain_name": plain_person(name), "consent": consent}
        inserted = connection.execute(tables.people.insert().values(**values, enrolled=now, expires=expires))
        (person,) = inserted.inserted_primary_key or (0,)
    rows = [
        {
            "person": person,
            "embedding": embedding,
            "frames": quality.frames,
            "tracked": quality.tracked,
            "steadiness": quality.steadiness,
            "enrolled": now,
        }
        for embedding, quality in zip(embeddings, qualities, strict=True)
    ]
    connection.execute(tables.templates.insert(), rows)
    return listed(connection, tables.people.c.id == person)[0]


def remove(connection: sa.Connection, people: Sequence[int]) -> None:
    """Deletes people and their templates."""
    for person in people:
        connection.execute(tables.templates.delete().where(tables.templates.c.person == person))
        connection.execute(tables.people.delete().where(tables.people.c.id == person))


def templates_of(connection: sa.Connection, person: int) -> list[Template]:
    """The templates of somebody, the oldest first."""
    columns = tables.templates.c
    query = sa.select(columns.embedding, columns.frames, columns.tracked, columns.steadiness, columns.enrolled)
    rows = connection.execute(query.where(columns.person == person).order_by(columns.id))
    return [Template(*row) for row in rows]
