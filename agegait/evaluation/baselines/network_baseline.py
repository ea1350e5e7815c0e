import math
import time
from collections.abc import Callable, Sequence

import keras
import numpy as np

from agegait.datasets import Windows
from agegait.evaluation.baselines.baseline import check, fitted
from agegait.losses import SmoothedCrossentropy
from agegait.models import GaitRecognizer
from agegait.training import optimizers
from agegait.training.callbacks import ProgressLine
from agegait.training.recipes import Recipe
from agegait.training.run_record import StageResult

NETWORK = Recipe(
    recognizer_epochs=20,
    recognizer_batch_size=256,
    recognizer_learning_rate=1e-3,
    decay=True,
    recognizer_units=2048,
    dropout=0.3,
    normalize="standardize",
    label_smoothing=0.1,
    initial_scale=None,
)
"""How networks on raw coordinates are trained: as strong as we could make them on training walks held out."""

BATCH = 4096


class NetworkBaseline:
    """A network trained on the labels of windows; it is that of the epoch with the best validation accuracy.

    Args:
        title: What tables and the line of progress call it.
        build: From people N, training features and the recipe to a network with logits `[B, N]`.
        features: From windows to what the network sees of them, `[M, ...]`.
        recipe: The fields of it that are the recognizer's.

    Attributes:
        reached: What its training reached; None before.
    """

    def __init__(
        self,
        title: str,
        build: Callable[[int, np.ndarray, Recipe], keras.Model],
        features: Callable[[Windows], np.ndarray],
        recipe: Recipe = NETWORK,
    ) -> None:
        self.title = title
        self.build = build
        self.features = features
        self.recipe = recipe
        self.network: keras.Model | None = None
        self.reached: StageResult | None = None

    def fit(
        self,
        training: Windows,
        validation: Windows,
        persons: int,
        seed: int = 0,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> None:
        """As `Baseline.fit`."""
        check(training, persons)
        check(validation, persons)
        began = time.monotonic()
        keras.utils.set_random_seed(seed)
        recipe = self.recipe
        rows, labels = self.features(training), training.persons
        network = self.build(persons, rows, recipe)
        if isinstance(network, GaitRecognizer):
            rows, labels = network.rows(rows, labels)
        steps = math.ceil(len(rows) / recipe.recognizer_batch_size)
        network.compile(
            optimizers.recognizer_optimizer(recipe, steps * recipe.recognizer_epochs),
            SmoothedCrossentropy(recipe.label_smoothing),
            metrics=["accuracy"],
        )
        history = network.fit(
            rows,
            labels,
            batch_size=recipe.recognizer_batch_size,
            epochs=recipe.recognizer_epochs,
            verbose=0,
            validation_data=(self.features(validation), validation.persons),
            validation_batch_size=BATCH,
            callbacks=[
                ProgressLine(self.title, len(rows), unit="rows"),
                *callbacks,
                keras.callbacks.EarlyStopping(
                    "val_accuracy", mode="max", patience=recipe.recognizer_epochs, restore_best_weights=True
                ),
            ],
        )
        self.network = network
        accuracies = history.history["val_accuracy"]
        best = max(accuracies)
        seconds = round(time.monotonic() - began, 1)
        self.reached = StageResult(len(accuracies), seconds, accuracies.index(best) + 1, best)

    def scores(self, windows: Windows) -> np.ndarray:
        """As `Baseline.scores`: logits."""
        return fitted(self.title, self.network).predict(self.features(windows), batch_size=BATCH, verbose=0)
