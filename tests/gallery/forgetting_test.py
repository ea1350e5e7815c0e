"""What a SQLite gallery's files hold of people, and who can read them."""

import contextlib
import os
import stat
import subprocess
import sys
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from support.disk_room import room
from support.gallery_bodies import BoneLengths, walk

import agegait
from agegait.gallery import GalleryDatabaseError, UnwipedError, database as database_module, gallery as gallery_module
from agegait.storage import find_stores

NAME, CONSENT = "Zoë Quux-Frobnitz", "signed by Xylophon on a Tuesday"
TESTS = Path(__file__).parents[1]


def traces(folder):
    """What of the person is in any file of a gallery."""
    content = b"".join(file.read_bytes() for file in sorted(folder.iterdir()))
    embedding = BoneLengths().embed([walk(3)])[0].astype("float64")
    template = (embedding / np.linalg.norm(embedding)).astype("<f4").tobytes()
    plain = unicodedata.normalize("NFC", NAME.casefold())
    sought = {"name": NAME.encode(), "plain name": plain.encode(), "consent": CONSENT.encode()}
    # A piece of the template too: a page may have been split.
    sought |= {"template": template, "piece of the template": template[:16], "rest of it": template[-16:]}
    return {what for what, bytes_ in sought.items() if bytes_ in content}


@pytest.fixture
def filled(sqlite_url):
    """A gallery of many, in the middle of whom somebody is."""
    with agegait.Gallery.open(sqlite_url, BoneLengths()) as gallery:
        for number in range(40):
            if number == 20:
                gallery.enrol(NAME, [walk(3)], consent=CONSENT, expires=datetime.now(UTC) + timedelta(hours=1))
            gallery.enrol(f"person {number}", [walk(100 + number)], consent="form")
        yield gallery


def test_a_forgotten_person_is_in_no_file(filled, sqlite_url, tmp_path):
    assert len(traces(tmp_path)) == 6
    with agegait.Gallery.open(sqlite_url, BoneLengths()) as other:
        assert other.identify(walk(3), threshold=0.2).person == NAME
        assert filled.identify(walk(3), threshold=0.2).person == NAME
        held = filled._index._templates.persons
        filled.forget(NAME)
        assert len(filled._index._templates.persons) == len(held) - 1  # in memory too, at once
        assert traces(tmp_path) == set()
        assert other.identify(walk(3), threshold=0.2).person is None
        assert len(other.people()) == 40
    assert traces(tmp_path) == set()


def test_an_expired_person_is_in_no_file(filled, tmp_path, monkeypatch):
    monkeypatch.setattr(gallery_module, "_now", lambda: datetime.now(UTC) + timedelta(hours=2))
    assert filled.purge() == 1
    assert traces(tmp_path) == set()
    assert filled.purge() == 0


def test_a_note_that_was_replaced_is_in_no_file(filled, tmp_path):
    filled.enrol(NAME, [walk(3, 1)], consent="another note")
    filled.forget("person 3")
    assert "consent" not in traces(tmp_path)


KILLED = """
import os, sys
from support.gallery_bodies import BoneLengths
import agegait
from agegait.gallery.database import Database
Database.wipe = lambda *_: os._exit(9)
agegait.Gallery.open(sys.argv[1], BoneLengths()).forget(sys.argv[2])
"""


def test_the_next_to_open_finishes_what_a_killed_process_began(filled, sqlite_url, tmp_path):
    environment = {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"}
    command = [sys.executable, "-c", KILLED, sqlite_url, NAME]
    assert subprocess.run(command, env=environment, check=False).returncode == 9
    assert NAME not in [person.name for person in filled.people()]
    assert traces(tmp_path)  # in the log
    with agegait.Gallery.open(sqlite_url):  # whoever it is
        assert traces(tmp_path) == set()


@contextlib.contextmanager
def reader(url):
    """Somebody who reads for as long as it lasts."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT revision FROM gallery")
        yield
    engine.dispose()


def test_a_reader_who_stays_is_waited_for_and_then_named(filled, sqlite_url, tmp_path, monkeypatch):
    monkeypatch.setattr(database_module, "_BUSY_SECONDS", 0.2)
    with agegait.Gallery.open(sqlite_url) as impatient:
        with reader(sqlite_url):
            with pytest.raises(
                UnwipedError, match=r"expected to empty the log.* It is overwritten later: a server tries"
            ):
                impatient.forget(NAME)
            assert NAME not in [person.name for person in impatient.people()]
            assert impatient.unwiped
            with pytest.raises(UnwipedError):
                impatient.wipe(0.1)
        with agegait.Gallery.open(sqlite_url) as next_one:
            assert traces(tmp_path) == set()
            assert not next_one.unwiped


def test_a_reader_who_stays_keeps_nobody_from_opening_and_identifying(filled, sqlite_url, tmp_path, monkeypatch):
    monkeypatch.setattr(gallery_module, "_PATIENCE", 0.1)
    with reader(sqlite_url):
        monkeypatch.setattr(gallery_module, "_now", lambda: datetime.now(UTC) + timedelta(hours=2))
        assert filled.identify(walk(100), threshold=0.2).person == "person 0"
        with agegait.Gallery.open(sqlite_url, BoneLengths()) as other:
            assert other.unwiped
            assert NAME not in [person.name for person in other.people()]
            other.enrol("Anna", [walk(0)], consent="form")
    assert filled.unwiped
    filled.wipe()
    assert traces(tmp_path) == set()
    assert not filled.unwiped


def test_a_file_that_there_is_no_room_to_write_anew(filled, tmp_path):
    size = sum(file.stat().st_size for file in tmp_path.iterdir())
    with room(size + 4096), pytest.raises(UnwipedError, match="What was deleted is not found any more"):
        filled.forget(NAME)
    assert NAME not in [person.name for person in filled.people()]
    filled.wipe()
    assert traces(tmp_path) == set()


def test_what_is_stored_of_whom_is_told(filled, tmp_path):
    (tmp_path / "other.db").write_bytes(b"SQLite format 3\0" + bytes(500))
    for path in (tmp_path, tmp_path / "gallery.db"):
        (store,) = [each for each in find_stores(path) if each.path.name == "gallery.db"]
        assert store.kind == "gallery"
        assert len(store.persons) == 41
        assert store.holds(NAME.upper())
        assert not store.holds("somebody else")
    (damaged,) = [each for each in find_stores(tmp_path) if each.path.name == "other.db"]
    assert damaged.holds(NAME) is None


def test_files_are_for_their_owner_alone(tmp_path):
    before = os.umask(0)
    try:
        url = f"sqlite:///{tmp_path}/deep/gallery.db"
        with agegait.Gallery.open(url, BoneLengths()) as gallery:
            gallery.enrol(NAME, [walk(3)], consent=CONSENT)
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "deep").iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(["gallery.db", "gallery.db-shm", "gallery.db-wal"], 0o600)
    assert stat.S_IMODE((tmp_path / "deep").stat().st_mode) == 0o700


def test_what_is_no_database(tmp_path):
    (tmp_path / "gallery.db").write_text("something else " * 100)
    with pytest.raises(GalleryDatabaseError, match=r"gallery\.db: expected .* received: file is not a database"):
        agegait.Gallery.open(f"sqlite:///{tmp_path}/gallery.db")
    with pytest.raises(OSError, match="unable to open"):
        agegait.Gallery.open(f"sqlite:///{tmp_path}")
