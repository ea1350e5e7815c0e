"""Galleries whose processes are killed, whose disk is full, and that several processes write to."""

import contextlib
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.disk_room import room
from support.gallery_bodies import BoneLengths, walk
from support.gallery_processes import start

import agegait
from agegait.gallery import GalleryDatabaseError
from agegait.storage.disk_full import DiskFullError

NEAR = 0.2


def writer(url, first, count):
    """A process of `support.gallery_writer`."""
    return start("support.gallery_writer", url, first, count)


def people(url):
    with agegait.Gallery.open(url, BoneLengths()) as gallery:
        return {person.name: person.walks for person in gallery.people()}


def check_file(url):
    if url.startswith("sqlite"):
        engine = sa.create_engine(url)
        with engine.connect() as connection:
            assert connection.scalar(sa.text("PRAGMA integrity_check")) == "ok"
            assert connection.execute(sa.text("PRAGMA foreign_key_check")).all() == []
        engine.dispose()


@pytest.mark.slow
def test_a_killed_process_loses_nothing_that_it_said(url):
    enrolled, forgotten, begun = set(), set(), set()
    for turn in range(5):
        process = writer(url, 1000 * turn, 1000)
        said = [process.stdout.readline() for _ in range(2 + 3 * turn)]
        time.sleep(0.004 * turn)  # somewhere within what comes next
        process.send_signal(signal.SIGKILL)
        with process:
            said += process.stdout.read().splitlines()  # `communicate` would lose what `readline` read ahead
        for action, *number in map(str.split, said):
            name = f"person {' '.join(number)}"
            {"enrolled": enrolled, "forgotten": forgotten, "forgetting": begun, "open": set()}[action].add(name)
        found = people(url)
        assert found.keys() >= enrolled - begun
        assert found.keys().isdisjoint(forgotten)
        assert len(found.keys() - enrolled) <= turn + 1  # done, and killed before it could say so
        assert set(found.values()) == {2}  # walks: all of them, or the person is not there
        check_file(url)
        if url.startswith("sqlite"):
            content = b"".join(file.read_bytes() for file in Path(url[10:]).parent.iterdir())
            assert not [name for name in begun - found.keys() if f"{name}person".encode() in content]
    assert len(enrolled) > 10


@pytest.mark.slow
def test_processes_write_at_once(url):
    processes = [writer(url, 100 * number, 6) for number in range(2)]  # and make the tables at once
    for process in processes:
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        assert said.count("enrolled") == 6
    expected = [f"person {100 * turn + number}" for turn in range(2) for number in range(6) if number % 3 != 1]
    assert people(url) == dict.fromkeys(expected, 2)
    check_file(url)
    with agegait.Gallery.open(url, BoneLengths()) as gallery:
        assert gallery.identify(walk(100, 2), threshold=NEAR).person == "person 100"
        numbers = [person.id for person in gallery.people()]
        assert len(set(numbers)) == len(numbers)


def enrol_until_full(gallery, kind):
    """How many people were enrolled before there was no room."""
    for number in range(1000):
        try:
            gallery.enrol(f"person {number}", [walk(number)], consent="x" * 9000)
        except kind:
            return number
    raise AssertionError("there was room for all")


def test_a_file_that_cannot_grow(sqlite_url):
    with agegait.Gallery.open(sqlite_url, BoneLengths()) as gallery, room(600_000):
        count = enrol_until_full(gallery, OSError)
        assert count > 5
        assert [person.name for person in gallery.people()] == [f"person {number}" for number in range(count)]
    check_file(sqlite_url)
    assert len(people(sqlite_url)) == count
    with agegait.Gallery.open(sqlite_url, BoneLengths()) as gallery:
        gallery.enrol(f"person {count}", [walk(count)], consent="form")  # there is room again
        assert gallery.identify(walk(count, 1), threshold=NEAR).person == f"person {count}"


def test_a_disk_that_is_really_full(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)]
    with contextlib.suppress(FileNotFoundError):
        if subprocess.run(mount, check=False, capture_output=True).returncode == 0:
            try:
                url = f"sqlite:///{disk}/gallery.db"
                with agegait.Gallery.open(url, BoneLengths()) as gallery:
                    count = enrol_until_full(gallery, DiskFullError)
                    assert count > 5
                    with pytest.raises(DiskFullError, match=r"^sqlite:///.*: expected room to write it, found none"):
                        gallery.enrol("somebody", [walk(0)], consent="x" * 9000)
                    assert [person.name for person in gallery.people()] == [f"person {row}" for row in range(count)]
                check_file(url)
                assert len(people(url)) == count
            finally:
                subprocess.run(["umount", str(disk)], check=True)
            return
    pytest.skip("no file system can be mounted here")


def test_another_programs_database_is_left_as_it_is(tmp_path):
    path = tmp_path / "notes.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")
    with pytest.raises(ValueError, match=r"^url: expected a gallery or no file, found another program's database in"):
        agegait.Gallery.open(f"sqlite:///{path}", BoneLengths())
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("notes",)]


def test_what_is_wrong_with_a_file_is_told(tmp_path):
    path = tmp_path / "gallery.db"
    with agegait.Gallery.open(f"sqlite:///{path}", BoneLengths()) as gallery:
        gallery.enrol("Anna", [walk(0)], consent="form")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(GalleryDatabaseError, match="expected a file that is whole: restore a backup"):
        people(f"sqlite:///{path}")
    path.write_bytes(content)
    (tmp_path / "gallery.db-wal").mkdir()  # as where nothing may be written
    with pytest.raises(GalleryDatabaseError, match="expected a file and a folder that can be written"):
        people(f"sqlite:///{path}")
    (tmp_path / "gallery.db-wal").rmdir()
    assert people(f"sqlite:///{path}") == {"Anna": 1}
