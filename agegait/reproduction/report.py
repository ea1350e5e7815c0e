"""Tables over all that a reproduction has done so far: mean and spread over seeds, a table for each protocol."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from agegait import evaluation
from agegait.evaluation import protocols
from agegait.reproduction.published import (
    ALL_NOTES,
    NOTES,
    PUBLISHED,
    SHORT_SOURCE,
    SOURCE,
    WINDOW_NOTE,
    WINDOW_SOURCE,
    WINDOWS,
    Figures,
)
from agegait.reproduction.records import (
    About,
    Published,
    Reproduction,
    RowResult,
    Spread,
    SummaryLine,
    ToCome,
)
from agegait.reproduction.rows import ROWS
from agegait.storage.whole_file import write_text
from agegait.terminal.table import Cell, Column, Table
from agegait.terminal.visible_text import visible

PRINTED = ("Rank-1", "nAUC (ROC)")
"""Ours that the published figures stand beside."""

LEFT_OUT = ("Rank-10", "mINP", *(name for name in evaluation.FIGURES if name.startswith("reached")))
"""Figures that tables have no room for; the JSON has them."""

NOWHERE = "-"


def write(out: Path, about: About, command: str | None = None, to_come: Sequence[ToCome] = ()) -> Reproduction:
    """Writes `reproduction.json` and `reproduction.md` over all results in a folder.

    Args:
        out: The folder.
        about: What all results have in common.
        command: What was typed; None leaves what an earlier one wrote.
        to_come: Requested rows and seeds that are not done yet.
    """
    paths = sorted((out / "results").glob("*/seed-*.json"), key=lambda path: (len(path.name), path.name))
    place = {name: number for number, name in enumerate(ROWS)}
    results = sorted(map(RowResult.read_file, paths), key=lambda result: place.get(result.row, len(place)))
    found = Reproduction(
        about.version,
        about.settings,
        about.data,
        command or (Reproduction.read(out).command if (out / Reproduction.FILE).exists() else None),
        list(to_come),
        Published(SOURCE, _published(about.data.name)),
        summary(results),
        results,
    )
    found.write(out)
    write_text(out / "reproduction.md", markdown(found))
    return found


def summary(results: Iterable[RowResult]) -> list[SummaryLine]:
    """Each row's figures over its seeds, for each protocol, test split and kind of sample by itself."""
    groups: dict[tuple[str, str, str, str], list[tuple[int, evaluation.Result]]] = {}
    for result in results:
        for test, found in result.tests.items():
            for one in found:
                key = one.protocol, test, one.of, result.row
                groups.setdefault(key, []).append((result.seed, one))
    lines = []
    for (protocol, test, of, row), runs in groups.items():
        figures = {}
        for name, figure in evaluation.FIGURES.items():
            values = [value for _, one in runs if (value := figure.read(one)) is not None]
            if len(values) == len(runs):
                ends = [
                    end for _, one in runs if protocol == protocols.Strangers.protocol and (end := figure.interval(one))
                ]
                figures[name] = Spread.of(values, ends if len(ends) == len(runs) else ())
        first = runs[0][1].figures
        seeds = [seed for seed, _ in runs]
        people = getattr(first, "people", None)
        lines.append(SummaryLine(protocol, test, of, row, seeds, first.samples, people, figures))
    return lines


def tables(found: Reproduction) -> list[Table]:
    """The tables of a reproduction: one for each protocol, test split and kind of sample, and one of the runs."""
    return [*(table for _, table in by_protocol(found.summary, found.data.name)), _runs(found.results)]


def by_protocol(summary: Sequence[SummaryLine], dataset: str) -> list[tuple[str, Table]]:
    """The tables of figures, each with its protocol: one for each test split and kind of sample, never two in one."""
    tables = []
    for protocol in protocols.PROTOCOLS:
        own = [line for line in summary if line.protocol == protocol]
        for test, of in dict.fromkeys((line.test, line.of) for line in own):
            lines = [line for line in own if (line.test, line.of) == (test, of)]
            make = _OTHER_TABLES.get(protocol, _table)
            tables.append((protocol, make(protocol, test, of, lines, dataset)))
    return tables


