"""A training that is killed anywhere ends, taken up again, as one that never stopped."""

from pathlib import Path

import keras
import numpy as np
import pytest

import agegait
from agegait import data
from agegait.training.callbacks import TrainingCheckpoint

ROWS, BATCH, EPOCHS = 10, 4, 3
STEPS = 3
AGES = np.random.default_rng(0).standard_normal((ROWS, 6)).astype("float32")
PERSONS = np.arange(ROWS) % 3


class KillAt(keras.callbacks.Callback):
    """Ends a training after some of its steps; counted over all epochs."""

    def __init__(self, step):
        super().__init__()
        self.left = step

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def train(folder, *callbacks):
    """Trains, as a new process would, from the newest checkpoint on; gives the end's variables."""
    keras.utils.set_random_seed(1)
    model = agegait.GaitRecognizer(3, units=4, dropout=0.5)
    model.build((None, 6))
    decay = keras.optimizers.schedules.CosineDecay(0.01, EPOCHS * STEPS)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(decay), loss, run_eagerly=True)
    checkpoint = TrainingCheckpoint(folder, "recognizer")
    first = checkpoint.restore(model)
    model.fit(
        data.shuffled_epochs([AGES, PERSONS], BATCH, 0, EPOCHS, first),
        initial_epoch=first,
        epochs=EPOCHS,
        steps_per_epoch=STEPS,
        verbose=0,
        callbacks=[*callbacks, checkpoint],
    )
    return [np.asarray(variable) for variable in (*model.variables, *model.optimizer.variables)]


def assert_equal(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return train(tmp_path_factory.mktemp("whole"))


def test_dropout_is_part_of_what_is_tried(uninterrupted, tmp_path, monkeypatch):
    monkeypatch.setattr(keras.layers.Dropout, "call", lambda self, inputs, training=False: inputs)
    without = train(tmp_path)
    assert not np.allclose(without[0], uninterrupted[0])


@pytest.mark.parametrize(
    # One in the middle of an epoch and one at its end; all steps with the slow tests.
    "step",
    [
        pytest.param(step, marks=() if step in (STEPS - 1, STEPS + 1) else pytest.mark.slow)
        for step in range(EPOCHS * STEPS)
    ],
)
def test_killed_between_any_two_steps(tmp_path, uninterrupted, step):
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, KillAt(step))
    epochs, _ = TrainingCheckpoint(tmp_path, "recognizer").latest()
    assert epochs == step // STEPS
    assert_equal(train(tmp_path), uninterrupted)


@pytest.mark.parametrize("moment", ["replace", "unlink"])
@pytest.mark.parametrize("time", [1, 2])
def test_killed_while_it_saves(tmp_path, uninterrupted, monkeypatch, moment, time):
    done = []

    def die(self, *arguments):
        done.append(self)
        if len(done) == time:
            raise KeyboardInterrupt
        return method(self, *arguments)

    method = getattr(Path, moment)
    with monkeypatch.context() as patch:
        patch.setattr(Path, moment, die)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path)
    assert_equal(train(tmp_path), uninterrupted)


def test_killed_twice(tmp_path, uninterrupted):
    for step in (4, 2):
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path, KillAt(step))
    assert_equal(train(tmp_path), uninterrupted)


def test_one_checkpoint_is_kept(tmp_path, monkeypatch):
    def die(self):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", die)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    train(tmp_path)
    (kept,) = tmp_path.iterdir()
    assert TrainingCheckpoint(tmp_path, "recognizer").latest() == (EPOCHS, kept)


def test_where_there_is_none(tmp_path):
    assert TrainingCheckpoint(tmp_path / "nowhere", "recognizer").latest() == (0, None)


def test_trainings_in_one_folder_do_not_see_each_other(tmp_path):
    train(tmp_path)
    assert TrainingCheckpoint(tmp_path, "encoder").latest() == (0, None)
