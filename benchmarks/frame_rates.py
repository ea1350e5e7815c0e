"""What a probe of another frame rate costs, as it is and resampled: people whom the embedder was never trained on.

    .venv/bin/python benchmarks/frame_rates.py                        # KGBD, by the embedder that comes with agegait
    .venv/bin/python benchmarks/frame_rates.py --embedder mine.keras --people others.txt

The gallery holds one walk of each person, at the data set's own rate. Probes are the others, of which a slower sensor
takes every second or third frame.
"""

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import agegait
from agegait import datasets, metrics


def main():
    options = parsed()
    dataset = datasets.load(options.dataset, options.data_dir, options.manual_dir)
    embedder = agegait.GaitEmbedder.from_preset(options.embedder)
    rate, walks = dataset.frame_rate, dataset.whole_walks()
    if options.people:
        walks = walks.of_persons(options.people.read_text().split())
    first = np.unique(walks.persons, return_index=True)[1]
    gallery, probes = walks.take(first), walks.take(np.setdiff1d(np.arange(len(walks.persons)), first))
    skeletons = [walk[: round(options.seconds * rate)] for walk in probes.skeletons]
    entries = embedder.embed(gallery.skeletons, rate)
    table = Table("probes", "Rank-1", "EER", title=f"{options.dataset}, {len(skeletons)} probes, {len(first)} people")
    for every in (1, 2, 3):
        slow = [walk[::every] for walk in skeletons]
        hertz = rate / every
        for how, given in (("as they are", None), ("resampled", hertz)):
            if every > 1 or given is None:
                row = figures(embedder.embed(slow, given) @ entries.T, probes.persons, gallery.persons)
                table.add_row(f"{hertz:g} Hz, {how}", *(f"{100 * figure:.1f}" for figure in row))
    Console(width=100).print(table)


def figures(cosines, probes, gallery):
    """Rank-1, and the equal error rate of all pairs."""
    genuine = probes[:, None] == gallery
    rank = metrics.retrieval_rank_k(-cosines, probes, gallery)
    return rank, metrics.equal_error(cosines.ravel(), genuine.ravel()).rate


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--embedder", default="walkers", metavar="FILE", help="a preset or .keras file (%(default)s)")
    parser.add_argument("--dataset", default="kgbd", help="(%(default)s)")
    parser.add_argument("--people", type=Path, metavar="FILE", help="names of those to test on (default: all)")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each probe (%(default)s)")
    parser.add_argument("--data-dir", metavar="DIR", help="where prepared data sets are kept")
    parser.add_argument("--manual-dir", metavar="DIR", help="where files fetched by hand lie")
    return parser.parse_args()


if __name__ == "__main__":
    main()
