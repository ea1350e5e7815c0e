"""Compare a run with baselines: the same windows, the same test walks, the same protocols.

    python examples/compare_with_baseline.py runs/own

d13-knn compares lengths of limbs. mlp-distances is a plain network on coordinates and distances between joints. If the
gait features do not beat both, you do not need them.
"""

import argparse

import rich

from agegait import evaluation, training

parser = argparse.ArgumentParser(description="Compare a run with baselines.")
parser.add_argument("run", help="folder of a run, as `agegait train --out` wrote it")
parser.add_argument("--baselines", nargs="+", default=["d13-knn", "mlp-distances"], metavar="NAME")
options = parser.parse_args()

run = training.load_run(options.run)
found = evaluation.evaluate(run, baselines=options.baselines)
for table in evaluation.tables(found):
    rich.print(table)
