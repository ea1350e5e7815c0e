"""Whole walks held in memory."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np


class Walks(NamedTuple):
    """Walks of any lengths, with their labels.

    Attributes:
        skeletons: Each `[T, J, 3]` metres.
        persons: `[W]` label or name of each walk's person.
        names: `[W]` name of each walk.

    Example:
        >>> walks = agegait.data.Walks.from_dataset(agegait.data.PREPARATIONS["kgbd"](tfds.load("kgbd", split="train")))
        >>> embedder.embed(walks.skeletons)
    """

    skeletons: list[np.ndarray]
    persons: np.ndarray
    names: np.ndarray

    @classmethod
    def from_dataset(cls, walks: Any) -> "Walks":
        """Walks as `tfds.load` gives them: examples of `"skeleton"` `[T, J, 3]`, `"person"` and `"walk"`.

        Raises:
            ValueError: No walk at all.
        """
        examples = list(walks.as_numpy_iterator())
        if not examples:
            raise ValueError("walks: expected at least one walk, received none.")
        names = np.array([example["walk"].decode() for example in examples])
        return cls([example["skeleton"] for example in examples], np.array([e["person"] for e in examples]), names)

    def of_persons(self, persons: Iterable[Any]) -> "Walks":
        """The walks of some people."""
        return self.take(np.flatnonzero(np.isin(self.persons, list(persons))))

    def take(self, rows: Iterable[int]) -> "Walks":
        """Some of the walks, by their places, in that order."""
        rows = np.asarray(list(rows), int)
        return Walks([self.skeletons[row] for row in rows], self.persons[rows], self.names[rows])