def markdown(found: Reproduction) -> str:
    """The whole report."""
    data = found.data
    rows = list(dict.fromkeys(result.row for result in found.results))
    texts = {result.row: result.text for result in found.results}
    lines = [f"# Reproduction on {data.name}", ""]
    lines += _paragraph(
        "Per cent, mean over seeds ± sample standard deviation (least to most). A table holds one protocol, one test "
        "split and one kind of sample; figures of different tables are not to be compared."
    )
    if found.to_come:
        names = dict.fromkeys(one.row for one in found.to_come)
        lines += _paragraph(f"Under way: {len(found.to_come)} runs are still to come, of {', '.join(names)}.")
    if found.published.figures:
        lines += _paragraph(
            f"Published figures: {SOURCE}. They are of windows, by the published protocol. {NOTES[data.name]} "
            f"{ALL_NOTES}"
        )
    before = ""
    for protocol, table in by_protocol(found.summary, data.name):
        if protocol != before:
            lines += [f"## {protocol[0].upper()}{protocol[1:]}", "", *_paragraph(table.about)]
        before = protocol
        lines += [f"**{table.title}**", "", *table.markdown(), ""]
        if table.caption and protocol in _OTHER_TABLES:
            lines += _paragraph(table.caption)
    what = Table(
        "rows",
        (Column("row", number=False), Column("what it is", number=False)),
        tuple((Cell(row), Cell(texts[row])) for row in rows),
    )
    lines += ["## Rows", "", *what.markdown(), ""]
    lines += ["## Runs", "", *_runs(found.results).markdown(), ""]
    lines += _paragraph(
        "Seconds are of the process that finished the row or the encoder. Those of a row hold its encoder's only where "
        "it was the first to need it."
    )
    lines += ["## How it was made", ""]
    lines += [f"- Command: `{found.command}`"] if found.command else []
    lines += [
        f"- Data: {data.name}, version {data.version}, {data.persons} people; "
        + ", ".join(f"{len(walks)} {part}" for part, walks in data.split.items())
        + (f" walks; the last {data.held_out:.0%} of each training walk validates" if data.held_out else " walks"),
        f"- Preset `{found.settings.preset}`; the whole recipe, the split by name, each seed's figures: {found.FILE}",
    ]
    lines += [f"- {name}: {text}" for name, text in data.notes]
    left_out = {test: walks for test, walks in data.left_out.items() if walks}
    lines += [
        f"- Left out of {test}, being of nobody trained on: {', '.join(walks)}" for test, walks in left_out.items()
    ]
    for kind in ("versions", "machine"):
        made_with = (getattr(result, kind) for result in found.results)
        said = dict.fromkeys(
            ", ".join(f"{name} {value}" for name, value in (of if kind == "versions" else vars(of)).items())
            for of in made_with
        )
        lines += [f"- {kind.capitalize()}: {text}" for text in said]
    return "\n".join(map(visible, lines)).rstrip() + "\n"


def _published(name: str) -> dict[str, dict[str, Any]]:
    return {
        test: {row: figures._asdict() for row, figures in own.items()}
        for (dataset, test), own in PUBLISHED.items()
        if dataset == name
    }


def _table(protocol: str, test: str, of: str, lines: Sequence[SummaryLine], dataset: str) -> Table:
    shown = [name for name in evaluation.FIGURES if any(name in line.figures for line in lines)]
    shown = [name for name in shown if name not in LEFT_OUT]
    printed: dict[str, Figures] = {}
    if of == "windows" and protocol in (protocols.Recognition.protocol, protocols.Published.protocol):
        printed = PUBLISHED.get((dataset, test), {})
    same = protocol == protocols.Published.protocol
    mark = "" if same else " (by another protocol)"
    rows = [
        (
            Cell(line.row),
            Cell(str(len(line.seeds))),
            *(_cell(line.figures.get(name)) for name in shown),
            *_as_printed(printed, line.row),
        )
        for line in lines
    ]
    if same:
        others = [name for name in printed if name not in ROWS]
        rows += [(Cell(name), *[Cell(NOWHERE)] * (1 + len(shown)), *_as_printed(printed, name)) for name in others]
    samples = dict.fromkeys(line.samples for line in lines)
    counted = " or ".join(f"{count:,}" for count in samples)
    return Table(
        f"{protocol}: {counted} {of} of {test}",
        _columns("row", "seeds", *shown, *(f"published {name}{mark}" for name in PRINTED if printed)),
        tuple(rows),
        protocols.PROTOCOLS[protocol].about,
        f"published: {SHORT_SOURCE}" if printed else "",
    )


