from collections.abc import Sequence
from typing import Any, Protocol

import keras
import numpy as np

from agegait.datasets import Windows


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


def check(windows: Windows, persons: int) -> None:
    """Refuses windows without people, or with labels beyond N."""
    if not len(windows.persons) or not 0 <= windows.persons.min() <= windows.persons.max() < persons:
        raise ValueError(
            f"persons: expected labels in 0..{persons - 1}, received {np.unique(windows.persons).tolist()}."
        )


def fitted(title: str, found: Any) -> Any:
    """What `fit` has left, refused where it has not."""
    if found is None:
        raise ValueError(f"{title}: expected to be fitted before it names anybody.")
    return found
