"""How well people are recognised whom nothing was learned from: the protocol `strangers`, a row for each way to learn.

    .venv/bin/python benchmarks/strangers.py                                         # with labels of people
    .venv/bin/python benchmarks/strangers.py --learning persons walks contrast clusters
    .venv/bin/python benchmarks/strangers.py --features distances --features coordinates velocities
    .venv/bin/python benchmarks/strangers.py --learning starter                      # trained on generated people alone

A row is trained anew for each division of the people: on KGBD some 4 minutes of one core, rounds of clusters as much
each. `starter` is `GaitEmbedder.from_preset("walkers")`, which learned nothing from the data set. `reconstruction` is
the paper's encoder, its AGEs whitened by the training walks, the mean over a walk. `cage` is the same with the
contrastive AGEs of the paper's successor.
"""

import argparse
import dataclasses
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

import agegait
from agegait import datasets
from agegait.evaluation import protocols
from agegait.layers import FrameFeatures
from agegait.training import PRESETS, EmbedderTraining, EncodingTraining

FEATURES = ("coordinates", "distances", "velocities")
FIXED = ("starter", *EncodingTraining.LEARNING)
"""What leaves no choice of features."""


def main():
    options = parsed()
    dataset = datasets.load(options.dataset, options.data_dir, options.manual_dir)
    walks = dataset.whole_walks()
    rows = [
        (name, features)
        for name in options.learning
        for features in (options.features if options.features and name not in FIXED else [FEATURES])
    ]
    results = {row: found for row in rows for found in [measure(walks, *row, options)]}
    for table in tables(results):
        Console(width=160).print(table)
    if options.json:
        lines = [
            {"learning": name, "features": features, "results": [dataclasses.asdict(one) for one in found]}
            for (name, features), found in results.items()
        ]
        options.json.write_text(json.dumps(lines, indent=2))


def parsed(words=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="kgbd", help="a data set or a folder of walks (%(default)s)")
    parser.add_argument("--data-dir")
    parser.add_argument("--manual-dir")
    names = (*FIXED, *EmbedderTraining.LEARNING)
    parser.add_argument("--learning", nargs="+", default=["persons"], choices=names, help="what rows learn by")
    parser.add_argument(
        "--features",
        nargs="+",
        action="append",
        choices=FrameFeatures.NAMES[:3],
        help="of frames; may come several times",
    )
    parser.add_argument(
        "--batches", type=int, default=800, help="batches of a training, or of each round (%(default)s)"
    )
    parser.add_argument("--divisions", type=int, default=5, help="divisions of the people (%(default)s)")
    parser.add_argument("--draws", type=int, default=10, help="draws of probes (%(default)s)")
    parser.add_argument("--resamples", type=int, default=1000, help="resamples for intervals (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of trainings (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all results there")
    return parser.parse_args(words)


def measure(walks, name, features, options, embedder=None, recipe=None):
    """The results of a row, see `protocols.strangers`."""
    starter = agegait.GaitEmbedder.from_preset("walkers").embed if name == "starter" else None

    def learn(training, validation):
        del validation  # nothing is chosen: all settings are fixed
        if name == "starter":
            return starter
        if name in EncodingTraining.LEARNING:
            return EncodingTraining(name, recipe or PRESETS["best"], seed=options.seed).fit(training).embed
        settings = {"features": features, **(embedder or {})}
        return EmbedderTraining(name, batches=options.batches, seed=options.seed, embedder=settings).fit(training).embed

    divisions = range(options.divisions)
    return protocols.strangers(walks, learn, divisions, draws=options.draws, resamples=options.resamples)


def tables(results):
    """A table for each kind of gallery: lines are probes of a row."""
    for number, gallery in enumerate(protocols.GALLERIES):
        table = Table(title=f"strangers, a gallery of {gallery}, in per cent (interval of 95 % over people)")
        for column in ("learning", "features", "probe", "Rank-1", "mAP", "EER", "DIR 10 %", "DIR 1 %", "TAR 0.1 %"):
            table.add_column(column, no_wrap=column == "probe")
        for (name, features), found in results.items():
            for one in found[number::2]:
                figures = {
                    "rank_1": one.rank[1],
                    "mean_average_precision": one.mean_average_precision,
                    "equal_error_rate": one.equal_error_rate,
                    "detection_identification_rate_0.1": one.detection_identification_rate[0.1],
                    "detection_identification_rate_0.01": one.detection_identification_rate[0.01],
                    "true_accept_rate_0.001": one.true_accept_rate[0.001],
                }
                cells = [cell(value, one.intervals.get(key)) for key, value in figures.items()]
                used = "ages" if name in EncodingTraining.LEARNING else ", ".join(features)
                table.add_row(name, used, one.probe, *cells)
        yield table


def cell(value, interval):
    """A figure in per cent, and its interval."""
    text = f"{100 * value:.1f}"
    return text if interval is None else f"{text} ({100 * interval[0]:.1f}-{100 * interval[1]:.1f})"


if __name__ == "__main__":
    main()
