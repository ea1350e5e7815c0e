"""What a run was made of: the split, settings, versions, machines."""

import dataclasses
import os
from typing import Any, NamedTuple

import numpy as np

from agegait.evaluation.report.observations import Observations
from agegait.training import environment
from agegait.training.run import Run


class Part(NamedTuple):
    """A part of the split.

    Attributes:
        name: `"train"`, `"validation"` or a test's.
        people: How many walk in it.
        walks: How many walks it has.
        each: Walks a person, as text.
        windows: As trained on, or tested.
        note: What else there is to know.
    """

    name: str
    people: int
    walks: int
    each: str
    windows: int
    note: str = ""


def split(run: Run, seen: Observations) -> list[Part]:
    """The parts of a run's data, as they were trained on and tested."""
    held_out = run.record.data.held_out
    note = f"the last {held_out:.0%} of each training walk" if held_out else "other walks than the training walks"
    windows = run.record.data.split.windows if run.record.data.split else {}
    return [
        _part("train", seen.training.persons, windows["train"]),
        _part("validation", seen.validation, windows["validation"], note),
        *(_part(name, test.walks.persons, test.walks.windows) for name, test in seen.tests.items()),
    ]


def _part(name: str, persons: np.ndarray, windows: int, note: str = "") -> Part:
    _, counts = np.unique(persons, return_counts=True)
    least, most = counts.min(), counts.max()
    each = f"{least}" if least == most else f"{least} to {most}"
    return Part(name, len(counts), len(persons), each, windows, note)


def settings(run: Run) -> tuple[list[tuple[str, Any]], list[tuple[str, Any]]]:
    """The settings of a run, and its recipe, by name."""
    asked = dataclasses.asdict(run.settings)
    recipe = asked.pop("recipe")
    how = asked.pop("walk_format")
    if os.path.isabs(run.settings.dataset):  # a folder of the user
        asked |= {name: value for name, value in how.items() if value is not None}
    return list(asked.items()), list(recipe.items())


def versions(run: Run) -> list[tuple[str, str, str]]:
    """Each package with its version in training and now."""
    now = environment.versions()
    return [(name, then, now.get(name, "")) for name, then in run.record.versions.items()]


def machines(run: Run) -> tuple[str, str]:
    """The machine of training and this one."""
    return str(run.record.machine), str(environment.this_machine())
