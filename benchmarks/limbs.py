"""How far limb lengths can be trusted to tell mixed-up joints: false alarms and exchanges found, on the real KGBD."""

import argparse
import dataclasses
from itertools import combinations

import numpy as np
from rich.console import Console
from rich.table import Table

from agegait import datasets, skeletons
from agegait.skeletons import limbs


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir")
    parser.add_argument("--manual-dir")
    options = parser.parse_args()
    dataset = datasets.load("kgbd", options.data_dir, options.manual_dir)
    walks = [walk for part in dataset.parts for walk in dataset.read(part).as_numpy_iterator()]
    of_person = {label: [walk for walk in walks if walk["person"] == label] for label in range(len(dataset.persons))}
    groups = {
        "a walk": [limbs.summarize([walk]) for walk in walks],
        "a person's walks": [limbs.summarize(own) for own in of_person.values()],
        "all walks": [limbs.summarize(walks)],
    }
    table = Table("judged by", "how many", "refused as they are", "exchanges of two joints", "found")
    for name, summaries in groups.items():
        refused = sum(bool(limbs.faults(summary)) for summary in summaries)
        found = [bool(limbs.faults(exchanged(summary, *swap))) for summary in summaries for swap in SWAPS]
        table.add_row(name, f"{len(summaries):,}", f"{refused:,}", f"{len(found):,}", f"{100 * np.mean(found):.2f} %")
    Console().print(table)


SWAPS = list(combinations(range(len(skeletons.JOINTS)), 2))
STARTS, ENDS = np.transpose(skeletons.BONES)


def exchanged(summary, one, other):
    """The summary of the same walks with two joints in each other's places; limbs that change are taken for steady."""
    order = np.arange(len(skeletons.JOINTS))
    order[[one, other]] = other, one
    distances = summary.distances[np.ix_(order, order)]
    same = np.isclose(distances[STARTS, ENDS], summary.lengths)
    return dataclasses.replace(summary, distances=distances, steadiness=np.where(same, summary.steadiness, 0))


if __name__ == "__main__":
    main()