def _stranger_table(protocol: str, test: str, of: str, lines: Sequence[SummaryLine], _dataset: str) -> Table:
    shown = [name for name in evaluation.STRANGER_FIGURES if any(name in line.figures for line in lines)]
    rows = [
        (Cell(line.row), Cell(str(len(line.seeds))), *(_cell(line.figures.get(name)) for name in shown))
        for line in lines
    ]
    return Table(
        f"{protocol}: {of}",
        _columns("row", "seeds", *shown),
        tuple(rows),
        protocols.PROTOCOLS[protocol].about,
        f"{lines[0].samples:,} probes of {test}. In brackets: intervals of 95 %, by resampling people; their ends "
        "are means over seeds.",
    )


def _window_table(protocol: str, _test: str, of: str, lines: Sequence[SummaryLine], dataset: str) -> Table:
    shown = ("Rank-1", "Rank-5", "Rank-10", "mAP")
    rows = [
        (
            Cell(line.row),
            Cell(line.people or ""),
            Cell(f"{line.samples:,}"),
            Cell(str(len(line.seeds))),
            *(_cell(line.figures.get(name)) for name in shown),
        )
        for line in lines
    ]
    printed = WINDOWS.get(dataset, {})
    rows += [
        (
            Cell(f"published: {name}"),
            Cell(figures.people),
            *[Cell(NOWHERE)] * 2,
            *(Cell(f"{value:.1f}") for value in figures[:-1]),
        )
        for name, figures in printed.items()
    ]
    return Table(
        f"{protocol}: {of}",
        (Column("row", number=False), Column("people", number=False), *map(Column, ("probes", "seeds", *shown))),
        tuple(rows),
        protocols.PROTOCOLS[protocol].about,
        f"Published figures: {WINDOW_SOURCE}. {WINDOW_NOTE}" if printed else "",
    )


_OTHER_TABLES = {
    protocols.Strangers.protocol: _stranger_table,
    protocols.WindowRetrieval.protocol: _window_table,
}
"""What makes the tables of protocols whose columns are their own."""


def _columns(first: str, *others: str) -> tuple[Column, ...]:
    return Column(first, number=False), *map(Column, others)


def _as_printed(printed: dict[str, Figures], row: str) -> list[Cell]:
    if not printed:
        return []
    return [Cell(f"{figure:.1f}") for figure in printed[row]] if row in printed else [Cell(NOWHERE)] * len(PRINTED)


def _cell(figure: Spread | None) -> Cell:
    if figure is None:
        return Cell(NOWHERE)
    text = f"{100 * figure.mean:.1f}"
    if figure.deviation is not None:
        text += f" ± {100 * figure.deviation:.1f}"
    ends = figure.interval
    if ends is None and figure.deviation is not None:
        ends = [figure.least, figure.most]
    return Cell(text, f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f}" if ends else "")


def _runs(results: Iterable[RowResult]) -> Table:
    rows = []
    for result in results:
        chosen = validation = encoder = NOWHERE
        if (last := result.trained.get("recognizer")) and last.chosen_epoch is not None:
            chosen = f"{last.chosen_epoch} of {last.epochs}"
        if last and last.validation_accuracy is not None:
            validation = f"{100 * last.validation_accuracy:.1f}"
        if "encoder" in result.trained:
            encoder = f"{result.trained['encoder'].seconds:.0f}"
        texts = result.row, str(result.seed), chosen, validation, encoder, f"{result.seconds:.0f}"
        rows.append(tuple(map(Cell, texts)))
    columns = _columns("row", "seed", "epoch chosen", "validation Rank-1", "encoder's seconds", "row's seconds")
    return Table("runs", columns, tuple(rows))


def _paragraph(text: str) -> list[str]:
    return [text, ""]
