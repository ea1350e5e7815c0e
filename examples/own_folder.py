"""Train on a folder of your own walks, evaluate the run and export it for a server.

    python examples/own_folder.py PATH --units mm --out runs/own

PATH holds a folder for each person, with a file for each walk: see docs/own_skeletons.md.
"""

import argparse

import rich

from agegait import data, evaluation, export, training
from agegait.training import recipes

parser = argparse.ArgumentParser(description="Train on a folder of your own walks.")
parser.add_argument("folder", help="PATH/<person>/<walk>")
parser.add_argument("--joints", default="auto", help="joint schema, found out by default")
parser.add_argument("--units", default="m", help="unit of lengths: m, cm, mm or in")
parser.add_argument("--epochs", type=int, help="epochs of the encoder and of the embedder; the recipe's by default")
parser.add_argument("--out", default="runs/own", help="folder of the run")
options = parser.parse_args()

epochs = {} if options.epochs is None else {"epochs": options.epochs, "embedder_epochs": options.epochs}
settings = training.Settings(
    options.folder,
    preset="best",
    recipe=recipes.recipe("best", **epochs),
    walk_format=data.WalkFormat(joints=options.joints, units=options.units),
)
run = training.train(settings, options.out)  # the same command resumes a training that was stopped
for table in evaluation.tables(evaluation.evaluate(run)):
    rich.print(table)
export.save(run.folder, f"{options.out}/served")
print(f"Serve it: agegait serve {options.out}/served")
