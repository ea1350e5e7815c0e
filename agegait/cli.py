"""The command line. Each sub-command imports the heavy parts it needs, so that help and errors come at once."""

import argparse
import dataclasses
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.tree import Tree

import agegait
from agegait.export.options import add_client_options, add_server_options, client_arguments, server_arguments
from agegait.quiet import quiet_import

DATASETS = "biwi, ias, kgbd, walkers, or a folder of one's own: PATH/<person>/<walk>"
PRESETS = ("paper", "best")
LIMB_CHECK = "train even where limb lengths make no sense"
DEMO_RECIPE: dict[str, Any] = {"epochs": 3, "batch_size": 64, "recognizer_epochs": 5, "recognizer_batch_size": 64}
"""Enough to name the walkers, in the minutes that somebody who tries it out will wait."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one `agegait` command.

    Args:
        arguments: The command's words; the process's own where absent.

    Returns:
        The exit status: 0, 1 for what a user can mend, 130 where the user stopped it. A wrong option exits with 2.
    """
    words = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(words)
    options.words = words
    try:
        options.run(options)
    except KeyboardInterrupt:
        _errors().print("agegait: stopped", style="yellow", highlight=False)
        return 130
    except (ValueError, OSError, RuntimeError) as error:
        if os.environ.get("AGEGAIT_TRACEBACK"):
            raise
        message = " ".join(str(error).split()) or type(error).__name__
        _errors().print(f"agegait: {message}", style="red", highlight=False, markup=False, soft_wrap=True)
        return 1
    return 0


def _output() -> Console:
    # A file or a pipe has no width to keep to.
    return Console(width=None if sys.stdout.isatty() else 120)


