"""How a run's trainings went, from the tables that they left."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from agegait.evaluation.report.picture import COLORS, Picture, vector
from agegait.training.run import Run

TRAININGS = (
    ("encoder", "encoder, without labels", "loss"),
    ("recognizer", "recognizer", "accuracy"),
    ("window_recognizer", "recognizer of windows themselves", "accuracy"),
)
"""Each training's table, what it trains, and the column that is shown of it and of its validation."""


def histories(run: Run) -> list[Picture]:
    """A picture of each training that left a table."""
    return [
        _picture(title, column, rows, run.record["trained"].get(name, {}))
        for name, title, column in TRAININGS
        if (rows := _rows(run.folder / "history" / f"{name}.csv", column))
    ]


def _rows(table: Path, column: str) -> dict[str, np.ndarray]:
    if not table.exists():
        return {}
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in (column, f"val_{column}") if rows and name in rows[0]]
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in names}


def _picture(title: str, column: str, rows: dict[str, np.ndarray], reached: dict[str, Any]) -> Picture:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(4.4, 3.0), layout="constrained")
    ax = figure.subplots()
    scale, unit = (100, ", %") if column == "accuracy" else (1, "")
    told = []
    for number, (name, values) in enumerate(rows.items()):
        of = "validation" if name.startswith("val_") else "training"
        epochs = np.arange(1, len(values) + 1)
        ax.plot(epochs, scale * values, color=COLORS[number], label=of, marker="." if len(values) <= 25 else "")
        told.append(f"{of} {scale * values[-1]:.4g}{unit and ' %'} in the last epoch")
    if chosen := reached.get("chosen_epoch"):
        ax.axvline(chosen, color="0.4", linestyle=":", linewidth=1.2, label=f"chosen: epoch {chosen}")
        told.append(f"epoch {chosen} chosen")
    ax.set(xlabel="epoch", ylabel=column + unit)
    if column == "loss" and all((values > 0).all() for values in rows.values()):
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter("{x:g}")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.legend()
    text = f"{title}: {column}"
    return Picture(vector(figure), f"Training of the {text}; {', '.join(told)}.", text)
