import logging
import os
import signal
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from support import forked

from agegait.data import Walks
from agegait.skeletons import STANDING
from agegait.training import EmbedderTraining, embedder_training
from agegait.training.history import History

TINY = {"units": 8, "embedding_size": 6, "dilations": ()}
QUICK = {"batches": 12, "warmup": 2, "labels_per_batch": 8, "frames": (6, 10), "learning_rate": 0.02, "embedder": TINY}


def made(persons=4, walks=3):
    """Bodies of other sizes, which differ more between people than between their walks."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(persons), walks)
    sizes = 1 + 0.15 * random.normal(size=(persons, 20, 1))
    skeletons = [(STANDING * sizes[label] + random.normal(0, 0.01, (12, 20, 3))).astype("float32") for label in labels]
    names = np.array([f"walk-{number}" for number in range(len(labels))])
    return Walks(skeletons, np.array([f"person-{label}" for label in labels]), names)


WALKS = made()


def nearest(embedder):
    embeddings = embedder.embed(WALKS.skeletons)
    cosines = embeddings @ embeddings.T
    np.fill_diagonal(cosines, -1)
    return np.mean(WALKS.persons[cosines.argmax(axis=1)] == WALKS.persons)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize(
    "learning", ["persons", *(pytest.param(other, marks=pytest.mark.slow) for other in ("walks", "contrast"))]
)
def test_a_trained_embedder_finds_people(learning):
    embedder = EmbedderTraining(learning, **QUICK).fit(WALKS)
    assert nearest(embedder) == 1


@pytest.mark.slow
@pytest.mark.parametrize("learning", ["walks", "contrast"])
def test_without_labels_nobodys_name_has_a_part_in_it(learning):
    nobody = WALKS._replace(persons=np.full(len(WALKS.names), "nobody"))
    found = [EmbedderTraining(learning, **{**QUICK, "batches": 2}).fit(walks) for walks in (WALKS, nobody)]
    np.testing.assert_array_equal(*(embedder.embed(WALKS.skeletons) for embedder in found))


@pytest.mark.slow
def test_clusters_are_found_anew_in_each_round(caplog):
    nobody = WALKS._replace(persons=np.full(len(WALKS.names), "nobody"))
    with caplog.at_level(logging.INFO):
        embedder = EmbedderTraining("clusters", rounds=2, **QUICK).fit(nobody)
    rounds = [record.message for record in caplog.records if record.message.startswith("round")]
    assert [line.split(":")[0] for line in rounds] == ["round 1", "round 2"]
    assert all("12 walks in" in line for line in rounds)
    assert nearest(embedder) == 1


class KillAt(keras.callbacks.Callback):
    """Ends a training in its middle, by an error or as kill -9 does."""

    def __init__(self, batches, kill=False):
        super().__init__()
        self.left, self.kill = batches, kill

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left < 0:
            if self.kill:
                os.kill(os.getpid(), signal.SIGKILL)
            raise KeyboardInterrupt


def trained(learning, *arguments):
    """The embeddings of a training of epochs of three batches each."""
    embedder_training.BATCHES_AN_EPOCH = 3
    training = EmbedderTraining(learning, rounds=1, **{**QUICK, "batches": 6})
    return training.fit(WALKS, *arguments).embed(WALKS.skeletons)


@pytest.fixture
def short_epochs(monkeypatch):
    monkeypatch.setattr(embedder_training, "BATCHES_AN_EPOCH", 3)


# In the second epoch; in the first one of a round of clusters, and in its second one.
RESUMED = [("persons", 4), *(pytest.param("clusters", batches, marks=pytest.mark.slow) for batches in (7, 10))]


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize(("learning", "batches"), RESUMED)
def test_a_stopped_training_ends_as_one_that_never_stopped(short_epochs, tmp_path, learning, batches):
    expected = trained(learning)
    with pytest.raises(KeyboardInterrupt):
        trained(learning, [KillAt(batches)], tmp_path)
    training = EmbedderTraining(learning, rounds=1, **QUICK)
    assert training.epochs_done(tmp_path) == batches // 3
    seen = KillAt(1000)
    np.testing.assert_array_equal(trained(learning, [seen], tmp_path), expected)
    assert 1000 - seen.left == (6 if learning == "persons" else 12) - batches // 3 * 3


@pytest.mark.slow
def test_a_killed_training_resumes_in_another_process(short_epochs, tmp_path):
    here = Path(__file__).parent
    code = (
        f"import sys; sys.path[:0] = [{str(here)!r}, {str(here.parent)!r}]\n"
        f"import embedder_training_test as test\n"
        f"test.trained('persons', [test.KillAt(4, kill=True)], {str(tmp_path)!r})"
    )
    done = forked.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=200)
    assert done.returncode == -signal.SIGKILL, done.stderr
    seen = KillAt(1000)
    np.testing.assert_allclose(trained("persons", [seen], tmp_path), trained("persons"), atol=1e-6)
    assert 1000 - seen.left == 3


def test_rounds_keep_to_the_columns_of_the_first_training(tmp_path):
    history = History(tmp_path / "history.csv")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    with history.logger() as logger:
        for metrics in (None, ["mae"]):
            model.compile("sgd", "mse", metrics=metrics)
            model.fit(np.ones((2, 1)), np.ones((2, 1)), verbose=0, callbacks=[logger])
    first, second = history.rows()
    assert set(first) == set(second)
    assert float(second["loss"]) < float(first["loss"])


def test_refusals():
    with pytest.raises(
        ValueError, match="learning: expected one of persons, walks, contrast, clusters, received 'all'"
    ):
        EmbedderTraining("all")
    with pytest.raises(ValueError, match="batches, rounds: expected at least 1, received 0 and 2"):
        EmbedderTraining(batches=0)
    alone = WALKS._replace(persons=np.full(len(WALKS.names), "nobody"))
    with pytest.raises(ValueError, match="walks: expected at least two classes to tell apart, received 1"):
        EmbedderTraining("persons", **QUICK).fit(alone)
