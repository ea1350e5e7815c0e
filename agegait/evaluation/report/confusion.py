"""Who is taken for whom."""

from typing import NamedTuple

import numpy as np

from agegait.evaluation.report.observations import Tested
from agegait.evaluation.report.picture import COLORS, Picture, raster

PAIRS_SHOWN = 20


class Pair(NamedTuple):
    """Somebody who was taken for somebody else: labels, and in how many of their walks and windows."""

    person: int
    named: int
    walks: int
    of_walks: int
    windows: int
    of_windows: int


class Confusion(NamedTuple):
    """What became of the walks of a test.

    Attributes:
        people: Labels of the people tested, or named in error, in the order of their names.
        right: Walks named rightly.
        walks: All walks.
        pairs: The most confused, worst first; by walks, then by windows.
        further: How many pairs there are beside them.
        picture: The matrix of walks.
    """

    people: list[int]
    right: int
    walks: int
    pairs: list[Pair]
    further: int
    picture: Picture


def confusion(test: Tested, persons: list[str]) -> Confusion:
    """The confusions of a test.

    Args:
        test: What was seen of it.
        persons: Names of the people, in the order of the labels.
    """
    walks, windows = (_count(*labels, len(persons)) for labels in (_of_walks(test), (test.persons, test.named)))
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
    right, count = int(np.trace(walks)), int(walks.sum())
    picture = _matrix(walks[np.ix_(people, people)], right, count)
    return Confusion(people, right, count, shown, len(pairs) - len(shown), picture)


def _of_walks(test: Tested) -> tuple[np.ndarray, np.ndarray]:
    return test.walks.persons, test.walks_named


def _count(persons: np.ndarray, named: np.ndarray, size: int) -> np.ndarray:
    counts = np.zeros((size, size), int)
    np.add.at(counts, (persons, named), 1)
    return counts


def _matrix(walks: np.ndarray, right: int, count: int) -> Picture:
    from matplotlib.colors import to_rgba_array
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    size = len(walks)
    figure = Figure(figsize=(5.4, 5.4), layout="constrained")
    ax = figure.subplots()
    numbers = np.arange(1, size + 1)
    dot = np.clip(280 / size, 2.5, 14) ** 2
    own = walks.diagonal()
    share = own / np.maximum(walks.sum(axis=1), 1)
    ax.plot([0.5, size + 0.5], [0.5, size + 0.5], color="0.85", linewidth=0.8, zorder=1)
    seen = np.where(own > 0, 0.25 + 0.75 * share, 0)
    ax.scatter(numbers, numbers, dot, c=to_rgba_array([COLORS[0]] * size, seen), marker="s", linewidths=0)
    rows, columns = np.nonzero(walks * (1 - np.eye(size, dtype=int)))
    ax.scatter(
        columns + 1, rows + 1, max(0.45 * dot, 12), color=COLORS[1], marker="D", linewidths=0, clip_on=False, zorder=3
    )
    if size <= 40:
        for row, column in np.argwhere(walks > 1).tolist():
            text = str(walks[row, column])
            ax.text(column + 1, row + 1, text, color="white", fontsize=6, ha="center", va="center_baseline")
    ax.set(xlim=(0.5, size + 0.5), ylim=(size + 0.5, 0.5), aspect="equal", xlabel="named", ylabel="who walks")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True, nbins=10, min_n_ticks=1))
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    ax.spines[["top", "right"]].set_visible(True)
    return Picture(
        raster(figure, 180),
        f"Confusion matrix of {count} walks of {size} people: {right} on the diagonal, which is right, and "
        f"{count - right} beside it.",
        "A row is who walks, a column whom the recognizer names; numbers are those of the list of people. Blue "
        "squares are walks named rightly, paler where others of that person's walks are not; orange diamonds are walks "
        "named wrongly.",
    )
