"""What a reproduction keeps in its folder."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

from agegait.evaluation import Result
from agegait.storage.records import OPTIONAL, Record
from agegait.training.run_record import Machine, StageResult
from agegait.training.settings import Settings


@dataclass
class ReproductionData:
    """The data set of a reproduction.

    Attributes:
        persons: How many people there are.
        split: Names of the walks of each part; empty until the first row begins.
        left_out: Names of test walks of people whom nobody trained on.
    """

    name: str
    version: str | None
    persons: int
    licence: str
    held_out: float
    notes: list[list[str]]
    split: dict[str, list[str]] = field(default_factory=dict)
    left_out: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class About(Record):
    """What all results of a reproduction have in common.

    Attributes:
        version: Of agegait.
        settings: Of all rows, with seed 0.
        data: The data set.
    """

    FILE: ClassVar = "settings.json"
    FORMAT: ClassVar = 4
    OWNER: ClassVar = "a reproduction"

    version: str
    settings: Settings
    data: ReproductionData


@dataclass
class RowResult(Record):
    """What a row reached with a seed.

    Attributes:
        row: The row's name.
        text: What it is, in a line.
        baseline: See `Row`, as `labelled_walks`.
        trained: What each stage of its training reached.
        labelled: Training walks that had labels, where some had none.
        tests: For each test split what `agegait.evaluation.evaluate` finds.
        seconds: Of the process that finished it.
        versions: Of the packages that it was made with.
        machine: Where it was made.
    """

    FORMAT: ClassVar = 4

    row: str
    text: str
    seed: int
    settings: Settings
    baseline: str | None
    labelled_walks: int | None
    trained: dict[str, StageResult]
    labelled: list[str] | None
    tests: dict[str, list[Result]]
    seconds: float
    versions: dict[str, str]
    machine: Machine


@dataclass
class Spread:
    """A figure over seeds, as a fraction.

    Attributes:
        mean: Over the seeds.
        deviation: Sample standard deviation; None for a single seed.
        least: The smallest.
        most: The largest.
        seeds: How many seeds.
        values: Each seed's.
        interval: The means of the ends of the seeds' intervals, where they have some of their own.
    """

    mean: float
    deviation: float | None
    least: float
    most: float
    seeds: int
    values: list[float]
    interval: list[float] | None = field(default=None, metadata=OPTIONAL)

    @classmethod
    def of(cls, values: Sequence[float], intervals: Sequence[tuple[float, float]] = ()) -> Self:
        """That of a figure of each seed."""
        deviation = statistics.stdev(values) if len(values) > 1 else None
        interval = [statistics.fmean(end) for end in zip(*intervals, strict=True)] or None
        return cls(statistics.fmean(values), deviation, min(values), max(values), len(values), list(values), interval)


@dataclass
class SummaryLine:
    """A row's figures over its seeds, by one protocol and on one kind of sample of one test split.

    Attributes:
        of: What samples are.
        people: Of `WindowRetrieval`.
    """

    protocol: str
    test: str
    of: str
    row: str
    seeds: list[int]
    samples: int
    people: str | None = field(default=None, metadata=OPTIONAL)
    figures: dict[str, Spread] = field(default_factory=dict)


@dataclass
class Published:
    """Published figures beside ours: by test split, row and name."""

    source: str
    figures: dict[str, dict[str, dict[str, float]]]


@dataclass
class ToCome:
    """A row and a seed that are not done yet."""

    row: str
    seed: int


@dataclass
class Reproduction(About):
    """The whole of a reproduction so far.

    Attributes:
        command: What was typed.
        to_come: Requested rows and seeds that are not done yet.
        published: Published figures.
        summary: Figures over seeds.
        results: Every row's and seed's.
    """

    FILE: ClassVar = "reproduction.json"

    command: str | None
    to_come: list[ToCome]
    published: Published
    summary: list[SummaryLine]
    results: list[RowResult]