def _errors() -> Console:
    return Console(stderr=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="agegait", description="Names people by the way they walk, from 3D skeletons alone."
    )
    parser.add_argument("--version", action="version", version=f"agegait {agegait.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        added.set_defaults(run=run)
        return added

    train = command("train", _train, "train an encoder and a recognizer, or take up a training that was stopped")
    train.add_argument("--dataset", metavar="NAME", help=DATASETS)
    train.add_argument("--out", required=True, type=Path, metavar="RUN", help="the run's folder")
    _add_training(train, "paper").add_argument(
        "--from-tuning", type=Path, metavar="DIR", help="start from the best trial of `agegait tune --out DIR` instead"
    )
    _add_places(train)
    _add_format(train).add_argument("--no-limb-check", action="store_true", help=LIMB_CHECK)

    tune = command("tune", _tune, "search for a better recipe with keras-tuner, or take up a search that was stopped")
    tune.add_argument("--dataset", required=True, metavar="NAME", help=DATASETS)
    tune.add_argument("--out", required=True, type=Path, metavar="DIR", help="the search's folder")
    _add_search(tune)
    _add_training(tune, "best")
    _add_places(tune)
    _add_format(tune).add_argument("--no-limb-check", action="store_true", help=LIMB_CHECK)

    inspect = command("inspect", _inspect, "show what is understood of walks, before anyone trains on them")
    inspect.add_argument("dataset", metavar="PATH", help=f"a folder of walks, or a data set: {DATASETS}")
    inspect.add_argument(
        "--picture", type=Path, metavar="FILE", help="write the skeleton as a picture too: .png or .svg"
    )
    _add_places(inspect)
    _add_format(inspect)

    evaluate = command("evaluate", _evaluate, "evaluate a run on its test walks")
    evaluate.add_argument("folder", type=Path, metavar="RUN", help="the run's folder")
    evaluate.add_argument(
        "--baseline",
        nargs="*",
        metavar="NAME",
        help="train others too, to compare with: mlp, mlp-whitened (these two if none is named), lstm, "
        "lstm-multilayer, encoder-states, d13-knn, d13-adaboost, d16-knn, d16-adaboost",
    )
    evaluate.add_argument("--search-windows", action="store_true", help="search among windows too, not walks alone")
    evaluate.add_argument(
        "--report", action="store_true", help="write RUN/report.html too: tables, curves and drawings in one page"
    )
    _add_places(evaluate)

    reproduce = command(
        "reproduce", _reproduce, "train and evaluate the paper's table over several seeds, or go on where that stopped"
    )
    reproduce.add_argument("--dataset", required=True, metavar="NAME", help=DATASETS)
    reproduce.add_argument("--out", required=True, type=Path, metavar="DIR", help="the reproduction's folder")
    reproduce.add_argument(
        "--rows",
        nargs="+",
        default=("table",),
        metavar="NAME",
        help="table, baselines, ablations, few-labels, recipes or all, or single rows: see docs/reproduce.md "
        "(default: table)",
    )
    reproduce.add_argument(
        "--seeds", nargs="+", type=int, default=(0, 1, 2), metavar="N", help="a run of each row for each (0 1 2)"
    )
    reproduce.add_argument("--preset", choices=PRESETS, default="best", help="recipe (default: %(default)s)")
    _add_precision(reproduce)
    _add_recipe(reproduce)
    _add_places(reproduce)
    _add_format(reproduce).add_argument("--no-limb-check", action="store_true", help=LIMB_CHECK)

    export = command("export", _export, "write a run's models as SavedModels")
    export.add_argument("folder", type=Path, metavar="RUN", help="the run's folder")
    export.add_argument("--out", required=True, type=Path, metavar="DIR", help="where the SavedModels go")

    serve = command("serve", _serve, "serve exported models over gRPC")
    serve.add_argument("folder", type=Path, metavar="DIR", help="a folder that `agegait export` wrote")
    add_server_options(serve)

    identify = command("identify", _identify, "name the person of each walk by asking a server")
    identify.add_argument("--every", type=int, metavar="N", help="say who it seems to be after every N frames, too")
    identify.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a walk, see `agegait inspect`")
    _add_format(identify)
    add_client_options(identify)

    demo = command(
        "demo", _demo, "the main job, small, on the built-in walkers: train, evaluate, export, serve, identify"
    )
    demo.add_argument("--out", type=Path, default=Path("demo"), metavar="DIR", help="its folder (default: %(default)s)")
    return parser


def _add_training(train: argparse.ArgumentParser, preset: str) -> argparse._MutuallyExclusiveGroup:
    """Adds what makes up a run's settings; returns the group of what they start from."""
    start = train.add_mutually_exclusive_group()
    start.add_argument("--preset", choices=PRESETS, default=preset, help="recipe to start from (default: %(default)s)")
    train.add_argument(
        "--attention", choices=("LA", "BA", "MBAS"), help="locality-aware, basic, or basic under a mask (LA)"
    )
    train.add_argument("--manner", choices=("ap", "sc"), help="average prediction or concatenation (ap)")
    train.add_argument("--feed", choices=("zeros", "previous", "target"), help="decoder's input (zeros)")
    train.add_argument(
        "--direction", choices=("reverse", "forward"), help="order that windows are rebuilt in (reverse)"
    )
    train.add_argument("--features", choices=("ages", "states"), help="recognize by AGEs or by encoder states (ages)")
    train.add_argument("--frames", type=int, metavar="N", help="frames of a window (6)")
    _add_precision(train)
    train.add_argument("--seed", type=int, metavar="N", help="a CPU run repeats exactly with it (0)")
    train.add_argument("--tensorboard", action="store_true", help="write losses for TensorBoard as well")
    _add_recipe(train)
    return start


def _add_precision(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--precision", choices=("float32", "mixed_bfloat16"), help="what both networks are trained in (float32)"
    )


def _add_recipe(command: argparse.ArgumentParser) -> None:
    recipe = command.add_argument_group("recipe", "each option changes one thing in the preset")
    for name, kind, text in _recipe_options():
        option = _recipe_option(name)
        form: dict[str, Any] = (
            {"action": argparse.BooleanOptionalAction} if kind is bool else {"type": kind, "metavar": "N"}
        )
        recipe.add_argument(option, dest=f"recipe_{name}", default=None, help=text, **form)


def _add_search(tune: argparse.ArgumentParser) -> None:
    search = tune.add_argument_group("search", "in several processes: see docs/tuning.md")
    search.add_argument(
        "--search",
        nargs="+",
        default=(),
        metavar="NAME",
        help="what to vary: NAME, NAME=A,B,... or NAME=LOW:HIGH; names are those of the run's options, --encoder-units "
        "being units (default: units, num_layers, frames, sigma, locality_weight, learning_rate, l2, "
        "recognizer_learning_rate, recognizer_units, dropout and whiten)",
    )
    search.add_argument(
        "--method",
        choices=("hyperband", "bayesian", "random"),
        default="hyperband",
        help="how the next trial is chosen (default: %(default)s)",
    )
    search.add_argument("--trials", type=int, metavar="N", help="at most so many (20; hyperband: those of its sweeps)")
    search.add_argument("--sweeps", type=int, default=1, metavar="N", help="hyperband's (default: %(default)s)")
    search.add_argument(
        "--patience",
        type=float,
        default=600.0,
        metavar="SECONDS",
        help="give a chief or a worker up that is not heard of for so long (default: %(default)g)",
    )


def _add_places(command: argparse.ArgumentParser) -> None:
    places = command.add_argument_group("places")
    places.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="prepared data sets; TFDS's own place if not given"
    )
    places.add_argument("--manual-dir", type=Path, metavar="DIR", help="a data set that was fetched by hand")


