"""Which walk of KGBD is for training, validation or the test.

There is no official split: the papers test on one random walk of each person, and do not say which. Ours is drawn
once, by `draw`, and written down in split.csv, which is what the builder reads.
"""

import csv
from collections.abc import Iterable, Mapping

from etils import epath

from agegait.data.folder.drawn_split import draw_split

SEED = 0
IDENTICAL = ("Person064/4", "Person064/5")
"""Walks that are one and the same recording. They are never drawn, so they stay together in the training set."""

VALIDATED = 0.25
"""Share of people of whom a walk is for validation."""

_FOLDER = epath.Path(__file__).parent


def read_persons() -> tuple[str, ...]:
    """Reads the people's names, in the order of their class labels."""
    return tuple((_FOLDER / "persons.txt").read_text().split())


def read() -> dict[str, str]:
    """Reads the split that is written down: a walk such as "Person001/1" -> "train", "validation" or "test"."""
    rows = csv.DictReader((_FOLDER / "split.csv").read_text().splitlines())
    return {f"{row['person']}/{row['walk']}": row["split"] for row in rows}


def draw(walks: Iterable[str], seed: int = SEED) -> dict[str, str]:
    """Draws the split: one walk of each person for the test, and one of every fourth person for validation.

    The order of drawing is that of `agegait.data.folder.drawn_split.draw_split`. The first of a person's walks in that
    order is the test; the second, for the first quarter of the people in that order, is validation; the rest is for
    training.

    Args:
        walks: The walks' names, such as "Person001/1".
        seed: Another seed draws another split.

    Returns:
        Each walk's split, in the order of the walks.
    """
    of_person: dict[str, list[str]] = {}
    for walk in (walks := list(walks)):
        of_person.setdefault(walk.split("/")[0], []).append(walk)
    split = draw_split(of_person, [IDENTICAL], seed, validated=VALIDATED)
    return {walk: split[walk] for walk in walks}


def table(split: Mapping[str, str]) -> str:
    """Writes a split as split.csv has it: person,walk,split."""
    rows = (f"{walk.replace('/', ',')},{name}\n" for walk, name in split.items())
    return "".join(["person,walk,split\n", *rows])
