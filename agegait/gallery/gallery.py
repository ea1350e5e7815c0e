import contextlib
import dataclasses
import getpass
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, cast

import numpy as np
import sqlalchemy as sa

from agegait.data.walks import Walks
from agegait.gallery import people, tables, trail
from agegait.gallery.audit_entry import AuditEntry
from agegait.gallery.checking import compare_all, find_nearest
from agegait.gallery.database import Database
from agegait.gallery.drift import check_drift
from agegait.gallery.drift_check import DriftCheck
from agegait.gallery.exact_index import ExactIndex
from agegait.gallery.gallery_check import GalleryCheck
from agegait.gallery.hnsw_index import HnswIndex
from agegait.gallery.identification import Identification
from agegait.gallery.ledger import Ledger
from agegait.gallery.match import Match
from agegait.gallery.person import Person
from agegait.gallery.person_export import PersonExport
from agegait.gallery.probe import AnyWalk, Probe
from agegait.gallery.snapshot import Snapshot
from agegait.gallery.state import State
from agegait.gallery.unwiped_error import UnwipedError
from agegait.gallery.verification import Verification
from agegait.terminal.visible_text import visible
from agegait.thresholds.calibration import Calibration, chosen_threshold
from agegait.thresholds.embedder import Embedder

_CANDIDATES = 20
"""People whose probabilities are weighed against each other; those farther away have next to none."""

