"""How many steps runs take to the reconstruction loss that the first of them ends with, and what they recognise.

Reads the folders of finished runs of one data set, the published recipe's first:

    agegait train --dataset walkers --preset paper --out runs/paper && agegait evaluate runs/paper
    agegait train --dataset walkers --preset best --out runs/best && agegait evaluate runs/best
    .venv/bin/python benchmarks/steps.py runs/paper runs/best --plot docs/fewer_steps.svg

Losses are those of the validation windows, which are cut alike whatever a recipe trains on.
"""

import argparse
import csv
import json
import math
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogLocator
from rich.console import Console
from rich.table import Table

import agegait
from agegait.evaluation.protocols import Recognition

LOSS = "val_reconstruction_loss"


class Training:
    """The encoder's training of a run: its losses by step, and what came of it."""

    def __init__(self, folder):
        run = agegait.training.load_run(folder)
        if "recognizer" not in run.record.trained:
            raise SystemExit(f"{folder}: expected a finished run.")
        recipe, windows = run.settings.recipe, run.record.data.split.windows["train"]
        with (run.folder / "history" / "encoder.csv").open(newline="") as file:
            self.losses = np.array([float(row[LOSS]) for row in csv.DictReader(file)])
        self.preset = self.name = run.settings.preset
        self.folder = run.folder.name
        self.data = run.settings.dataset
        self.steps = math.ceil(windows / recipe.batch_size) * np.arange(1, len(self.losses) + 1)
        self.seen = windows * len(self.losses)
        self.ranks = dict(_ranks(run.folder / "evaluation.json"))

    def reaches(self, loss):
        """The first step after which the loss is no higher; None if it never is."""
        low = np.flatnonzero(self.losses <= loss)
        return int(self.steps[low[0]]) if len(low) else None


def _ranks(path):
    """Rank-1 of the method's closed-set recognition, by what is named and the test."""
    if path.exists():
        for test, results in json.loads(path.read_text())["tests"].items():
            for result in results:
                if result["method"] == results[0]["method"] and result["protocol"] == Recognition.protocol:
                    yield f"{test}: {result['of']}", 100 * result["rank"]["1"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="finished runs, the one to be reached first")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the losses: .svg or .png")
    options = parser.parse_args()
    trainings = [Training(folder) for folder in options.runs]
    if len({training.data for training in trainings}) > 1:
        parser.error("expected runs of one data set")
    presets = [training.preset for training in trainings]
    for training in trainings:
        if presets.count(training.preset) > 1:
            training.name = f"{training.preset} ({training.folder})"
    goal = trainings[0].losses[-1]
    tests = list(dict.fromkeys(name for training in trainings for name in training.ranks))
    table = Table("encoder", "steps", "windows seen", "loss in the end", f"steps to {goal:.4f}", *tests)
    for training in trainings:
        table.add_row(
            training.name,
            f"{training.steps[-1]:,}",
            f"{training.seen:,}",
            f"{training.losses[-1]:.4f}",
            "never" if training.reaches(goal) is None else f"{training.reaches(goal):,}",
            *(f"{training.ranks[test]:.1f} %" if test in training.ranks else "" for test in tests),
        )
    Console(width=160).print(table)
    if options.plot:
        draw(trainings, goal, options.plot)


def draw(trainings, goal, path):
    """The losses by step, both logarithmic, with the one to be reached."""
    matplotlib.rcParams["svg.hashsalt"] = "agegait"
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for training in trainings:
        axes.plot(training.steps, training.losses, label=training.name)
    axes.axhline(goal, color="0.6", linewidth=0.8, linestyle="--")
    axes.annotate(f"{goal:.4f}", (0, goal), (4, 3), ("axes fraction", "data"), "offset points", color="0.4")
    axes.set(xscale="log", yscale="log", xlabel="steps", ylabel="reconstruction loss of a validation window")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.grid(alpha=0.3, which="both")
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


if __name__ == "__main__":
    main()
