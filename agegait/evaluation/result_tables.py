"""The tables of an evaluation, one for each protocol, since their figures do not compare."""

from agegait.evaluation import protocols
from agegait.evaluation.evaluation import Evaluation
from agegait.evaluation.figures import CONFIDENCE, FIGURES, Figure
from agegait.evaluation.result import Result
from agegait.terminal.table import Cell, Column, Table

STRANGERS = protocols.Strangers.protocol
STRANGER_FIGURES = ("Rank-1", "mAP", "EER", "TAR, FAR 0.1%", "DIR, FAR 1%")
"""What a table of strangers shows: all of its figures, each with an interval, are too many for a terminal."""


def tables(evaluation: Evaluation) -> list[Table]:
    """The tables of an evaluation: rich prints them, as the report does."""
    rows = [(split, result) for split, results in evaluation.tests.items() for result in results]
    return [
        _table(protocol, [row for row in rows if row[1].protocol == protocol])
        for protocol in dict.fromkeys(result.protocol for _, result in rows)
    ]


def percent(figure: Figure, result: Result) -> Cell:
    """A figure in per cent, with its interval where it has one."""
    value = figure.read(result)
    if value is None:
        return Cell("")
    ends = [f"{100 * end:.0f}" for end in figure.interval(result) or ()]
    return Cell(f"{100 * value:.1f}", "-".join(ends))


def _table(protocol: str, rows: list[tuple[str, Result]]) -> Table:
    names = STRANGER_FIGURES if protocol == STRANGERS else FIGURES
    shown = [FIGURES[name] for name in names if any(FIGURES[name].read(result) is not None for _, result in rows)]
    cells = [[percent(figure, result) for figure in shown] for _, result in rows]
    notes = []
    if any(cell.detail for row in cells for cell in row):
        of = "resamples of the people" if protocol == STRANGERS else "walks or claims"
        notes.append(f"In brackets: {CONFIDENCE:.0%} intervals, of {of}.")
    if not all(cell.text for row in cells for cell in row or [Cell("")]):
        notes.append("Empty: too few samples to estimate.")
    headings = ("method", "probe", "gallery") if protocol == STRANGERS else ("test", "method", "of")
    return Table(
        title=f"{protocol}, in per cent",
        columns=(
            *(Column(heading, number=False, wrap=heading == "method") for heading in headings),
            Column("samples"),
            *(Column(figure.name) for figure in shown),
        ),
        rows=tuple(
            (*map(Cell, (*_labels(split, result), f"{result.figures.samples:,}")), *row)
            for (split, result), row in zip(rows, cells, strict=True)
        ),
        about=protocols.PROTOCOLS[protocol].about if protocol in protocols.PROTOCOLS else "",
        caption=" ".join(notes),
    )


def _labels(split: str, result: Result) -> tuple[str, str, str]:
    if isinstance(result.figures, protocols.Strangers):
        return result.method, result.figures.probe, result.figures.gallery
    return split, result.method, result.of
