"""How a run's trainings went, from the tables that they left."""

import csv
from pathlib import Path

import numpy as np

from agegait.pages.picture import COLORS, Picture, vector
from agegait.training.run import Run
from agegait.training.run_record import StageResult

TRAININGS = (
    ("encoder", "encoder, without labels", "loss"),
    ("recognizer", "recognizer", "accuracy"),
    ("embedder", "embedder", "loss"),
)
"""Each training's table, what it trains, and the column that is shown of it and of its validation."""


_ABSENT = "NA"
"""What Keras writes for a figure that an epoch does not have."""


def histories(run: Run) -> list[Picture]:
    """A picture of each training that left a table of several epochs; one epoch makes no curve."""
    return [
        _picture(title, column, rows, run.record.trained.get(name))
        for title, column, name, rows in _tables(run)
        if len(rows[column]) > 1
    ]


def single_epochs(run: Run) -> list[str]:
    """A sentence for each training of one epoch."""
    return [
        f"{title}, one epoch: {_last(column, rows)}."
        for title, column, _, rows in _tables(run)
        if len(rows[column]) == 1
    ]


def _tables(run: Run) -> list[tuple[str, str, str, dict[str, np.ndarray]]]:
    return [
        (title, column, name, rows)
        for name, title, column in TRAININGS
        if (rows := _rows(run.folder / "history" / f"{name}.csv", column))
    ]


def _last(column: str, rows: dict[str, np.ndarray]) -> str:
    scale, unit = _scale(column)
    return ", ".join(f"{_part(name)} {column} {scale * values[-1]:.4g}{unit}" for name, values in rows.items())


def _scale(column: str) -> tuple[int, str]:
    return (100, " %") if column == "accuracy" else (1, "")


def _part(name: str) -> str:
    return "validation" if name.startswith("val_") else "training"


def _rows(table: Path, column: str) -> dict[str, np.ndarray]:
    if not table.exists():
        return {}
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in (column, f"val_{column}") if rows and rows[0].get(name, _ABSENT) != _ABSENT]
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in names}


def _picture(title: str, column: str, rows: dict[str, np.ndarray], reached: StageResult | None) -> Picture:
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

    figure = Figure(figsize=(4.4, 3.0), layout="constrained")
    ax = figure.subplots()
    scale, unit = _scale(column)
    told = [f"{_last(column, rows)} in the last epoch"]
    for number, (name, values) in enumerate(rows.items()):
        epochs = np.arange(1, len(values) + 1)
        ax.plot(
            epochs, scale * values, color=COLORS[number], label=_part(name), marker="." if len(values) <= 25 else ""
        )
    if chosen := reached and reached.chosen_epoch:
        ax.axvline(chosen, color="0.4", linestyle=":", linewidth=1.2, label=f"chosen: epoch {chosen}")
        told.append(f"epoch {chosen} chosen")
    ax.set(xlabel="epoch", ylabel=f"{column},{unit}" if unit else column)
    known = np.concatenate(list(rows.values()))
    known = known[np.isfinite(known)]
    if column == "loss" and len(known) and 0 < 10 * known.min() < known.max():
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if known.max() < 1e3 * known.min() else (1,)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.legend()
    text = f"{title}: {column}"
    return Picture(vector(figure), f"Training of the {text}; {', '.join(told)}.", text)
