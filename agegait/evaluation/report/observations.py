from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from agegait.datasets import Windows
from agegait.evaluation import protocols
from agegait.training.encoding import FEATURE_BATCH
from agegait.training.run import Run

WINDOWS_LOOKED_AT = 4096
"""Windows of a test whose attention and reconstruction are looked at: enough for means, and seconds."""

PEOPLE_PICKED = 12
"""People whose windows are shown: as many as a reader can tell apart."""

WINDOWS_OF_A_PERSON = 100


class Walks(NamedTuple):
    """Walks, by name.

    Attributes:
        names: `[W]`, sorted.
        persons: `[W]` labels.
        features: `[W, D]`, the mean of each walk's windows, as `GaitRecognizer.embed` has them.
        windows: Windows of all of them.
    """

    names: np.ndarray
    persons: np.ndarray
    features: np.ndarray
    windows: int


@dataclass(frozen=True, eq=False)
class Tested:
    """What was seen of a test.

    Attributes:
        walks: The walks tested.
        walks_named: `[W]`, whom the recognizer names for each.
        persons: `[M]` labels of the windows.
        named: `[M]`, whom the recognizer names for each window.
        picked: Features `[K, D]` and labels `[K]` of windows of a few people.
        windows: `[S, f, J, 3]` metres; windows taken evenly from all of them.
        rebuilt: `[S, f, J, 3]`, in the order of time.
        attention: `[3, f, f]`, axis, decoder step, frame; the mean over those windows.
    """

    walks: Walks
    walks_named: np.ndarray
    persons: np.ndarray
    named: np.ndarray
    picked: tuple[np.ndarray, np.ndarray]
    windows: np.ndarray
    rebuilt: np.ndarray
    attention: np.ndarray

    @property
    def errors(self) -> np.ndarray:
        """`[S, f]` metres: how far reconstructed joints lie from recorded ones, the mean over a frame's joints."""
        return np.linalg.norm(self.rebuilt - self.windows, axis=-1).mean(axis=-1)


class Observations:
    """Keeps what a report shows of the windows that are evaluated; for `agegait.evaluation.evaluate(observe=...)`.

    Args:
        run: The run that is evaluated.

    Attributes:
        validation: `[V]`, the person of each validation walk.
        tests: What was seen of each test split.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.validation = np.array([], int)
        self.tests: dict[str, Tested] = {}
        self._training: Walks | None = None

    @property
    def training(self) -> Walks:
        """The walks trained on, which are the gallery of searches.

        Raises:
            ValueError: No evaluation was observed.
        """
        if self._training is None:
            raise ValueError("observations: expected those of an evaluation, found none.")
        return self._training

    def __call__(
        self, part: str, windows: Windows, features: np.ndarray | None, logits: np.ndarray | None = None
    ) -> None:
        """Looks at the windows of a part, at what people are recognized by in them, `[M, f, 3 k]`, and at whom the
        recognizer gives for them, `[M, N]`, if it was called."""
        if features is None:
            _, self.validation = protocols.by_walk(np.zeros((len(windows.persons), 0)), windows.persons, windows.walks)
            return
        embedded = self.run.recognizer.embed(features)
        of_walks, persons = protocols.by_walk(embedded, windows.persons, windows.walks)
        walks = Walks(np.unique(windows.walks), persons, of_walks, len(windows.persons))
        if logits is None:
            self._training = walks
            return
        by_walk, _ = protocols.by_walk(logits, windows.persons, windows.walks)
        picked = _pick(windows.persons)
        self.tests[part] = Tested(
            walks,
            by_walk.argmax(axis=1),
            windows.persons,
            logits.argmax(axis=1),
            (embedded[picked], windows.persons[picked]),
            *self._encode(windows.skeletons),
        )

    def _encode(self, skeletons: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        encoder = self.run.encoder
        some = skeletons[evenly(len(skeletons), WINDOWS_LOOKED_AT)]
        outputs = encoder.predict(some, batch_size=FEATURE_BATCH, verbose=0)
        rebuilt, attention = (np.asarray(outputs[name], "float32") for name in ("reconstruction", "attention"))
        if encoder.direction == "reverse":
            rebuilt = rebuilt[:, ::-1]
        return some, rebuilt, attention.mean(axis=0)


def evenly(count: int, most: int) -> np.ndarray:
    """Indices of at most so many of `count` things, evenly apart, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def _pick(persons: np.ndarray) -> np.ndarray:
    people = np.unique(persons)
    picked = people[evenly(len(people), PEOPLE_PICKED)]
    own = (np.flatnonzero(persons == person) for person in picked)
    return np.concatenate([indices[evenly(len(indices), WINDOWS_OF_A_PERSON)] for indices in own])