def _add_format(command: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    how = command.add_argument_group("files of one's own", "what they hold, where they do not say it themselves")
    how.add_argument(
        "--joints",
        default="auto",
        metavar="SCHEMA",
        help="kinect_v1, kinect_v2, azure_kinect, "
        "mediapipe_pose, coco_17, openpose_body_25 or human36m (auto: by names, number and limbs)",
    )
    how.add_argument("--units", default="m", help="of coordinates: m, cm, mm or in (m)")
    how.add_argument("--missing", choices=("refuse", "interpolate"), default="refuse", help="joints that are not there")
    how.add_argument("--frame-rate", type=float, metavar="HZ", help="of the recordings")
    how.add_argument("--resample", type=float, metavar="HZ", help="bring walks to this frame rate")
    return how


def _walk_format(options: argparse.Namespace) -> Any:
    from agegait.data import WalkFormat

    names = (field.name for field in dataclasses.fields(WalkFormat))
    return WalkFormat(**{name: getattr(options, name) for name in names})


def _recipe_option(name: str) -> str:
    return _option("encoder_units" if name == "units" else name)  # --units are those of files


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _recipe_options() -> Iterator[tuple[str, type, str]]:
    from agegait.recipes import Recipe

    for field in dataclasses.fields(Recipe):
        yield field.name, type(field.default), field.metadata["help"]


def _start_tensorflow(data_sets: bool = True) -> None:
    """Imports what takes long, without its remarks about the machine and its advice to programmers."""
    with quiet_import():
        import tensorflow as tf

        tf.config.list_physical_devices()
    tf.get_logger().setLevel("ERROR")
    if data_sets:
        with quiet_import():
            import tensorflow_datasets as tfds

        if not sys.stderr.isatty():
            tfds.disable_progress_bar()


def _settings(options: argparse.Namespace) -> Any:
    """What a run is asked to do: what it starts from, and what options change in it."""
    from agegait import recipes, runs

    names = ("attention", "manner", "feed", "direction", "features", "frames", "precision", "seed")
    changes = {name: getattr(options, name) for name in names if getattr(options, name, None) is not None}
    of_recipe: dict[str, Any] = {name: getattr(options, f"recipe_{name}") for name, _, _ in _recipe_options()}
    walk_format = _walk_format(options)
    if getattr(options, "from_tuning", None) is None:
        if options.dataset is None:
            raise ValueError("--dataset: expected, or --from-tuning, received neither.")
        recipe = recipes.recipe(options.preset, options.dataset.lower(), **of_recipe)
        return runs.Settings(options.dataset, preset=options.preset, recipe=recipe, walk_format=walk_format, **changes)
    from agegait import tuning

    best = tuning.best_settings(options.from_tuning)
    recipe = dataclasses.replace(best.recipe, **{name: value for name, value in of_recipe.items() if value is not None})
    if walk_format != type(walk_format)():
        changes["walk_format"] = walk_format
    if options.dataset is not None:
        changes["dataset"] = options.dataset
    return dataclasses.replace(best, recipe=recipe, **changes)


def _train(options: argparse.Namespace) -> None:
    _start_tensorflow()
    from agegait import training

    run = training.train(
        _settings(options),
        options.out,
        options.data_dir,
        options.manual_dir,
        not options.no_limb_check,
        options.tensorboard,
    )
    reached = run.record["trained"]["fine_tuned" if run.fine_tuned else "recognizer"]
    Console().print(
        f"{run.folder}: trained; over the validation windows, {100 * reached['validation_accuracy']:.1f} % named "
        f"rightly after epoch {reached['chosen_epoch']} of {reached['epochs']}. Next: agegait evaluate {run.folder}",
        highlight=False,
        soft_wrap=True,
    )


def _tune(options: argparse.Namespace) -> None:
    _start_tensorflow()
    from agegait import tuning

    found = tuning.tune(
        _settings(options),
        options.out,
        options.search,
        options.method,
        options.trials,
        options.sweeps,
        data_dir=options.data_dir,
        manual_dir=options.manual_dir,
        check_limbs=not options.no_limb_check,
        patience=options.patience,
        tensorboard=options.tensorboard,
    )
    if found is None:
        Console().print(f"{options.out}: no more trials; the chief has the results", highlight=False, soft_wrap=True)
        return
    console = _output()
    console.print(tuning.table(found))
    best = tuning.best(options.out)
    console.print(
        f"best: trial {best['trial']}, {100 * best['validation_accuracy']:.1f} % of the validation windows; "
        f"its run: {options.out / best['run']}",
        f"again, as a run of its own: agegait train --from-tuning {options.out} --out RUN",
        sep="\n",
        highlight=False,
        soft_wrap=True,
    )


def _inspect(options: argparse.Namespace) -> None:
    _start_tensorflow()
    from agegait import datasets, inspection, plots

    dataset = datasets.load(
        options.dataset, options.data_dir, options.manual_dir, _walk_format(options), check_limbs=False
    )
    found = inspection.inspect(dataset)
    console = _output()
    console.print(inspection.render(found))
    if options.picture:
        plots.skeleton_figure(found.skeleton, title=dataset.name).savefig(options.picture, dpi=150)
        console.print(f"written: {options.picture}", highlight=False, soft_wrap=True)
    if found.faults:
        raise ValueError(f"{dataset.name}: limb lengths make no sense, see above")


def _evaluate(options: argparse.Namespace) -> None:
    _start_tensorflow()
    from agegait import evaluation, report, runs

    # None without the option, empty if it names none.
    baselines = () if options.baseline is None else options.baseline or evaluation.COORDINATES
    run = runs.load(options.folder)
    seen = report.Observations(run) if options.report else None
    found = evaluation.evaluate(run, options.data_dir, options.manual_dir, baselines, options.search_windows, seen)
    console = _output()
    for table in evaluation.tables(found):
        console.print(table)
    console.print(f"written: {options.folder / 'evaluation.json'}", highlight=False, soft_wrap=True)
    if seen:
        commands = _train_command(run.settings, options), shlex.join(("agegait", *options.words))
        page = report.write(run, found, seen, options.data_dir, options.manual_dir, commands)
        console.print(f"written: {page}", highlight=False, soft_wrap=True)


def _train_command(settings: Any, options: argparse.Namespace) -> str:
    """What to type for a run of the same settings, where the options have it."""
    from agegait import recipes

    preset = settings.preset if settings.preset in recipes.PRESETS else "paper"
    words = ["agegait", "train", "--dataset", settings.dataset, "--preset", preset]
    starts = {field.name: field.default for field in dataclasses.fields(settings)} | {"preset": preset}
    for asked, start, option in (
        (settings, starts, _option),
        (settings.recipe, dataclasses.asdict(recipes.recipe(preset, settings.dataset)), _recipe_option),
        (settings.walk_format, dataclasses.asdict(type(settings.walk_format)()), _option),
    ):
        for name, value in ((field.name, getattr(asked, field.name)) for field in dataclasses.fields(asked)):
            if value == start[name] or name in ("dataset", "preset") or dataclasses.is_dataclass(value):
                continue
            named = option(name)
            if isinstance(value, bool):
                words.append(named if value else f"--no-{named.removeprefix('--')}")
            else:
                words += [named, str(value)]
    for name in ("data_dir", "manual_dir"):
        if (place := getattr(options, name)) is not None:
            words += [_option(name), str(place)]
    return shlex.join([*words, "--out", str(options.folder)])


def _reproduce(options: argparse.Namespace) -> None:
    _start_tensorflow()
    from agegait import reproduction

    found = reproduction.reproduce(
        _settings(options),
        options.out,
        options.seeds,
        options.rows,
        options.data_dir,
        options.manual_dir,
        not options.no_limb_check,
        shlex.join(("agegait", *options.words)),
    )
    console = _output()
    for table in reproduction.tables(found):
        console.print(table)
    written = f"written: {options.out / 'reproduction.md'}, {options.out / 'reproduction.json'}"
    console.print(written, highlight=False, soft_wrap=True)


def _export(options: argparse.Namespace) -> None:
    _start_tensorflow(data_sets=False)
    from agegait import export

    export.save(options.folder, options.out)
    Console().print(f"written: {options.out}. Next: agegait serve {options.out}", highlight=False, soft_wrap=True)


def _serve(options: argparse.Namespace) -> None:
    arguments = server_arguments(options)
    _start_tensorflow(data_sets=False)
    from agegait import export
    from agegait.export.telemetry import log_json

    if options.log != "none":
        log_json(requests=options.log == "requests")

    def announce(server: export.Server) -> None:
        text = f"serving {options.folder} on {server.address}; stop it with Ctrl-C"
        Console(stderr=True).print(text, highlight=False, soft_wrap=True)

    export.Server(options.folder, **arguments).serve_forever(announce)


def _identify(options: argparse.Namespace) -> None:
    from agegait.data import read_walk
    from agegait.export import Client, ClientError

    walk_format = _walk_format(options)
    walks = [read_walk(path, walk_format) for path in options.files]
    try:
        with Client(**client_arguments(options)) as client:
            if options.every is not None:
                for path, walk in zip(options.files, walks, strict=True):
                    _follow(client, path, walk, options.every)
            answers = client.identify(walks)
    except ClientError as error:
        raise ValueError(f"{options.server}: {error}") from error
    for path, found in zip(options.files, answers, strict=True):
        Console().print(f"{path}: {found.person}, {found.score:.3f}", highlight=False, soft_wrap=True)


def _follow(client: Any, path: Path, walk: Any, every: int) -> None:
    """The running answer, as if the walk's frames came from a sensor."""
    with client.stream(every) as stream:
        for frame in walk:
            if found := stream.add(frame):
                text = f"{path}: {stream.frames} frames: {found.person}, {found.score:.3f}"
                Console().print(text, highlight=False, soft_wrap=True)


def _demo(options: argparse.Namespace) -> None:
    """Real data in, real files and a real socket out: nothing here is played."""
    out: Path = options.out
    console = Console()
    if out.exists() and (not out.is_dir() or any(out.iterdir())) and not (out / "run" / "run.json").exists():
        raise ValueError(f"{out}: expected a new or empty folder, or an earlier demo's, found something else.")
    _start_tensorflow()
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
