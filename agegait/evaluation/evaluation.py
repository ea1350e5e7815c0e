import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from agegait.evaluation.result import Result
from agegait.storage.records import Record
from agegait.training.settings import Settings


@dataclass(frozen=True)
class Evaluation(Record):
    """What a run reached on its test walks.

    Attributes:
        settings: The run's settings.
        chosen_on: What the run's networks were chosen on, in words.
        left_out: Names of test walks of people whom nobody trained on, by test split.
        tests: The results of each test split, those of the run's own answer first.

    Example:
        >>> found = agegait.evaluation.Evaluation.read(run.folder)
        >>> found.tests["test"][0].figures.rank[1]
    """

    FILE: ClassVar = "evaluation.json"
    FORMAT: ClassVar = 1
    OWNER: ClassVar = "a run"

    settings: Settings
    chosen_on: str
    left_out: dict[str, list[str]]
    tests: dict[str, list[Result]]

    def with_earlier(self, folder: Path) -> Self:
        """With the results that an earlier evaluation of the same tests has in a folder and this one does not."""
        try:
            before = type(self).read(folder)
        except (OSError, ValueError):  # none, or a damaged one: it is written anew
            return self
        if (before.settings, before.left_out) != (self.settings, self.left_out):
            return self
        tests = {}
        for split, results in self.tests.items():
            earlier = {_key(result): result for result in before.tests.get(split, ())}
            if not all(_key(own) in earlier and _alike(earlier[_key(own)], own) for own in results[:2]):
                return self
            now = {_key(result) for result in results}
            tests[split] = [*results, *(result for key, result in earlier.items() if key not in now)]
        return dataclasses.replace(self, tests=tests)


def _alike(one: Result, other: Result) -> bool:
    name = "nauc_roc" if hasattr(other.figures, "nauc_roc") else "equal_error_rate"
    return bool(np.isclose(getattr(one.figures, name), getattr(other.figures, name), atol=1e-3))


def _key(result: Result) -> tuple[str, str, str, int]:
    return result.method, result.protocol, result.of, result.figures.samples
