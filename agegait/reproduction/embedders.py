"""Embedders that rows train for divisions of the people, and what they reach with those whom they have not seen."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from agegait import evaluation
from agegait.data import Walks
from agegait.datasets import DataSet
from agegait.evaluation import protocols
from agegait.reproduction.row import Row
from agegait.storage.private_files import private_folder
from agegait.storage.whole_file import whole_file
from agegait.training import EmbedderTraining, EncodingTraining
from agegait.training.embedder_training import BATCHES_AN_EPOCH
from agegait.training.settings import Settings

DIVISIONS = 5
"""Divisions of the people over which figures of strangers are means."""

WINDOW_LABELS = 64
"""Labels of a training batch of windows, which are a tenth of a usual clip."""

WINDOW_EPOCHS = 2
"""So many times the recipe's epochs are trained on windows."""

Learn = Callable[[Walks, Walks], Callable[[Any], Any]]


def tests(row: Row, settings: Settings, dataset: DataSet, folder: Path) -> dict[str, list[evaluation.Result]]:
    """The results of a row.

    Args:
        row: A row with `learning`.
        settings: Its settings.
        dataset: The data set, with everybody.
        folder: Where embedders are kept, so that one that is trained is not trained again.

    Raises:
        ValueError: Too few people or walks.
    """
    walks = dataset.whole_walks()
    learn = _kept(row, settings, dataset, folder)
    if row.windows_of:
        found = protocols.window_retrieval(walks, learn, row.windows_of, settings.frames)
        return {"windows": [evaluation.Result(row.name, "windows", found)]}
    rate = dataset.frame_rate or 0.0
    seconds = protocols.clip_seconds(walks, rate)
    results = protocols.strangers(walks, learn, range(DIVISIONS), seconds=seconds, frame_rate=rate)
    return {"strangers": [evaluation.Result(row.name, one.of, one) for one in results]}


def _kept(row: Row, settings: Settings, dataset: DataSet, folder: Path) -> Learn:
    """What trains an embedder for each division, one after another, or reads the one that is there."""
    number = itertools.count()

    def learn(training: Walks, validation: Walks) -> Callable[[Any], Any]:
        del validation  # nothing is chosen: all settings are fixed
        path = folder / f"division-{next(number)}.keras"
        if not path.exists():
            keras.utils.clear_session()
            model = _training(row, settings, dataset).fit(training)
            private_folder(folder)
            with whole_file(path) as aside:
                model.save(aside)
        return keras.saving.load_model(path, compile=False).embed

    return learn


def _training(row: Row, settings: Settings, dataset: DataSet) -> EmbedderTraining | EncodingTraining:
    recipe = settings.recipe
    if row.learning in EncodingTraining.LEARNING:
        return EncodingTraining(row.learning, recipe, seed=settings.seed)
    epochs = recipe.embedder_epochs or 1
    clips: dict[str, Any] = {}
    if row.windows_of:
        epochs *= WINDOW_EPOCHS
        clips = {"frames": (settings.frames, settings.frames), "labels_per_batch": WINDOW_LABELS}
    rate = {"frame_rate": dataset.frame_rate} if dataset.frame_rate else {}
    return EmbedderTraining(
        recipe.embedder_learning, batches=epochs * BATCHES_AN_EPOCH, seed=settings.seed, embedder=rate, **clips
    )
