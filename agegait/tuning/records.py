"""What a search keeps in its folder."""

from dataclasses import dataclass
from typing import Any, ClassVar

from agegait import training
from agegait.storage.records import Record
from agegait.training.settings import Settings


@dataclass(frozen=True)
class Search(Record):
    """What is searched.

    Attributes:
        settings: What is varied.
        method: How the next trial is chosen.
        sweeps: Hyperband's.
        search: What is varied, see `SearchSpace.search`.
    """

    FILE: ClassVar = "tuning.json"
    FORMAT: ClassVar = 3
    OWNER: ClassVar = "a search"

    settings: Settings
    method: str
    sweeps: int
    search: list[str]

    def differences(self, other: "Search") -> list[str]:
        """What the other has otherwise, in words."""
        own = ((name, getattr(self, name), getattr(other, name)) for name in ("method", "sweeps", "search"))
        return [
            *training.differences(self.settings, other.settings),
            *(f"{name} {there!r}, not {asked!r}" for name, there, asked in own if there != asked),
        ]


@dataclass(frozen=True)
class TrialResult:
    """What a trial came to; None where it failed, but for `failure`, which says why."""

    trial: str
    status: str
    validation_accuracy: float | None
    chosen_epoch: int | None
    seconds: float | None
    epochs: int
    recognizer_epochs: int
    varied: dict[str, Any]
    failure: str | None


@dataclass(frozen=True)
class SearchResult(Record):
    """What a search came to.

    Attributes:
        planned: Trials of the whole search.
        best: The best one's number, of those so far; None where none has succeeded.
        trials: Those that have ended, in the order of their start.
    """

    FILE: ClassVar = "trials.json"
    FORMAT: ClassVar = 3
    OWNER: ClassVar = "a search"

    planned: int
    best: str | None
    trials: list[TrialResult]


@dataclass(frozen=True)
class BestTrial(Record):
    """The best trial of a search.

    Attributes:
        trial: Its number.
        validation_accuracy: Over the validation windows.
        run: Its run's folder, in that of the search; None where it has none.
        settings: Its settings.
    """

    FILE: ClassVar = "best.json"
    FORMAT: ClassVar = 3
    OWNER: ClassVar = "a search"

    trial: str
    validation_accuracy: float
    run: str | None
    settings: Settings
