"""What tests of several rooms start from, made once for a whole test run, however many workers it has."""

import fcntl
import gc
import os
import shutil
import sys

import pytest
from support import budget


def pytest_collection_modifyitems(items):
    """Puts modules with slow tests first, so that no worker is left with a long one in the end."""
    slow = {item.module for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.module not in slow)


def pytest_collection_finish(session):
    """Makes graphs cheaper.

    The garbage collector leaves alone what is imported: graphs make it run often, over TensorFlow's objects.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    # Most graphs run once or twice: to optimize them takes a quarter of the time. Processes that tests start do it.
    if budget.PROFILE != "ci" and "tensorflow" in sys.modules:
        sys.modules["tensorflow"].config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """Gives `made_once(name, make)`: the folder that the first worker to come makes, and all of them read."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent

    def once(name, make):
        folder = shared / f"shared-{name}"
        with (shared / f"shared-{name}.lock").open("a+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            lock.seek(0)
            if lock.read() != "made":
                shutil.rmtree(folder, ignore_errors=True)  # of a worker that could not finish it
                make(folder)
                lock.write("made")
        return folder

    return once


@pytest.fixture
def eagerly():
    """Has Keras compile nothing: see support.without_graphs."""
    from support.without_graphs import without_graphs

    with without_graphs():
        yield


@pytest.fixture(scope="session")
def walkers_dir(made_once):
    """A folder for `--data-dir` in which the built-in walkers are prepared. Only to be read."""
    from agegait import datasets

    return made_once("walkers", lambda folder: datasets.builder("walkers", folder))


@pytest.fixture(scope="session")
def few_walkers_dir(made_once):
    """The same with one training walk of each person, for what trains on them for as long as documents say."""
    from agegait import datasets
    from tfds_builders.walkers import walkers_dataset_builder as builder

    def make(folder):
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(builder.SPLITS, "train", ("a", range(1)))
            datasets.builder("walkers", folder)

    return made_once("few-walkers", make)


@pytest.fixture(scope="session")
def trained_once(made_once, walkers_dir):
    """The folder of a finished run of `support.tiny_run`. Only to be copied."""
    from support.tiny_run import tiny_settings

    from agegait import training

    def train(folder):
        before = os.umask(0o022)
        try:
            training.train(tiny_settings(), folder / "tiny", walkers_dir)
        finally:
            os.umask(before)

    return made_once("run", train) / "tiny"


@pytest.fixture(scope="module")
def tiny_run(trained_once, tmp_path_factory):
    """The folder of a finished run, a copy for the tests of one module."""
    return shutil.copytree(trained_once, tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture(scope="session")
def small_identifier():
    """`support.small_identifier`'s, for tests that do not change it."""
    from support.small_identifier import make_identifier

    return make_identifier(frame_rate=30)


@pytest.fixture(scope="session")
def small_export(made_once, small_identifier):
    """The folder of its export, as `agegait.export.save` leaves it. Only to be read."""
    from agegait.export import save

    return made_once("export", lambda folder: save(small_identifier, folder))


@pytest.fixture(scope="session")
def body_identifier():
    """As small, of 20 joints: it looks for a body in what it is asked about. For tests that do not change it."""
    from support.small_identifier import make_identifier

    return make_identifier(joints=20, frame_rate=30)


@pytest.fixture(scope="session")
def body_export(made_once, body_identifier):
    """The folder of its export. Only to be read."""
    from support.uncompared import uncompared

    from agegait.export import save

    with uncompared():
        return made_once("body-export", lambda folder: save(body_identifier, folder))
