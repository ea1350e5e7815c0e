"""Who is taken for whom."""

import math
from typing import NamedTuple

import numpy as np

from agegait.evaluation.report.observations import Tested

PAIRS_SHOWN = 20
MOST_NAMES = 40
"""People up to whom the matrix has each one's name."""


class Pair(NamedTuple):
    """Somebody who was taken for somebody else: labels, and in how many of their walks and windows."""

    person: int
    named: int
    walks: int
    of_walks: int
    windows: int
    of_windows: int


class Square(NamedTuple):
    """A square of the matrix: whose walks, whom they are taken for, how many, of how many."""

    row: int
    column: int
    walks: int
    of_walks: int


class Confusion(NamedTuple):
    """What became of the walks of a test.

    Attributes:
        people: Labels of the people tested, or identified in error, in the order of their names: rows and columns of
            the matrix.
        right: Walks identified rightly.
        walks: All walks.
        pairs: The most confused, worst first; by walks, then by windows.
        further: How many pairs there are beside them.
        squares: The matrix of walks, without its zeros; those beside the diagonal last, so that they are drawn on top.
    """

    people: list[int]
    right: int
    walks: int
    pairs: list[Pair]
    further: int
    squares: list[Square]

    @property
    def named_every(self) -> int:
        """From one row with a name beside it to the next: names of too many people would overprint each other."""
        return math.ceil(len(self.people) / MOST_NAMES)


def confusion(test: Tested, persons: list[str]) -> Confusion:
    """The confusions of a test.

    Args:
        test: What was seen of it.
        persons: Names of the people, in the order of the labels.
    """
    of_walks, of_windows = (test.walks.persons, test.walks_named), (test.persons, test.named)
    walks, windows = (_count(*labels, len(persons)) for labels in (of_walks, of_windows))
    seen = np.flatnonzero(walks.any(axis=0) | walks.any(axis=1))
    people = sorted(seen.tolist(), key=lambda label: persons[label])
    off = 1 - np.eye(len(persons), dtype=int)
    wrong = np.argwhere((walks + windows) * off)
    pairs = [
        Pair(a, b, int(walks[a, b]), int(walks[a].sum()), int(windows[a, b]), int(windows[a].sum()))
        for a, b in wrong.tolist()
    ]
    pairs.sort(key=lambda pair: (-pair.walks, -pair.windows, persons[pair.person], persons[pair.named]))
    shown = pairs[:PAIRS_SHOWN]
    matrix = walks[np.ix_(people, people)]
    squares = [
        Square(row, column, int(matrix[row, column]), int(matrix[row].sum()))
        for row, column in np.argwhere(matrix).tolist()
    ]
    squares.sort(key=lambda square: square.row != square.column)
    return Confusion(people, int(np.trace(walks)), int(walks.sum()), shown, len(pairs) - len(shown), squares)


def _count(persons: np.ndarray, named: np.ndarray, size: int) -> np.ndarray:
    counts = np.zeros((size, size), int)
    np.add.at(counts, (persons, named), 1)
    return counts
