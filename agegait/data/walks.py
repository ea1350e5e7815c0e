"""Whole walks held in memory."""

from collections.abc import Iterable, Sequence
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

    def windows(self, frames: int) -> tuple[np.ndarray, np.ndarray]:
        """As `cut_walks`, of all walks."""
        return cut_walks(self.skeletons, frames)


def cut_walks(walks: Sequence[np.ndarray], frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Windows of walks `[T, J, 3]`, one after another without overlap; what is left at a walk's end is dropped.

    Args:
        walks: Walks of any lengths.
        frames: Frames f of a window.

    Returns:
        Windows `[M, f, J, 3]`, and the place `[M]` in `walks` of the walk that each is of.

    Raises:
        ValueError: No walk is as long as a window.
    """
    cut = [walk[: len(walk) // frames * frames].reshape(-1, frames, *walk.shape[1:]) for walk in walks]
    places = np.repeat(np.arange(len(cut)), [len(own) for own in cut])
    if not len(places):
        raise ValueError(f"walks: expected walks of at least {frames} frames, found none.")
    return np.concatenate(cut), places
