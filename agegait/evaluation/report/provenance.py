"""What a run was made of: the split, settings, versions, machines."""

import dataclasses
import os
import platform
from importlib.metadata import version
from os import PathLike
from typing import Any, NamedTuple

import numpy as np

from agegait.evaluation.report.observations import Observations
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


def split(
    run: Run,
    seen: Observations,
    data_dir: str | PathLike | None = None,
    manual_dir: str | PathLike | None = None,
) -> list[Part]:
    """The parts of a run's data, as they were trained on and tested.

    Args:
        run: The run.
        seen: What was seen in its evaluation.
        data_dir: Where prepared data sets are kept.
        manual_dir: Where a data set that was fetched by hand lies.
    """
    trained = seen.training.persons
    dataset = run.load_data(data_dir, manual_dir)
    windows = run.record["data"]["split"]["windows"]
    if dataset.held_out:
        persons, note = trained, f"the last {dataset.held_out:.0%} of each training walk, not trained on"
    else:
        walks = dataset.read("validation").map(lambda walk: walk["person"])
        persons, note = np.array(list(walks.as_numpy_iterator())), "other walks than those trained on"
    return [
        _part("train", trained, windows["train"]),
        _part("validation", persons, windows["validation"], note),
        *(_part(name, test.walks.persons, test.walks.windows) for name, test in seen.tests.items()),
    ]


def _part(name: str, persons: np.ndarray, windows: int, note: str = "") -> Part:
    _, counts = np.unique(persons, return_counts=True)
    least, most = counts.min(), counts.max()
    each = f"{least}" if least == most else f"{least} to {most}"
    return Part(name, len(counts), len(persons), each, windows, note)


def settings(run: Run) -> tuple[list[tuple[str, Any]], list[tuple[str, Any]]]:
    """What a run was asked to do, and the recipe, by name."""
    asked = dataclasses.asdict(run.settings)
    recipe = asked.pop("recipe")
    how = asked.pop("walk_format")
    if os.path.isabs(run.settings.dataset):  # files of one's own
        asked |= {name: value for name, value in how.items() if value is not None}
    return list(asked.items()), list(recipe.items())


def versions(run: Run) -> list[tuple[str, str, str]]:
    """Each package with its version in training and now."""
    then = run.record["versions"]
    now = {name: version(name) for name in then if name != "python"} | {"python": platform.python_version()}
    return [(name, then[name], now[name]) for name in then]


def machines(run: Run) -> tuple[str, str]:
    """The machine of training and this one."""
    here = {"processor": platform.machine(), "cores": os.cpu_count(), "system": platform.system()}
    return _machine(run.record["machine"]), _machine(here)


def _machine(machine: dict[str, Any]) -> str:
    return f"{machine['system']}, {machine['processor']}, {machine['cores']} cores"
