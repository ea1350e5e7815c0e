"""A served gallery in a real PostgreSQL, whose server is killed and started again."""

import itertools
import os
import signal
import subprocess
import threading
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.export_walker import NOT_SERVING, SERVING, until
from support.gallery_bodies import BoneLengths, walk
from support.served_bodies import NEAR, export_bones, plain, serving_bones

import agegait
from agegait.serving import GalleryClient, Outcome
from agegait.serving.client import client_errors
from agegait.serving.server import gallery_keeper

SERVICE = "agegait.gallery.v1.Gallery"


@pytest.fixture(scope="module")
def bones_folder(tmp_path_factory):
    return export_bones(tmp_path_factory.mktemp("bones"))


def test_a_gallery_in_postgresql(bones_folder, postgresql_url):
    with serving_bones(bones_folder, postgresql_url) as (_, client):
        for number, name in enumerate(("Anna", "Björn")):
            client.enrol(name, [walk(number), walk(number, 1)], consent="form")
        assert client.identify(walk(1, 2), threshold=NEAR).person == "Björn"
        with client.watch_walk(every=30, threshold=NEAR) as watch:
            assert [found.person for frame in walk(0, 2) if (found := watch.add(frame))] == ["Anna"]
        with agegait.Gallery.open(postgresql_url, BoneLengths()) as gallery:
            gallery.forget("Björn")
        assert client.identify(walk(1, 2), threshold=NEAR).outcome is Outcome.UNKNOWN
        assert [person.name for person in client.people()] == ["Anna"]


def test_a_database_that_does_not_answer_holds_up_nobody_else(bones_folder, postgresql_url, monkeypatch):
    monkeypatch.setattr(gallery_keeper, "_PATIENCE", 0.5)
    with serving_bones(bones_folder, postgresql_url) as (server, client), plain(server) as asked:
        client.enrol("Anna", walk(0), consent="form")
        database = sa.create_engine(postgresql_url)
        with database.begin() as connection:
            connection.execute(sa.text("LOCK TABLE gallery_person IN ACCESS EXCLUSIVE MODE"))
            until(lambda: asked.serving(SERVICE) == NOT_SERVING, 60)
            assert (asked.serving(), asked.serving("live")) == (SERVING, SERVING)
            with GalleryClient(server.address, timeout=0.5) as hasty, pytest.raises(client_errors.DeadlineError):
                hasty.identify(walk(0, 1), threshold=NEAR)
        database.dispose()
        until(lambda: asked.serving(SERVICE) == SERVING, 60)
        assert client.identify(walk(0, 1), threshold=NEAR).person == "Anna"


def stop(server):
    os.kill(server.get_pid(), signal.SIGKILL)


def start(server):
    """Starts it again, however long the remains of the killed one take to go."""

    def started():
        (Path(server.pgdata) / "postmaster.pid").unlink(missing_ok=True)
        try:
            server.ensure_postgres_running()
        except (subprocess.SubprocessError, AssertionError):
            return False
        return True

    until(started, 120)


@pytest.mark.slow
def test_a_database_that_is_killed_under_load(bones_folder, killable_postgresql):
    """Callers are told what is wrong, whatever they did at that moment, and nothing acknowledged is lost."""
    url = killable_postgresql.get_uri().replace("postgresql:", "postgresql+psycopg:")
    enrolled, forgotten, begun, wrong = set(), set(), set(), []
    ended = threading.Event()
    told = Counter()

    def tried(act):
        """Whether it was done; a caller is told otherwise of the database, or of the time that passed."""
        try:
            act()
        except (client_errors.UnavailableError, client_errors.DeadlineError) as error:
            told[type(error).__name__] += 1
            if "database does not answer" not in str(error) and not isinstance(error, client_errors.DeadlineError):
                wrong.append(error)
            return False
        except Exception as error:
            wrong.append(error)
            return False
        return True

    def work(first):
        with GalleryClient(server.address, timeout=5) as client:
            for number in itertools.count(first, 10):
                if ended.is_set():
                    return
                name = f"person {number}"
                if tried(lambda name=name, number=number: client.enrol(name, walk(number), consent="form")):
                    enrolled.add(number)
                tried(lambda number=number: client.identify(walk(number, 1), threshold=NEAR))
                if number % 3 == 0 and number in enrolled:
                    begun.add(number)
                    if tried(lambda name=name: client.forget(name)):
                        forgotten.add(number)

    with serving_bones(bones_folder, url) as (server, client), plain(server) as asked:
        workers = [threading.Thread(target=work, args=[first]) for first in range(3)]
        for worker in workers:
            worker.start()
        for _ in range(2):
            so_far = len(enrolled)
            until(lambda so_far=so_far: len(enrolled) >= so_far + 5, 120)
            stop(killable_postgresql)
            failed = told.total()
            until(lambda failed=failed: told.total() > failed, 120)
            start(killable_postgresql)
        so_far = len(enrolled)
        until(lambda: len(enrolled) >= so_far + 5 or wrong, 120)
        ended.set()
        for worker in workers:
            worker.join(120)
        until(lambda: asked.serving(SERVICE) == SERVING, 120)
        assert wrong == []
        found = {int(person.name.split()[1]) for person in client.people()}
        assert found >= enrolled - begun
        assert found.isdisjoint(forgotten)
        kept = min(enrolled - begun)
        assert client.identify(walk(kept, 2), threshold=NEAR).person == f"person {kept}"


@pytest.mark.slow
def test_a_database_that_is_killed_and_started_again(bones_folder, killable_postgresql):
    database = killable_postgresql
    url = database.get_uri().replace("postgresql:", "postgresql+psycopg:")

    def works():
        try:
            return client.identify(walk(0, 1), threshold=NEAR).person == "Anna"
        except client_errors.UnavailableError:
            return False

    with serving_bones(bones_folder, url) as (server, client), plain(server) as asked:
        client.enrol("Anna", walk(0), consent="form")
        watch = client.watch_walk(every=30, threshold=NEAR)
        assert [found.person for frame in walk(0, 1)[:30] if (found := watch.add(frame))] == ["Anna"]
        stop(database)
        until(lambda: asked.serving(SERVICE) == NOT_SERVING, 120)
        assert asked.serving() == SERVING  # models are served
        for act in (
            lambda: client.identify(walk(0, 1), threshold=NEAR),
            lambda: client.enrol("Björn", walk(1), consent="form"),
            lambda: client.forget("Anna"),
            lambda: client.people(),
            lambda: watch.identify(),
        ):
            with pytest.raises(client_errors.UnavailableError, match="the gallery's database does not answer"):
                act()
        start(database)
        until(works, 120)
        until(lambda: asked.serving(SERVICE) == SERVING, 120)
        assert watch.identify().person == "Anna"
        client.enrol("Björn", walk(1), consent="form")
        assert [person.name for person in client.people()] == ["Anna", "Björn"]
    # A server that starts while the database is away opens the gallery once it is there.
    stop(database)
    with serving_bones(bones_folder, url) as (server, client), plain(server) as asked:
        assert asked.serving(SERVICE) == NOT_SERVING
        with pytest.raises(client_errors.UnavailableError, match="the gallery's database does not answer"):
            client.identify(walk(0, 1), threshold=NEAR)
        start(database)
        until(works, 120)
        assert client.ready()
