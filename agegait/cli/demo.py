import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.text import Text
from rich.tree import Tree

from agegait.cli.gallery_url import gallery_url
from agegait.cli.tensorflow import start_tensorflow
from agegait.storage.whole_file import whole_file
from agegait.terminal.console import output

DEMO_RECIPE: dict[str, Any] = {
    "units": 64,
    "epochs": 3,
    "batch_size": 64,
    "recognizer_units": 256,
    "recognizer_epochs": 3,
    "recognizer_batch_size": 64,
    "embedder_epochs": None,
}
"""Enough to name the walkers, in the minutes that somebody who tries it out will wait."""


def demo(options: argparse.Namespace) -> None:
    """Real data in, real files and a real socket out: nothing here is played."""
    out: Path = options.out
    console = output()
    if out.exists() and (not out.is_dir() or any(out.iterdir())) and not (out / "run" / "run.json").exists():
        raise ValueError(f"{out}: expected a new or empty folder, or an earlier demo's, found something else.")
    start_tensorflow()
    import numpy as np

    from agegait import datasets, evaluation, export, serving, training
    from agegait.evaluation import report
    from agegait.training import recipes

    def step(text: str) -> None:
        console.rule(Text(text, style="bold"), align="left", characters="─")

    data_dir, run_dir, served_dir, walk_file = (out / name for name in ("data", "run", "served", "walk.npy"))
    step("1 train: the encoder without labels, the recognizer with them")
    settings = training.Settings("walkers", preset="best", recipe=recipes.recipe("best", **DEMO_RECIPE))
    run = training.train(settings, run_dir, data_dir)
    step("2 evaluate: walks that the training has not seen")
    seen = report.Observations(run)
    found = evaluation.evaluate(run, data_dir, observe=seen)
    for table in evaluation.tables(found):
        console.print(table)
    page = report.write(run, found, seen)
    step("3 export: SavedModels for TensorFlow Serving")
    export.save(run_dir, served_dir)
    step("4 serve, and identify over gRPC")
    walk = next(iter(datasets.builder("walkers", data_dir).as_dataset(split="test").as_numpy_iterator()))
    with whole_file(walk_file) as aside:
        np.save(aside, walk["skeleton"])
    with serving.Server(served_dir, port=0) as server, serving.Client(f"127.0.0.1:{server.port}") as client:
        (named,) = client.identify(np.load(walk_file))
    truth = run.persons[walk["person"]]
    console.print(
        f"{walk_file} is a walk of {truth};",
        f"the server on port {server.port} says {named.person}, {100 * named.score:.0f} % sure.",
        sep="\n",
    )
    step("5 a gallery: people whom nobody trained on, enrolled, recognised, forgotten")
    _show_gallery(out / "gallery.db", run.load_data(data_dir))
    step("files it left")
    console.print(_tree(out))
    console.print(
        "",
        f"look:       {page}",
        f"serve them: {shlex.join(('agegait', 'serve', str(served_dir)))}",
        f"identify:   {shlex.join(('agegait', 'identify', str(walk_file)))}",
        sep="\n",
    )


def _show_gallery(file: Path, dataset: Any) -> None:
    """Two walkers are enrolled, one of them is recognised, a third is unknown, one is forgotten.

    The others set the threshold, before the same sensor.
    """
    from agegait import Gallery
    from agegait.gallery import Calibration
    from agegait.models import GaitEmbedder

    console = output()
    embedder = GaitEmbedder.from_preset("walkers")
    for suffix in ("", "-wal", "-shm"):  # an earlier demo's
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    walks, tests = (dataset.whole_walks(part) for part in ("train", "test"))
    *others, first, second, third = dataset.persons
    calibration = Calibration.measure(embedder, walks.of_persons(others))
    with Gallery.open(gallery_url(str(file)), embedder, calibration) as gallery:
        for person in (first, second):
            enrolled = gallery.enrol(person, walks.of_persons([person]).skeletons[:2], consent="none needed: generated")
            console.print(f"enrolled:   {enrolled.name}, from {enrolled.walks} walks")
        for person in (first, third):
            found = gallery.identify(tests.of_persons([person]).skeletons[0], false_alarms=0.01)
            console.print(f"a walk of {person}: {_answer(found)}")
        gallery.forget(first)
        found = gallery.identify(tests.of_persons([first]).skeletons[0], false_alarms=0.01)
        console.print(f"forgotten:  {first}", f"the same walk of {first}: {_answer(found)}", sep="\n")
    console.print(
        f"One stranger in a hundred may be accepted: the other {len(others)} walkers set the threshold.",
        style="dim",
    )


def _answer(found: Any) -> str:
    nearest = f"distance {found.matches[0].distance:.2f}, threshold {found.threshold.distance:.2f}"
    return f"{found.person or 'unknown'} ({nearest})"


def _tree(folder: Path, depth: int = 3) -> Tree:
    """A folder's files, deep ones as a count."""
    tree = Tree(Text(f"{folder.name}/", style="bold"))

    def grow(branch: Tree, folder: Path, depth: int) -> None:
        for path in sorted(folder.iterdir()):
            if path.is_file():
                branch.add(_label(path.name, _size(path.stat().st_size)))
            elif depth > 1:
                grow(branch.add(Text(f"{path.name}/", style="bold")), path, depth - 1)
            else:
                files = [file for file in path.rglob("*") if file.is_file()]
                branch.add(_label(f"{path.name}/", f"{len(files)} files, {_size(_total(files))}", "bold"))

    grow(tree, folder, depth)
    return tree


def _label(name: str, text: str, style: str = "") -> Text:
    return Text.assemble((name, style), "  ", (text, "dim"))


def _total(files: Sequence[Path]) -> int:
    return sum(file.stat().st_size for file in files)


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
