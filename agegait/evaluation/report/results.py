"""An evaluation's tables and figures, as the page holds them."""

from typing import Any, NamedTuple

from rich.table import Table as RichTable

from agegait import evaluation
from agegait.evaluation import protocols

TERMS = (
    ("Rank-k", "share of samples whose person is among the k best scored, or whose walk is among the k nearest"),
    ("nAUC (CMC)", "mean of Rank-k over all k, as the paper words it; guessing gets a little more than 50"),
    ("nAUC (ROC)", "area under one ROC curve over all scores, as the published code computes it; guessing gets 50"),
    ("mAP, mINP", "mean average precision; how early the last right walk is found"),
    ("EER", "error rate where as many true claims are refused as false ones are let pass"),
    ("TAR at a FAR", "true claims accepted, at a threshold that lets that share of false ones pass"),
    ("DIR at a FAR", "enrolled people who are detected and rightly named, when that share of strangers is named"),
)
"""What stands above columns."""


class Column(NamedTuple):
    """A column's heading, its cells as text, and whether they are numbers."""

    heading: str
    cells: list[str]
    numbers: bool


class Table(NamedTuple):
    """A table, and what it is a table of."""

    title: str
    explained: str
    columns: list[Column]

    @property
    def rows(self) -> list[list[tuple[str, bool]]]:
        """The cells of each row, and whether they are numbers."""
        cells = zip(*(column.cells for column in self.columns), strict=True)
        numbers = [column.numbers for column in self.columns]
        return [list(zip(row, numbers, strict=True)) for row in cells]


def tables(found: dict[str, Any]) -> list[Table]:
    """The tables that the terminal shows, each with what its protocol is."""
    return [_table(table) for table in evaluation.tables(found)]


def _table(table: RichTable) -> Table:
    title = str(table.title)
    explained = (kind.about for protocol, kind in protocols.PROTOCOLS.items() if title.startswith(protocol))
    columns = [
        Column(str(column.header).replace("\n", " "), [str(cell) for cell in column.cells], column.justify == "right")
        for column in table.columns
    ]
    return Table(title, next(explained, ""), columns)


class Headline(NamedTuple):
    """A figure to begin with."""

    split: str
    of: str
    rank: float
    samples: int


def headlines(found: dict[str, Any]) -> list[Headline]:
    """Rank-1 of the run itself, by test split, of windows and of walks."""
    return [
        Headline(split, result["of"], result["cmc"][0], result["samples"])
        for split, results in found["tests"].items()
        for result in results
        if result["protocol"] == protocols.Recognition.protocol and result["method"] == results[0]["method"]
    ]
