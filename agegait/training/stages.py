"""The stages of a run's training: each is skipped where it is done."""

import functools
import time
from collections.abc import Sequence

import keras
import numpy as np

from agegait.data import Walks
from agegait.datasets import DataSet, Windows
from agegait.losses import SmoothedCrossentropy
from agegait.models import EmbeddingRecognizer
from agegait.storage.disk_full import naming_full_disk
from agegait.storage.private_files import private_files
from agegait.thresholds.calibration import MIN_PEOPLE, Calibration
from agegait.training import optimizers
from agegait.training.callbacks import ProgressLine
from agegait.training.embedder_training import BATCHES_AN_EPOCH, EmbedderTraining
from agegait.training.history import History
from agegait.training.networks import make_encoder, make_recognizer
from agegait.training.run import Run
from agegait.training.run_record import StageResult
from agegait.training.stage import Stage

Callbacks = Sequence[keras.callbacks.Callback]


def train_encoder(run: Run, training: Windows, validation: Windows, callbacks: Callbacks = ()) -> None:
    """Trains a run's encoder, without labels.

    Args:
        run: The run.
        training: Windows to learn from.
        validation: Windows to validate on.
        callbacks: Keras callbacks, to watch.
    """
    if not run.has("encoder"):
        _encoder_stage(run, training, validation).fit(run, callbacks)


def train_recognizer(
    run: Run,
    training: Windows,
    validation: Windows,
    callbacks: Callbacks = (),
    features: tuple[np.ndarray, np.ndarray] | None = None,
) -> None:
    """Trains a run's recognizer on labels; its encoder must be trained.

    Args:
        run: The run.
        training: Windows to learn from.
        validation: Windows to choose the epoch by.
        callbacks: Keras callbacks, to watch.
        features: What the encoder makes of both, if that is at hand.
    """
    if not run.has("recognizer"):
        if features is None:
            features = run.features(training, "training AGEs"), run.features(validation, "validation AGEs")
        _recognizer_stage(run, training, validation, *features).fit(run, callbacks)


def train_embedder(run: Run, dataset: DataSet, callbacks: Callbacks = ()) -> None:
    """Trains a run's embedder on the whole training walks, with or without labels as the recipe says.

    No epoch is chosen: the last one's is kept. A training that was stopped resumes after its last whole epoch. The
    people of the training walks are then known by the mean of their embeddings, see `EmbeddingRecognizer`.

    Args:
        run: The run.
        dataset: The data set.
        callbacks: Keras callbacks, to watch.

    Raises:
        ValueError: Fewer than two people, or walks, to tell apart; a recipe without an embedder.
    """
    if run.has("embedder"):
        return
    settings, epochs = run.settings, run.settings.recipe.embedder_epochs
    if epochs is None:
        raise ValueError("embedder_epochs: expected at least 1, received none.")
    began = time.monotonic()
    training = EmbedderTraining(
        settings.recipe.embedder_learning,
        batches=epochs * BATCHES_AN_EPOCH,
        seed=settings.seed,
        embedder={"dtype": settings.precision} | ({"frame_rate": rate} if (rate := dataset.frame_rate) else {}),
    )
    history = History(run.folder / "history" / "embedder.csv")
    checkpoints = run.folder / "checkpoints"
    history.keep(history.rows()[: training.epochs_done(checkpoints)])
    clips = BATCHES_AN_EPOCH * training.labels_per_batch * training.clips_per_label
    with private_files(), naming_full_disk(run.folder), history.logger() as logger:
        walks = Walks.from_dataset(dataset.walks("train"))
        embedder = training.fit(walks, [ProgressLine("embedder", clips, unit="clips"), *callbacks, logger], checkpoints)
    recognizer = EmbeddingRecognizer(len(run.persons))
    recognizer.adapt(embedder.embed(walks.skeletons), walks.persons)
    run.save_model("embedder", embedder)
    run.save_model("embedding_recognizer", recognizer)
    run.finish_stage("embedder", StageResult(len(history.rows()), round(time.monotonic() - began, 1)))


def calibrate_embedder(run: Run, dataset: DataSet) -> None:
    """Measures what distances of a run's embedder mean, on the people who were left out to choose by.

    Nothing is measured where nobody was left out, or fewer people than a calibration needs.

    Args:
        run: The run; its embedder must be trained.
        dataset: The data set.
    """
    choosing = dataset.choosing
    if run.calibration is not None or choosing is None or len(choosing.persons) < MIN_PEOPLE:
        return
    if (embedder := run.embedder) is not None:
        run.keep_calibration(Calibration.measure(embedder, choosing.whole_walks()))


def _encoder_stage(run: Run, training: Windows, validation: Windows) -> Stage:
    settings, recipe = run.settings, run.settings.recipe
    keras.utils.set_random_seed(settings.seed)
    encoder = make_encoder(settings, joints=training.skeletons.shape[2])
    encoder.build((None, *training.skeletons.shape[1:]))
    epochs = recipe.passes(recipe.epochs, len(training.persons), recipe.batch_size)
    return Stage(
        "encoder",
        encoder,
        training.skeletons,
        None,
        validation.skeletons,
        epochs,
        recipe.batch_size,
        functools.partial(optimizers.encoder_optimizer, recipe),
        loss=None,
        monitor="val_loss",
        mode="min",
        keep_best=recipe.early_stopping is not None and epochs > 0,
        patience=recipe.early_stopping,
    )


def _recognizer_stage(
    run: Run, training: Windows, validation: Windows, features: np.ndarray, validation_features: np.ndarray
) -> Stage:
    settings, recipe = run.settings, run.settings.recipe
    # Again, so that what came before has no say in what is drawn: a training that was stopped, or a model read.
    keras.utils.set_random_seed(settings.seed)
    recognizer = make_recognizer(recipe, len(run.persons), settings.manner, features, settings.precision)
    rows, labels = recognizer.rows(features, training.persons)
    return Stage(
        "recognizer",
        recognizer,
        rows,
        labels,
        (validation_features, validation.persons),
        recipe.passes(recipe.recognizer_epochs, len(labels), recipe.recognizer_batch_size),
        recipe.recognizer_batch_size,
        functools.partial(optimizers.recognizer_optimizer, recipe),
        loss=SmoothedCrossentropy(recipe.label_smoothing),
        monitor="val_accuracy",
        mode="max",
        patience=recipe.early_stopping,
        unit="rows",
    )
