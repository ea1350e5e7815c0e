from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from agegait.datasets import Windows
from agegait.evaluation.baselines.baseline import check, fitted

FRAMES_AT_ONCE = 24_000


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
        check(training, persons)
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
        classifier = fitted(self.title, self.fitted)
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
