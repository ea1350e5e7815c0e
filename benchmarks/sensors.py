"""What another sensor costs an embedder, and what adaptation without labels gives back.

    .venv/bin/python benchmarks/sensors.py --manual-dir PATH

People are divided as by the protocol `strangers`. The embedder is trained on walks as they were recorded. A second
sensor is made: it sees each joint displaced along its bone, by a share of the bone's length that is the same in all
walks and on both sides, and trembles more. Tested people are seen by either sensor. The adapted embedder has taken
means and deviations of its features from the second sensor's walks of the validation people, who are nobody of the
tested. A training takes some four minutes of one core, and there is one for each division.
"""

import argparse

import numpy as np
from rich.console import Console
from rich.table import Table

from agegait import datasets
from agegait.data import Walks, divide_persons
from agegait.evaluation import protocols
from agegait.skeletons import BONES, JOINTS
from agegait.training import EmbedderTraining

DISPLACEMENT = 0.12
"""Shares of a bone by which joints are displaced: evenly between this and its negative."""

TREMBLE = 0.006
"""Standard deviation of the second sensor's noise, metres."""


def main():
    options = parsed()
    walks = datasets.load(options.dataset, options.data_dir, options.manual_dir).whole_walks()
    found = measure(walks, EmbedderTraining(batches=options.batches, seed=options.seed), range(options.divisions))
    Console(width=100).print(table(found))


def parsed(words=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="kgbd", help="a data set or a folder of walks (%(default)s)")
    parser.add_argument("--data-dir")
    parser.add_argument("--manual-dir")
    parser.add_argument("--batches", type=int, default=800, help="batches of a training (%(default)s)")
    parser.add_argument("--divisions", type=int, default=3, help="divisions of the people (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of trainings (%(default)s)")
    return parser.parse_args(words)


def measure(walks, training, divisions, draws=10, resamples=1000):
    """Results of whole walks by what sees and embeds them."""
    tests = {"first sensor": [], "second sensor, as it is": [], "second sensor, adapted": []}
    for seed in divisions:
        division = divide_persons(walks.persons, seed=seed)
        tested, second = walks.of_persons(division.tested), second_sensor(walks, seed)
        embedder = training.fit(walks.of_persons(division.training))
        tests["first sensor"].append((tested, _kept(embedder, tested)))
        seen = second.of_persons(division.tested)
        tests["second sensor, as it is"].append((seen, _kept(embedder, seen)))
        embedder.adapt(second.of_persons(division.validation).skeletons)
        tests["second sensor, adapted"].append((seen, _kept(embedder, seen)))
    return {
        name: protocols.recognize_strangers(divided, seconds=(), draws=draws, resamples=resamples)
        for name, divided in tests.items()
    }


def second_sensor(walks, seed=0):
    """The same walks as another sensor sees them."""
    random = np.random.default_rng(seed)
    drawn = dict(zip(JOINTS, random.uniform(-DISPLACEMENT, DISPLACEMENT, len(JOINTS)), strict=True))
    shares = [np.float32(drawn[joint.replace("Right", "Left")]) for joint in JOINTS]
    skeletons = []
    for walk in walks.skeletons:
        seen = walk + TREMBLE * random.standard_normal(walk.shape, "float32")
        for start, end in BONES:
            seen[:, end] += shares[end] * (walk[:, end] - walk[:, start])
        skeletons.append(seen)
    return Walks(skeletons, walks.persons, walks.names)


def _kept(embedder, walks):
    """What embeds those walks as the embedder does now, before it is adapted."""
    embedded = embedder.embed(walks.skeletons)
    return lambda _: embedded


def table(found):
    """A line for each sensor and gallery."""
    shown = Table(title="strangers, whole walks, in per cent (interval of 95 % over people)")
    for column in ("seen by", "gallery", "Rank-1", "mAP", "EER"):
        shown.add_column(column)
    for name, results in found.items():
        for one in results:
            figures = {
                "rank_1": one.rank[1],
                "mean_average_precision": one.mean_average_precision,
                "equal_error_rate": one.equal_error_rate,
            }
            cells = []
            for key, value in figures.items():
                ends = one.intervals.get(key)
                interval = f" ({100 * ends[0]:.1f}-{100 * ends[1]:.1f})" if ends else ""
                cells.append(f"{100 * value:.1f}{interval}")
            shown.add_row(name, one.gallery, *cells)
    return shown


if __name__ == "__main__":
    main()
