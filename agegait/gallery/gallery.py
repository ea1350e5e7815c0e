import dataclasses
import getpass
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

import numpy as np
import sqlalchemy as sa

from agegait.data.walks import Walks
from agegait.gallery import people, tables, trail
from agegait.gallery.audit_entry import AuditEntry
from agegait.gallery.calibration import Calibration
from agegait.gallery.database import Database
from agegait.gallery.embedder import Embedder
from agegait.gallery.exact_index import ExactIndex
from agegait.gallery.hnsw_index import HnswIndex
from agegait.gallery.identification import Identification
from agegait.gallery.match import Match
from agegait.gallery.person import Person
from agegait.gallery.person_export import PersonExport
from agegait.gallery.probe import AnyWalk, Probe
from agegait.gallery.state import State
from agegait.gallery.threshold import Threshold
from agegait.gallery.verification import Verification
from agegait.terminal.visible_text import visible

_CANDIDATES = 20
"""People whose probabilities are weighed against each other; those farther away have next to none."""

MOST_NOTED = 10_000
"""Characters of a note of consent."""


class Gallery:
    """People who were enrolled from a walk or two, to be recognised later, and forgotten when they ask.

    A gallery is a SQLite file, or tables of a PostgreSQL database. Several processes may use it at once. What a method
    has returned from is kept, whatever happens then. A gallery may be shared by threads.

    It holds templates, the embeddings of walks, and no walks. All are of one embedder, by its fingerprint. Names may be
    any Unicode. A name that looks like another's is refused, and finds that other.

    Open one with `Gallery.open`.

    Example:
        >>> import tempfile
        >>> class Sizes:  # as an embedder: a person's sizes
        ...     embedding_size = 20
        ...     frame_rate = 30.0
        ...     def embed(self, walks):
        ...         sizes = np.stack([np.linalg.norm(walk, axis=-1).mean(axis=0) for walk in walks])
        ...         return sizes - sizes.mean(axis=1, keepdims=True)
        ...     def fingerprint(self):
        ...         return "sizes"
        >>> anna = np.repeat(agegait.skeletons.STANDING[None], 60, axis=0)
        >>> folder = tempfile.TemporaryDirectory()
        >>> gallery = agegait.Gallery.open(f"sqlite:///{folder.name}/gallery.db", Sizes())
        >>> gallery.enrol("Anna", [anna], consent="signed form 12").walks
        1
        >>> gallery.identify(anna, threshold=0.1).person
        'Anna'
        >>> gallery.forget("Anna")
        >>> gallery.identify(anna, threshold=0.1).person is None
        True
        >>> gallery.close()
        >>> folder.cleanup()
    """

    def __init__(
        self, database: Database, embedder: Embedder | None, search: Literal["exact", "hnsw"], actor: str
    ) -> None:
        self._database = database
        self._embedder = embedder
        self._actor = actor
        self._fingerprint = embedder.fingerprint() if embedder else None
        size = embedder.embedding_size if embedder else 0
        self._approximate = search == "hnsw"
        self._index = HnswIndex() if self._approximate else ExactIndex(size)
        self._calibration: tuple[int, Calibration | None] = (-1, None)

    @classmethod
    def open(
        cls,
        url: str = "sqlite:///gallery.db",
        embedder: Embedder | None = None,
        calibration: Calibration | None = None,
        search: Literal["exact", "hnsw"] = "exact",
        actor: str | None = None,
    ) -> "Gallery":
        """Opens a gallery, and makes it where there is none.

        Args:
            url: `sqlite:///FILE`, or `postgresql+psycopg://USER@HOST/DATABASE` with pgvector.
            embedder: Such as a trained `agegait.GaitEmbedder`. Without one nobody is enrolled or looked for.
            calibration: Of the embedder; kept in the gallery, in place of the one before.
            search: `"exact"`, in memory, or with PostgreSQL `"hnsw"`, approximate, by the database.
            actor: Who does what follows, for the audit trail; the user of this process by default.

        Raises:
            ValueError: An argument that is wrong, or another embedder than the one of the gallery's templates.
            GalleryDatabaseError: The database cannot be reached, or is none.
        """
        if search not in ("exact", "hnsw"):
            raise ValueError(f"search: expected exact or hnsw, received {search!r}.")
        database = Database(url)
        try:
            if search == "hnsw" and database.is_sqlite:
                raise ValueError("search: expected exact for a SQLite file, received 'hnsw'.")
            gallery = cls(database, embedder, search, _user() if actor is None else actor)
            gallery._begin(calibration)
        except BaseException:
            database.close()
            raise
        return gallery

    def enrol(
        self,
        person: str,
        walks: AnyWalk | Sequence[AnyWalk],
        *,
        consent: str,
        expires: datetime | None = None,
        actor: str | None = None,
    ) -> Person:
        """Enrols somebody, or further walks of somebody.

        All walks are enrolled, or none. For somebody who is enrolled already, the new note of consent takes the place
        of the one before, and so does `expires` where it is given.

        Args:
            person: Their name.
            walks: One walk or more, `[T, J, 3]` in metres.
            consent: What is to be noted about their consent: when, how, for what.
            expires: When they are to be deleted, with a time zone; None for never.
            actor: Who does it, for the audit trail.

        Raises:
            ValueError: An argument that is wrong; the name looks like somebody else's.
            PoorWalkError: A walk that nobody can be recognised by.
        """
        name, now = people.checked_name(person), _now()
        _check_text("consent", consent)
        if expires is not None and (not isinstance(expires, datetime) or expires.tzinfo is None or expires <= now):
            raise ValueError(f"expires: expected a time to come, with its time zone, received {expires!r}.")
        probes = Probe.of_walks(self._ready(), "walks", walks)
        embeddings, qualities = np.stack([probe.embedding for probe in probes]), [probe.quality for probe in probes]
        self.purge()
        with self._database.writes() as connection:
            state = self._bound(connection, State.read(connection, lock=True))
            enrolled = people.add(connection, name, embeddings, qualities, consent, expires, now)
            detail = f"{len(probes)} walk{'s' * (len(probes) > 1)}"
            trail.note(connection, now, self._by(actor), "enrol", [enrolled.id], detail)
            dataclasses.replace(state, revision=state.revision + 1).write(connection)
        return enrolled

    def identify(
        self,
        walk: AnyWalk,
        k: int = 5,
        false_alarms: float = 0.01,
        threshold: float | None = None,
        actor: str | None = None,
    ) -> Identification:
        """Says who somebody is, or that they are unknown.

        Args:
            walk: `[T, J, 3]` in metres.
            k: How many of the nearest people to return.
            false_alarms: The share of strangers who may be taken for somebody: 0.01 for one in a hundred. The
                threshold follows from it, from the calibration and from how many people are enrolled.
            threshold: A distance to use instead, in 0..2.
            actor: Who asks, for the audit trail.

        Raises:
            ValueError: An argument that is wrong; no calibration and no threshold; another embedder's gallery.
            PoorWalkError: A walk that nobody can be recognised by.
        """
        if k < 1:
            raise ValueError(f"k: expected at least 1, received {k}.")
        (probe,) = Probe.of_walks(self._ready(), "walk", [walk])
        self.purge()
        while True:
            with self._database.reads() as connection:
                sizes = self._index.follow(connection, self._state(connection))
                limit = self._threshold(connection, sizes, false_alarms, threshold, "false_alarms")
                count = max(k, _CANDIDATES)
                near = self._index.search(connection, probe.embedding, count) if sizes else []
                names = people.names(connection, [person for person, _ in near])
            if len(names) == len(near):  # or somebody of them was forgotten since this transaction began
                break
        enrolled, calibration = sum(sizes.values()), self._calibration[1]
        matches = _matches([(names[person], 1 - cosine) for person, cosine in near], limit, calibration, enrolled)
        best = matches[0] if matches and matches[0].accepted else None
        with self._database.writes() as connection:
            found, detail = (near[0][0], "accepted") if best else (None, "unknown")
            trail.note(connection, _now(), self._by(actor), "identify", [found], detail)
        return Identification(best.person if best else None, matches[:k], limit, probe.quality, enrolled)

    def verify(
        self,
        person: str,
        walk: AnyWalk,
        false_accepts: float = 0.01,
        threshold: float | None = None,
        actor: str | None = None,
    ) -> Verification:
        """Says whether somebody is who they claim to be.

        Args:
            person: The name claimed.
            walk: `[T, J, 3]` in metres.
            false_accepts: The share of others who may be taken for this person.
            threshold: A distance to use instead, in 0..2.
            actor: Who asks, for the audit trail.

        Raises:
            ValueError: As of `identify`.
            UnknownPersonError: Nobody has that name.
            PoorWalkError: A walk that nobody can be recognised by.
        """
        people.checked_name(person)
        (probe,) = Probe.of_walks(self._ready(), "walk", [walk])
        with self._database.reads() as connection:
            self._state(connection)
            claimed = people.one(connection, person, people.not_expired(_now()))
            own = people.templates_of(connection, claimed.id)
            limit = self._threshold(connection, {claimed.walks: 1}, false_accepts, threshold, "false_accepts")
        distance = 1 - float(max(template.embedding @ probe.embedding for template in own))
        (match,) = _matches([(claimed.name, distance)], limit, self._calibration[1], 1)
        with self._database.writes() as connection:
            detail = "accepted" if match.accepted else "refused"
            trail.note(connection, _now(), self._by(actor), "verify", [claimed.id], detail)
        return Verification(claimed.name, match.accepted, distance, match.probability, limit, probe.quality)

    def forget(self, person: str, actor: str | None = None) -> None:
        """Deletes somebody with all templates, at once and for good.

        Nobody finds them from then on, in no process. What a SQLite file held of them is overwritten. The audit trail
        keeps their number. See the guide for what no program can delete: backups, and what PostgreSQL logged.

        Raises:
            UnknownPersonError: Nobody has that name.
            GalleryDatabaseError: They are deleted, but another process keeps the log from being emptied.
        """
        with self._database.writes() as connection:
            state = State.read(connection, lock=True)
            gone = people.one(connection, person)
            self._remove(connection, state, [gone.id], "forget", self._by(actor))
        self._wipe()

    def purge(self) -> int:
        """Deletes all who are expired, as `forget` does; so do `open`, `enrol` and `identify`.

        Returns:
            How many they were.
        """
        now = _now()
        expired = sa.select(tables.people.c.id).where(tables.people.c.expires <= now)
        with self._database.reads() as connection:
            if not connection.execute(expired.limit(1)).first():
                return 0
        with self._database.writes() as connection:
            state = State.read(connection, lock=True)
            gone = list(connection.scalars(expired))
            self._remove(connection, state, gone, "expire", self._actor)
        self._wipe()
        return len(gone)

    def people(self) -> list[Person]:
        """All who are enrolled and not expired, in the order of their enrolment."""
        with self._database.reads() as connection:
            return people.listed(connection, people.not_expired(_now()))

    def export(self, person: str, actor: str | None = None) -> PersonExport:
        """All that the gallery has of somebody.

        Raises:
            UnknownPersonError: Nobody has that name.
        """
        with self._database.writes() as connection:
            state = State.read(connection)
            found = people.one(connection, person, people.not_expired(_now()))
            trail.note(connection, _now(), self._by(actor), "export", [found.id])
            noted = trail.entries(connection, tables.audit.c.person == found.id)
            templates = people.templates_of(connection, found.id)
        return PersonExport(found, state.fingerprint or "", tuple(templates), tuple(noted))

    def audit(self, since: datetime | None = None) -> list[AuditEntry]:
        """Who did what, the oldest first.

        Args:
            since: From when on, with a time zone; None for all.
        """
        with self._database.reads() as connection:
            return trail.entries(connection, *([] if since is None else [tables.audit.c.time >= since]))

    @property
    def calibration(self) -> Calibration | None:
        """The one in use."""
        with self._database.reads() as connection:
            return self._current_calibration(connection, State.read(connection))

    def recalibrate(self, walks: Walks, actor: str | None = None) -> Calibration:
        """Calibrates the gallery on walks of people who are not enrolled, of the operator's own sensor and place.

        Args:
            walks: Of at least 10 people, better of 30 and more, two walks of each.
            actor: Who does it, for the audit trail.

        Raises:
            ValueError: Fewer people.
        """
        measured = Calibration.measure(self._ready(), walks)
        self._keep(measured, self._by(actor))
        return measured

    def close(self) -> None:
        """Ends all connections with the database."""
        self._database.close()

    def __enter__(self) -> "Gallery":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self, calibration: Calibration | None) -> None:
        with self._database.reads() as connection:
            state = self._state(connection)
        if state.unwiped:  # a killed process left it
            self._wipe()
        if self._approximate and state.embedding_size:
            with self._database.writes() as connection:
                HnswIndex.make(connection)
        self.purge()
        if calibration is not None:
            self._keep(calibration, self._actor)

    def _by(self, actor: str | None) -> str:
        return visible(self._actor if actor is None else actor)

    def _ready(self) -> Embedder:
        if self._embedder is None:
            raise ValueError("embedder: expected one, to compare walks, received none when the gallery was opened.")
        return self._embedder

    def _state(self, connection: sa.Connection) -> State:
        """The gallery's state, if its templates are this embedder's."""
        state = State.read(connection)
        if None in (self._fingerprint, state.fingerprint) or self._fingerprint == state.fingerprint:
            return state
        if connection.execute(sa.select(tables.templates.c.id).limit(1)).first():
            raise ValueError(
                f"embedder: expected the one that made this gallery's templates, {str(state.fingerprint)[:12]}, "
                f"received another, {str(self._fingerprint)[:12]}."
            )
        return state

    def _bound(self, connection: sa.Connection, state: State) -> State:
        """The state with this embedder as the gallery's, in a transaction that writes."""
        self._state(connection)
        if state.fingerprint == self._fingerprint:
            return state
        size = self._ready().embedding_size
        if not self._database.is_sqlite:
            kind = f"vector({size})"
            connection.execute(sa.text(f"ALTER TABLE gallery_template ALTER embedding TYPE {kind} USING NULL"))
            if self._approximate:
                HnswIndex.make(connection)
        calibration = self._current_calibration(connection, state)
        if calibration is not None and calibration.fingerprint != self._fingerprint:
            connection.execute(tables.state.update().values(calibration=None))
        return dataclasses.replace(state, fingerprint=self._fingerprint, embedding_size=size)

    def _current_calibration(self, connection: sa.Connection, state: State) -> Calibration | None:
        revision, calibration = self._calibration
        if revision != state.revision:
            text = connection.scalar(sa.select(tables.state.c.calibration))
            calibration = Calibration.from_json(text) if text else None
            self._calibration = (state.revision, calibration)
        return calibration

    def _keep(self, calibration: Calibration, actor: str) -> None:
        if calibration.fingerprint != self._fingerprint:
            raise ValueError("calibration: expected one of this embedder, received another's.")
        with self._database.writes() as connection:
            state = State.read(connection, lock=True)
            self._state(connection)
            connection.execute(tables.state.update().values(calibration=calibration.to_json()))
            trail.note(connection, _now(), actor, "recalibrate", [None], f"{calibration.people} people")
            dataclasses.replace(state, revision=state.revision + 1).write(connection)

    def _threshold(
        self,
        connection: sa.Connection,
        sizes: dict[int, int],
        rate: float,
        distance: float | None,
        argument: str,
    ) -> Threshold:
        calibration = self._current_calibration(connection, State.read(connection))
        if distance is not None:
            if not 0 <= distance <= 2:
                raise ValueError(f"threshold: expected a distance in 0..2, received {distance}.")
            return Threshold(distance, calibration.false_alarms(distance, sizes) if calibration else None, False)
        if calibration is None:
            raise ValueError(
                f"{argument}: expected a gallery with a calibration, received one without: `recalibrate` it on walks "
                "of people who are not enrolled, open it with `calibration=`, or give a `threshold`."
            )
        return calibration.threshold(sizes, rate)

    def _remove(self, connection: sa.Connection, state: State, gone: list[int], action: str, actor: str) -> None:
        people.remove(connection, gone)
        trail.note(connection, _now(), actor, action, gone)
        revision, removals = state.revision + 1, state.removals + 1
        dataclasses.replace(state, revision=revision, removals=removals, unwiped=True).write(connection)

    def _wipe(self) -> None:
        with self._database.reads() as connection:
            before = State.read(connection)
        self._database.wipe()
        with self._database.writes() as connection:
            state = State.read(connection, lock=True)
            if state.removals == before.removals:  # or somebody else deleted meanwhile, and wipes after it
                dataclasses.replace(state, unwiped=False).write(connection)


def _matches(
    near: list[tuple[str, float]], limit: Threshold, calibration: Calibration | None, enrolled: int
) -> tuple[Match, ...]:
    """People near to a walk with their probabilities; the odds are even that the walk is of none of those enrolled."""
    ratios = [calibration.log_likelihood_ratio(distance) if calibration else None for _, distance in near]
    likelihoods = np.exp([min(ratio or 0.0, 500.0) for ratio in ratios]) / max(enrolled, 1)
    probabilities = likelihoods / (1 + likelihoods.sum())
    return tuple(
        Match(name, distance, None if ratio is None else float(probability), distance <= limit.distance)
        for (name, distance), ratio, probability in zip(near, ratios, probabilities, strict=True)
    )


def _check_text(argument: str, text: str) -> None:
    if not isinstance(text, str) or not text.strip() or len(text) > MOST_NOTED or "\0" in text:
        received = f"{len(text)}" if isinstance(text, str) else type(text).__name__
        raise ValueError(f"{argument}: expected a note of 1 to {MOST_NOTED:,} characters, received {received}.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{argument}: expected Unicode, received bytes that are none.") from None


def _now() -> datetime:
    return datetime.now(UTC)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container whose user has no name
        return "unknown"