_PATIENCE = 10.0
"""Seconds to wait with overwriting what was deleted, where something else was asked for."""


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
        self._expired = 0
        self._ledger = Ledger(database, embedder)
        size = embedder.embedding_size if embedder else 0
        self._index = HnswIndex() if search == "hnsw" else ExactIndex(size)

    @classmethod
    def open(
        cls,
        url: str = "sqlite:///gallery.db",
        embedder: Embedder | None = None,
        calibration: Calibration | None = None,
        search: Literal["exact", "hnsw"] = "exact",
        actor: str | None = None,
        makes: bool = True,
    ) -> "Gallery":
        """Opens a gallery, and makes it where there is none.

        Deletes who is expired, and overwrites what a process left that was killed as it deleted. If others keep it from
        doing so, the gallery is opened all the same, see `unwiped`.

        Args:
            url: `sqlite:///FILE`, or `postgresql+psycopg://USER@HOST/DATABASE` with pgvector.
            embedder: Such as a trained `agegait.GaitEmbedder`. Without one nobody is enrolled or looked for.
            calibration: Of the embedder; kept in the gallery, in place of the one before.
            search: `"exact"`, in memory, or with PostgreSQL `"hnsw"`, approximate, by the database.
            actor: Who does what follows, for the audit trail; the user of this process by default.
            makes: Whether a gallery is made where there is none.

        Raises:
            ValueError: An argument that is wrong, no gallery where none is to be made, or another embedder than the one
                of the gallery's templates.
            GalleryDatabaseError: The database cannot be reached, or is none.
        """
        if search not in ("exact", "hnsw"):
            raise ValueError(f"search: expected exact or hnsw, received {search!r}.")
        database = Database(url, makes)
        try:
            if search == "hnsw" and database.is_sqlite:
                raise ValueError("search: expected exact for a SQLite file, received 'hnsw'.")
            gallery = cls(database, embedder, search, user_name() if actor is None else actor)
            gallery._begin(calibration)
        except BaseException:
            database.close()
            raise
        return gallery

    def enrol(
        self,
        person: str,
        walks: AnyWalk | Sequence[AnyWalk] | Sequence[Probe],
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
        people.check_consent(consent)
        expires = people.checked_expiry(expires, now)
        probes = self._probes(walks)
        embeddings, qualities = np.stack([probe.embedding for probe in probes]), [probe.quality for probe in probes]
        self._purge()
        with self._database.writes() as connection:
            state = self._ledger.bind(connection, State.read(connection, lock=True))
            self._index.prepare(connection)
            enrolled = people.add(connection, name, embeddings, qualities, consent, expires, now)
            detail = f"{len(probes)} walk{'s' * (len(probes) > 1)}"
            trail.note(connection, self._by(actor), "enrol", [enrolled.id], detail)
            dataclasses.replace(state, revision=state.revision + 1).write(connection)
        return enrolled

    def identify(
        self,
        walk: AnyWalk | Probe,
        k: int = 5,
        false_alarms: float = 0.01,
        threshold: float | None = None,
        actor: str | None = None,
        before: Identification | None = None,
    ) -> Identification:
        """Says who somebody is, or that they are unknown.

        Args:
            walk: `[T, J, 3]` in metres, or what a probe was made of.
            k: How many of the nearest people to return.
            false_alarms: The share of strangers who may be taken for somebody: 0.01 for one in a hundred. The
                threshold follows from it, from the calibration and from how many people are enrolled.
            threshold: A distance to use instead, in 0..2.
            actor: Who asks, for the audit trail.
            before: What was said of the same walk when it had fewer frames: the audit trail notes changes alone.

        Raises:
            ValueError: An argument that is wrong; no calibration and no threshold; another embedder's gallery.
            PoorWalkError: A walk that nobody can be recognised by.
        """
        if not isinstance(k, int) or k < 1:
            raise ValueError(f"k: expected at least 1, as a whole number, received {k!r}.")
        probe = self._probe(walk)
        self._purge()
        while True:
            with self._database.reads() as connection:
                state = self._ledger.state(connection)
                sizes = self._index.follow(connection, state)
                calibration = self._ledger.calibration(connection, state)
                limit = chosen_threshold(calibration, sizes, "false_alarms", false_alarms, threshold)
                count = max(k, _CANDIDATES)
                near = self._index.search(connection, probe.embedding, count) if sizes else []
                names = people.names(connection, [person for person, _ in near])
            if len(names) == len(near):  # or somebody of them was forgotten since this transaction began
                break
        enrolled = sum(sizes.values())
        distances = [(names[person], 1 - cosine) for person, cosine in near]
        matches = Match.of_distances(distances, limit, calibration, enrolled)
        best = matches[0] if matches and matches[0].accepted else None
        if before is None or before.person != (best.person if best else None):
            with self._database.writes() as connection:
                found, detail = (near[0][0], "accepted") if best else (None, "unknown")
                trail.note(connection, self._by(actor), "identify", [found], detail)
        return Identification(best.person if best else None, matches[:k], limit, probe.quality, enrolled)

    def verify(
        self,
        person: str,
        walk: AnyWalk | Probe,
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
        probe = self._probe(walk)
        with self._database.reads() as connection:
            calibration = self._ledger.calibration(connection, self._ledger.state(connection))
            claimed = people.one(connection, person, people.not_expired(_now()))
            own = people.templates_of(connection, claimed.id)
            limit = chosen_threshold(calibration, {claimed.walks: 1}, "false_accepts", false_accepts, threshold)
        distance = 1 - float(max(template.embedding @ probe.embedding for template in own))
        (match,) = Match.of_distances([(claimed.name, distance)], limit, calibration, 1)
        with self._database.writes() as connection:
            detail = "accepted" if match.accepted else "refused"
            trail.note(connection, self._by(actor), "verify", [claimed.id], detail)
        return Verification(claimed.name, match.accepted, distance, match.probability, limit, probe.quality)

    def forget(self, person: str, actor: str | None = None, patience: float | None = None) -> None:
        """Deletes somebody with all templates, at once and for good.

        Nobody finds them from then on, in no process. What a SQLite file held of them is overwritten. The audit trail
        keeps their number. See the guide for what no program can delete: backups, and what PostgreSQL logged.

        Args:
            person: Their name.
            actor: Who does it, for the audit trail.
            patience: As of `wipe`.

        Raises:
            UnknownPersonError: Nobody has that name.
            UnwipedError: They are deleted, but what the file held of them could not be overwritten: another process
                reads, or there is no room to write it anew.
        """
        with self._database.writes() as connection:
            state = State.read(connection, lock=True)
            gone = people.one(connection, person)
            self._ledger.remove(connection, state, [gone.id], "forget", self._by(actor))
        self._index.drop([gone.id])
        self._ledger.wipe(patience)

    def purge(self, patience: float | None = None) -> int:
        """Deletes all who are expired, as `forget` does; so do `open`, `enrol` and `identify`.

        Args:
            patience: As of `wipe`.

        Returns:
            How many they were.

        Raises:
            UnwipedError: As of `forget`.
        """
        gone = self._remove_expired()
        if gone:
            self._ledger.wipe(patience)
        return gone

    @property
    def unwiped(self) -> bool:
        """Whether something was deleted that the files may still hold: `wipe` overwrites it."""
        return self._ledger.unwiped()

    def wipe(self, patience: float | None = None) -> None:
        """Overwrites what `forget` or `purge` could not, if there is anything.

        Args:
            patience: So many seconds it waits for others who use a SQLite file; a minute by default.

        Raises:
            UnwipedError: As of `forget`.
        """
        self._ledger.wipe(patience)

    def _purge(self) -> None:
        """As `purge`, for who wants something else: what is not overwritten now is by the next who can."""
        with contextlib.suppress(UnwipedError):
            self.purge(_PATIENCE)

    def _remove_expired(self) -> int:
        now = _now()
        expired = sa.select(tables.people.c.id).where(tables.people.c.expires <= now)
        with self._database.reads() as connection:
            if not connection.execute(expired.limit(1)).first():
                return 0
        with self._database.writes() as connection:
            state = State.read(connection, lock=True)
            gone = list(connection.scalars(expired))
            if not gone:  # somebody else deleted them meanwhile
                return 0
            self._ledger.remove(connection, state, gone, "expire", self._actor)
        self._index.drop(gone)
        self._expired += len(gone)
        return len(gone)

    def people(self, after: int = 0, most: int | None = None) -> list[Person]:
        """All who are enrolled and not expired, in the order of their enrolment.

        Args:
            after: Those whose `id` is larger.
            most: At most so many of them; None for all.
        """
        with self._database.reads() as connection:
            return people.listed(connection, people.not_expired(_now()), tables.people.c.id > after, most=most)

    def count(self) -> int:
        """How many are enrolled and not expired."""
        query = sa.select(sa.func.count()).select_from(tables.people).where(people.not_expired(_now()))
        with self._database.reads() as connection:
            return connection.scalar(query) or 0

    @property
    def fingerprint(self) -> str | None:
        """Of the embedder that made the templates; None where there are none."""
        with self._database.reads() as connection:
            holds = connection.execute(sa.select(tables.templates.c.id).limit(1)).first()
            return State.read(connection).fingerprint if holds else None

    def check(
        self, false_alarms: float = 0.01, threshold: float | None = None, actor: str | None = None
    ) -> GalleryCheck:
        """How well the people enrolled can be told apart: each walk is compared with all others.

        It needs no embedder. The time grows with the square of the number of walks. All of them are read into memory
        first; nobody waits while they are compared.

        Args:
            false_alarms: The share of strangers who may be taken for somebody, as of `identify`, for the threshold.
            threshold: A distance to use instead, in 0..2.
            actor: Who asks, for the audit trail.

        Raises:
            ValueError: An argument that is wrong; no calibration and no threshold.
        """
        self._purge()
        now = _now()
        with self._database.reads() as connection:
            calibration = self._ledger.calibration(connection, self._ledger.state(connection))
            enrolled = people.listed(connection, people.not_expired(now))
            sizes = Counter(person.walks for person in enrolled)
            limit = chosen_threshold(calibration, sizes, "false_alarms", false_alarms, threshold)
            snapshot = Snapshot.read(connection, enrolled)
        walks, duplicates, nearest = compare_all(snapshot, enrolled, limit.distance)
        with self._database.writes() as connection:
            trail.note(connection, self._by(actor), "check", [None], f"{len(enrolled)} people")
        return GalleryCheck(
            tuple(enrolled),
            limit,
            tuple(walks),
            tuple(duplicates),
            calibration.expected_pairs(limit.distance, sizes) if calibration else None,
            GalleryCheck.expiring_among(enrolled, now),
            self._expired,
            check_drift(calibration, snapshot, nearest, limit) if calibration else (),
        )

    def drift(self, most: int = 1000) -> tuple[DriftCheck, ...]:
        """Whether the calibration holds for the people enrolled, each taken for a stranger to all others.

        Args:
            most: So many walks, drawn at random, are compared with all.

        Returns:
            Nothing without a calibration, or with fewer than ten people.
        """
        with self._database.reads() as connection:
            calibration = self._ledger.calibration(connection, self._ledger.state(connection))
            if calibration is None:
                return ()
            snapshot = Snapshot.read(connection, people.listed(connection, people.not_expired(_now())))
        drawn = np.sort(np.random.default_rng(0).permutation(len(snapshot))[:most])
        return check_drift(calibration, snapshot, find_nearest(snapshot, drawn))

    def export(self, person: str, actor: str | None = None) -> PersonExport:
        """All that the gallery has of somebody.

        Raises:
            UnknownPersonError: Nobody has that name.
        """
        with self._database.writes() as connection:
            state = State.read(connection)
            found = people.one(connection, person, people.not_expired(_now()))
            trail.note(connection, self._by(actor), "export", [found.id])
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
            return self._ledger.calibration(connection, State.read(connection))

    def recalibrate(self, walks: Walks, actor: str | None = None) -> Calibration:
        """Calibrates the gallery on walks of people who are not enrolled, of the operator's own sensor and place.

        Args:
            walks: Of at least 10 people, better of 30 and more, two walks of each.
            actor: Who does it, for the audit trail.

        Raises:
            ValueError: Fewer people.
        """
        measured = Calibration.measure(self._ready(), walks)
        self._ledger.keep(measured, self._by(actor))
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
            state = self._ledger.state(connection)
        if state.unwiped:  # a killed process left it
            with contextlib.suppress(UnwipedError):
                self._ledger.wipe(_PATIENCE)
        if state.embedding_size:
            with self._database.writes() as connection:
                self._index.prepare(connection)
        self._purge()
        if calibration is not None:
            self._ledger.keep(calibration, self._actor)

    def _probe(self, walk: AnyWalk | Probe) -> Probe:
        return walk if isinstance(walk, Probe) else Probe.of_walks(self._ready(), "walk", [walk])[0]

    def _probes(self, walks: AnyWalk | Sequence[AnyWalk] | Sequence[Probe]) -> list[Probe]:
        if isinstance(walks, Sequence) and walks and all(isinstance(walk, Probe) for walk in walks):
            return [walk for walk in walks if isinstance(walk, Probe)]
        return Probe.of_walks(self._ready(), "walks", cast(AnyWalk | Sequence[AnyWalk], walks))

    def _by(self, actor: str | None) -> str:
        return visible(self._actor if actor is None else actor)

    def _ready(self) -> Embedder:
        if self._embedder is None:
            raise ValueError("embedder: expected one, to compare walks, received none when the gallery was opened.")
        return self._embedder


def _now() -> datetime:
    return datetime.now(UTC)


def user_name() -> str:
    """Of this process's user, for the audit trail."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container whose user has no name
        return "unknown"
