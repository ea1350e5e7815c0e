"""Early stopping: a training that was killed ends where one that was never stopped does."""

import keras
import numpy as np
import pytest

from agegait import datasets, training
from agegait.training import recipes
from agegait.training.callbacks import EarlyStopping, TrainingCheckpoint
from tfds_builders.walkers import generator

PATIENCE = 2
# An epoch's validation accuracy; the best is the third's, so the fifth is the last.
ACCURACIES = [0.1, 0.2, 0.5, 0.5, 0.4, 0.9, 0.9]


@pytest.mark.parametrize("killed_after", range(8))
def test_epochs_before_count(killed_after):
    model = keras.Sequential([keras.layers.Dense(1)])
    past = [{"val_accuracy": repr(accuracy)} for accuracy in ACCURACIES[: min(killed_after, 5)]]
    stopping = EarlyStopping(past, "val_accuracy", "max", PATIENCE)
    assert stopping.ended(model) == (killed_after >= 5)
    model.stop_training = False
    stopping.on_train_begin()
    for epoch in range(len(past), 5):
        assert not model.stop_training
        stopping.on_epoch_end(epoch, {"val_accuracy": ACCURACIES[epoch]})
    assert model.stop_training


def test_less_is_better_where_it_is_a_loss():
    model = keras.Sequential([keras.layers.Dense(1)])
    past = [{"val_loss": loss} for loss in ("3.0", "2.0", "2.5", "2.5")]
    assert EarlyStopping(past, "val_loss", "min", PATIENCE).ended(model)
    assert not EarlyStopping(past, "val_loss", "max", 4).ended(model)


class Killed(BaseException):
    pass


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Three walkers with two short walks each."""
    folder = tmp_path_factory.mktemp("walks")
    for person in range(3):
        (folder / str(person)).mkdir()
        for number in range(2):
            walk, _ = generator.walk(person, "a", number)
            np.save(folder / str(person) / f"{number}.npy", walk[:60])
    return datasets.load(str(folder))


@pytest.fixture(scope="module")
def settings(dataset):
    # Steps so long that neither the loss nor the accuracy gets better all the time.
    recipe = recipes.recipe(
        "best",
        epochs=20,
        recognizer_epochs=30,
        embedder_epochs=None,
        num_layers=1,
        units=4,
        recognizer_units=8,
        batch_size=16,
        decay=False,
        learning_rate=0.5,
        recognizer_learning_rate=0.05,
        early_stopping=1,
    )
    return training.Settings(dataset.name, preset="best", recipe=recipe)


def weights(run):
    return [*run.encoder.get_weights(), *run.recognizer.get_weights()]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the killed one's table of losses
def test_a_run_taken_up_ends_where_one_never_stopped_does(dataset, settings, tmp_path, monkeypatch):
    whole = training.train_on(dataset, settings, tmp_path / "whole", tensorboard=True)
    trained = whole.record.trained
    assert 1 < trained["encoder"].epochs < 20
    assert trained["encoder"].chosen_epoch == trained["encoder"].epochs - 1
    assert trained["recognizer"].epochs < 30
    for name in ("encoder", "recognizer"):
        assert list((tmp_path / "whole" / "tensorboard" / name).rglob("events.out.tfevents.*"))

    saved = TrainingCheckpoint.on_epoch_end

    def killed(self, epoch, logs=None):
        saved(self, epoch, logs)
        if epoch + 1 in (2, trained["encoder"].epochs):
            raise Killed

    out = tmp_path / "killed"
    monkeypatch.setattr(TrainingCheckpoint, "on_epoch_end", killed)
    for _ in range(2):  # on the way, and when it is decided to stop
        with pytest.raises(Killed):
            training.train_on(dataset, settings, out)
    monkeypatch.setattr(TrainingCheckpoint, "on_epoch_end", saved)
    resumed = training.train_on(dataset, settings, out)
    for left, right in zip(weights(whole), weights(resumed), strict=True):
        np.testing.assert_array_equal(left, right)
    for name in ("encoder", "recognizer"):
        table = f"history/{name}.csv"
        assert (out / table).read_text() == (whole.folder / table).read_text()
        for key in ("epochs", "chosen_epoch"):
            assert getattr(resumed.record.trained[name], key) == getattr(trained[name], key)
