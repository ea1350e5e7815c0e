import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.tree import Tree

from agegait.cli.tensorflow import start_tensorflow

DEMO_RECIPE: dict[str, Any] = {
    "epochs": 3,
    "batch_size": 64,
    "recognizer_epochs": 5,
    "window_recognizer_epochs": 5,
    "recognizer_batch_size": 64,
}
"""Enough to name the walkers, in the minutes that somebody who tries it out will wait."""


def demo(options: argparse.Namespace) -> None:
    """Real data in, real files and a real socket out: nothing here is played."""
    out: Path = options.out
    console = Console()
    if out.exists() and (not out.is_dir() or any(out.iterdir())) and not (out / "run" / "run.json").exists():
        raise ValueError(f"{out}: expected a new or empty folder, or an earlier demo's, found something else.")
    start_tensorflow()
    import numpy as np

    from agegait import datasets, evaluation, export, recipes, report, runs, training

    def step(text: str) -> None:
        console.rule(f"[bold]{text}", align="left", characters="─")

    data_dir, run_dir, served_dir, walk_file = (out / name for name in ("data", "run", "served", "walk.npy"))
    step("1 train: the encoder without labels, the recognizer with them")
    settings = runs.Settings("walkers", preset="best", recipe=recipes.recipe("best", **DEMO_RECIPE))
    run = training.train(settings, run_dir, data_dir)
    step("2 evaluate: walks that the training has not seen")
    seen = report.Observations(run)
    found = evaluation.evaluate(run, data_dir, observe=seen)
    for table in evaluation.tables(found):
        console.print(table)
    page = report.write(run, found, seen, data_dir)
    step("3 export: SavedModels for TensorFlow Serving")
    export.save(run_dir, served_dir)
    step("4 serve, and identify over gRPC")
    walk = next(iter(datasets.builder("walkers", data_dir).as_dataset(split="test").as_numpy_iterator()))
    np.save(walk_file, walk["skeleton"])
    with export.Server(served_dir, port=0) as server, export.Client(f"127.0.0.1:{server.port}") as client:
        (named,) = client.identify(np.load(walk_file))
    truth = run.persons[walk["person"]]
    console.print(
        f"{walk_file} is a walk of [bold]{truth}[/bold];",
        f"the server on port {server.port} says [bold]{named.person}[/bold], {100 * named.score:.0f} % sure.",
        sep="\n",
        highlight=False,
    )
    step("files it left")
    console.print(_tree(out))
    console.print(
        f"\nlook:       {page}",
        f"serve them: agegait serve {served_dir}",
        f"identify:   agegait identify {walk_file}",
        sep="\n",
    )


def _tree(folder: Path, depth: int = 3) -> Tree:
    """A folder's files, deep ones as a count."""
    tree = Tree(f"[bold]{folder.name}/")

    def grow(branch: Tree, folder: Path, depth: int) -> None:
        for path in sorted(folder.iterdir()):
            if path.is_file():
                branch.add(f"{path.name}  [dim]{_size(path.stat().st_size)}")
            elif depth > 1:
                grow(branch.add(f"[bold]{path.name}/"), path, depth - 1)
            else:
                files = [file for file in path.rglob("*") if file.is_file()]
                branch.add(f"[bold]{path.name}/[/bold]  [dim]{len(files)} files, {_size(_total(files))}")

    grow(tree, folder, depth)
    return tree


def _total(files: Sequence[Path]) -> int:
    return sum(file.stat().st_size for file in files)


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
