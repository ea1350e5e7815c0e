"""What the encoder has to beat: other ways to name windows, each by its name, all trained and used alike."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import keras
import numpy as np

from agegait import descriptors, optimizers
from agegait.datasets import Windows
from agegait.losses import SmoothedCrossentropy
from agegait.models import GaitEncoder, GaitRecognizer
from agegait.progress import ProgressLine
from agegait.recipes import Recipe
from agegait.training import make_recognizer

NETWORK = Recipe(
    recognizer_epochs=20,
    recognizer_batch_size=256,
    recognizer_learning_rate=1e-3,
    decay=True,
    recognizer_units=2048,
    dropout=0.3,
    standardize=True,
    label_smoothing=0.1,
    initial_scale=0.0,
)
"""How networks on raw coordinates are trained: as strong as we could make them on training walks held out."""

LSTM_UNITS = 256
"""As the encoder's."""

NEIGHBOURS = 5
ESTIMATORS = 50
LEAF = 5
"""Least frames of a leaf: without it trees learn frames by heart, and stumps are too weak for many people."""

BOOSTED_FRAMES = 40_000
"""Frames that AdaBoost learns from: a minute, where all of KGBD's would take hours."""

FRAMES_AT_ONCE = 24_000
BATCH = 4096


class Baseline(Protocol):
    """A way to name windows.

    Attributes:
        title: What tables call it.
    """

    title: str

    def fit(
        self,
        training: Windows,
        validation: Windows,
        persons: int,
        seed: int = 0,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> None:
        """Learns from labelled windows.

        Args:
            training: Windows to learn from, normalized.
            validation: Windows of other walks to choose by, where there is a choice; never test windows.
            persons: People N; labels are 0..N-1.
            seed: Of whatever is drawn.
            callbacks: Keras callbacks, to watch what is a network.

        Raises:
            ValueError: Labels beyond N.
        """

    def scores(self, windows: Windows) -> np.ndarray:
        """A score for each person, `[M, N]`, higher is better.

        Raises:
            ValueError: It was not fitted.
        """


class DescriptorBaseline:
    """A scikit-learn classifier of single frames by a descriptor; a window's scores are the mean of its frames'.

    Frames that are there more than once, in overlapping windows, are learned from once. Nothing is chosen, so
    validation windows are not read.

    Args:
        title: What tables call it.
        describe: From skeletons `[..., J, 3]` to descriptors `[..., D]`.
        classifier: From a seed to a classifier with `predict_proba`.
        frames: Frames to learn from, drawn from all; all of them where absent.
    """

    def __init__(
        self,
        title: str,
        describe: Callable[[np.ndarray], np.ndarray],
        classifier: Callable[[int], Any],
        frames: int | None = None,
    ) -> None:
        self.title = title
        self.describe = describe
        self.classifier = classifier
        self.frames = frames
        self.fitted: Any = None

    def fit(
        self,
        training: Windows,
        validation: Windows,
        persons: int,
        seed: int = 0,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> None:
        """As `Baseline.fit`."""
        _check(training, persons)
        described = self._described(training)
        labels = np.repeat(training.persons, described.shape[1])
        rows = np.column_stack([described.reshape(len(labels), -1), labels])
        rows = np.unique(rows, axis=0)
        if self.frames is not None and self.frames < len(rows):
            rows = np.random.default_rng(seed).choice(rows, self.frames, replace=False)
        self.persons = persons
        self.fitted = self.classifier(seed).fit(rows[:, :-1], rows[:, -1].astype(int))

    def scores(self, windows: Windows) -> np.ndarray:
        """As `Baseline.scores`: the mean over frames of the classifier's probabilities."""
        classifier = _fitted(self.title, self.fitted)
        described = self._described(windows)
        count, frames, size = described.shape
        scores = np.zeros((count, self.persons))
        step = max(FRAMES_AT_ONCE // frames, 1)
        for start in range(0, count, step):
            block = described[start : start + step]
            probabilities = classifier.predict_proba(block.reshape(-1, size))
            mean = probabilities.reshape(len(block), frames, -1).mean(axis=1)
            scores[start : start + step, classifier.classes_] = mean
        return scores

    def _described(self, windows: Windows) -> np.ndarray:
        # One precision for both: scikit-learn takes eight times as long to compare one with another.
        return self.describe(windows.skeletons).astype("float64")


class NetworkBaseline:
    """A network trained on the labels of windows; it is that of the epoch with the best validation accuracy.

    Args:
        title: What tables and the line of progress call it.
        build: From people N, training features and the recipe to a network with logits `[B, N]`.
        features: From windows to what the network sees of them, `[M, f, D]`.
        recipe: The fields of it that are the recognizer's.

    Attributes:
        reached: Of its training: `epochs`, the `chosen_epoch` and its `validation_accuracy`.
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
        self.reached: dict[str, Any] = {}

    def fit(
        self,
        training: Windows,
        validation: Windows,
        persons: int,
        seed: int = 0,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> None:
        """As `Baseline.fit`."""
        _check(training, persons)
        _check(validation, persons)
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
        self.reached = {
            "epochs": len(accuracies),
            "chosen_epoch": accuracies.index(max(accuracies)) + 1,
            "validation_accuracy": max(accuracies),
        }

    def scores(self, windows: Windows) -> np.ndarray:
        """As `Baseline.scores`: logits."""
        return _fitted(self.title, self.network).predict(self.features(windows), batch_size=BATCH, verbose=0)


def coordinates(windows: Windows) -> np.ndarray:
    """The coordinates of each frame joined, `[M, f, 3 J]`."""
    return windows.skeletons.reshape(*windows.skeletons.shape[:2], -1)


def encoder_states(encoder: GaitEncoder, windows: Windows) -> np.ndarray:
    """The states h of an encoder's last layer in place of AGEs, `[M, f, 3 k]`: x, y and z joined."""
    states = encoder.states(windows.skeletons, batch_size=BATCH, verbose=0)
    return np.asarray(states, dtype="float32")


def baseline(
    name: str, encoder: GaitEncoder | None = None, recipe: Recipe | None = None, manner: str = "ap"
) -> Baseline:
    """A baseline by its name, not yet fitted.

    Args:
        name: One of `BASELINES`.
        encoder: The trained encoder, for `"encoder-states"` alone.
        recipe: How the recognizer of encoder states is trained, as that of AGEs should be; `NETWORK` where absent.
        manner: That recognizer's.

    Raises:
        ValueError: An unknown name, or encoder states without an encoder.
    """
    if name not in BASELINES:
        raise ValueError(f"baseline: expected one of {', '.join(BASELINES)}, received {name!r}.")
    if name == "encoder-states":
        if encoder is None:
            raise ValueError(f"baseline: expected an encoder for {name}, received none.")
        return NetworkBaseline(
            BASELINES[name], _recognizer(manner), lambda windows: encoder_states(encoder, windows), recipe or NETWORK
        )
    return _BUILDERS[name](BASELINES[name])


def _recognizer(manner: str, **changes: Any) -> Callable[[int, np.ndarray, Recipe], keras.Model]:
    return lambda persons, features, recipe: make_recognizer(replace(recipe, **changes), persons, manner, features)


def _lstm(layers: int) -> Callable[[int, np.ndarray, Recipe], keras.Model]:
    """LSTM layers over the frames of a window, and logits from the last one's state at the end."""

    def build(persons, features, recipe):
        normalization = keras.layers.Normalization()
        normalization.adapt(features)
        return keras.Sequential(
            [
                keras.Input(features.shape[1:]),
                normalization,
                *(keras.layers.LSTM(LSTM_UNITS, return_sequences=True) for _ in range(layers - 1)),
                keras.layers.LSTM(LSTM_UNITS),
                keras.layers.Dropout(recipe.dropout),
                keras.layers.Dense(persons),
            ]
        )

    return build


def _neighbours(_seed: int) -> Any:
    from sklearn.neighbors import KNeighborsClassifier  # scikit-learn takes a second to import
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # In 16 dimensions a tree takes twice as long as looking at everything.
    neighbours = KNeighborsClassifier(NEIGHBOURS, algorithm="brute", n_jobs=-1)
    return make_pipeline(StandardScaler(), neighbours)


def _adaboost(seed: int) -> Any:
    from sklearn.ensemble import AdaBoostClassifier
    from sklearn.tree import DecisionTreeClassifier

    # A few features a split: trees that differ, in a quarter of the time.
    tree = DecisionTreeClassifier(min_samples_leaf=LEAF, max_features="sqrt")
    return AdaBoostClassifier(tree, n_estimators=ESTIMATORS, random_state=seed)


def _check(windows: Windows, persons: int) -> None:
    if not len(windows.persons) or not 0 <= windows.persons.min() <= windows.persons.max() < persons:
        raise ValueError(
            f"persons: expected labels in 0..{persons - 1}, received {np.unique(windows.persons).tolist()}."
        )


def _fitted(title: str, found: Any) -> Any:
    if found is None:
        raise ValueError(f"{title}: expected to be fitted before it names anybody.")
    return found


BASELINES = {
    "d13-knn": "D13 + KNN",
    "d13-adaboost": "D13 + AdaBoost",
    "d16-knn": "D16 + KNN",
    "d16-adaboost": "D16 + AdaBoost",
    "mlp": "raw MLP",
    "mlp-whitened": "raw MLP, whitened",
    "lstm": "single-layer LSTM",
    "lstm-multilayer": "multi-layer LSTM",
    "encoder-states": "encoder states",
}
"""The baselines' names, and what tables call them."""

_BUILDERS: dict[str, Callable[[str], Baseline]] = {
    "d13-knn": lambda title: DescriptorBaseline(title, descriptors.d13, _neighbours),
    "d13-adaboost": lambda title: DescriptorBaseline(title, descriptors.d13, _adaboost, BOOSTED_FRAMES),
    "d16-knn": lambda title: DescriptorBaseline(title, descriptors.d16, _neighbours),
    "d16-adaboost": lambda title: DescriptorBaseline(title, descriptors.d16, _adaboost, BOOSTED_FRAMES),
    "mlp": lambda title: NetworkBaseline(title, _recognizer("sc"), coordinates),
    "mlp-whitened": lambda title: NetworkBaseline(title, _recognizer("sc", whiten=True), coordinates),
    "lstm": lambda title: NetworkBaseline(title, _lstm(1), coordinates),
    "lstm-multilayer": lambda title: NetworkBaseline(title, _lstm(2), coordinates),
}
