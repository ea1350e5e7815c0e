"""What is PostgreSQL's own: its server's death, its index, what it keeps of the forgotten."""

import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from support.gallery_bodies import BoneLengths, walk

import agegait
from agegait.cli import main
from agegait.gallery import GalleryDatabaseError

NEAR = 0.2


def until(done, *errors):
    """Tries again until it is done, for two minutes."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return done()
        except errors:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def test_a_server_that_is_killed_and_started_again(killable_postgresql):
    server = killable_postgresql
    url = server.get_uri().replace("postgresql:", "postgresql+psycopg:")
    with agegait.Gallery.open(url, BoneLengths()) as gallery:
        for number in range(3):
            gallery.enrol(f"person {number}", [walk(number)], consent="form")
        gallery.identify(walk(0), threshold=NEAR)
        os.kill(server.get_pid(), signal.SIGKILL)
        enrolments = (gallery.enrol("x", [walk(9)], consent="form") for _ in range(10_000))
        with pytest.raises(GalleryDatabaseError, match="expected a database that does as asked"):
            list(enrolments)  # one of its processes may outlive it for a moment
        (Path(server.pgdata) / "postmaster.pid").unlink()  # its number may be a zombie's, and then counts as alive
        until(server.ensure_postgres_running, subprocess.SubprocessError, AssertionError)
        assert until(lambda: gallery.identify(walk(2, 1), threshold=NEAR).person, GalleryDatabaseError) == "person 2"
        gallery.enrol("person 3", [walk(3)], consent="form")
        names = [person.name for person in gallery.people() if person.name != "x"]
        assert names == [f"person {number}" for number in range(4)]


def test_commands_that_only_look_make_no_gallery(postgresql_url, capsys):
    for words in (["people"], ["forget", "Anna", "--yes"], ["gallery", "check", "--threshold", "0.1"]):
        assert main([*words, "--gallery", postgresql_url]) == 1
        assert "agegait: --gallery: expected a gallery, found none in postgresql+psycopg:" in capsys.readouterr().err
    database = sa.create_engine(postgresql_url)
    assert sa.inspect(database).get_table_names() == []
    database.dispose()
    agegait.Gallery.open(postgresql_url).close()
    assert main(["people", "--gallery", postgresql_url]) == 0


def test_the_index_answers_the_search(postgresql_url):
    with agegait.Gallery.open(postgresql_url, BoneLengths(), search="hnsw") as gallery:
        for number in range(20):
            gallery.enrol(f"person {number}", [walk(number)], consent="form")
        with gallery._database.reads() as connection:
            connection.execute(sa.text("SET LOCAL enable_seqscan = off"))  # so few rows are read faster without
            plans = []

            @sa.event.listens_for(connection, "before_cursor_execute", retval=True)
            def explain(connection, cursor, statement, parameters, context, executemany):
                if "<#>" in statement:
                    cursor.execute(f"EXPLAIN {statement}", parameters)
                    plans.extend(row[0] for row in cursor.fetchall())
                return statement, parameters

            embedding = BoneLengths().embed([walk(3)])[0]
            near = gallery._index.search(connection, embedding / np.linalg.norm(embedding), 3)
        assert len(near) == 3
        assert "Index Scan using gallery_template_nearest" in "\n".join(plans)
        size = sa.text("SELECT atttypmod FROM pg_attribute WHERE attname = 'embedding' AND attnum > 0 LIMIT 1")
        with gallery._database.reads() as connection:
            assert connection.scalar(size) == BoneLengths.embedding_size


def test_a_table_that_is_written_anew_has_nothing_of_the_forgotten(postgresql, postgresql_url):
    name = "Zoe Quux-Frobnitz"

    def files_with_it():
        server = sa.create_engine(postgresql_url)
        with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("CHECKPOINT"))
            oid = connection.scalar(sa.text("SELECT oid FROM pg_database WHERE datname = current_database()"))
        server.dispose()
        return [file for file in (Path(postgresql.pgdata) / f"base/{oid}").iterdir() if name.encode() in read(file)]

    def read(file):
        try:
            return file.read_bytes()
        except FileNotFoundError:  # dropped meanwhile
            return b""

    with agegait.Gallery.open(postgresql_url, BoneLengths()) as gallery:
        for number in range(5):
            gallery.enrol(f"person {number}", [walk(number)], consent="form")
        gallery.enrol(name, [walk(7)], consent="form")
        assert files_with_it()
        gallery.forget(name)
        engine = sa.create_engine(postgresql_url)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM FULL gallery_person, gallery_template"))
        engine.dispose()
        assert files_with_it() == []
        assert len(gallery.people()) == 5
