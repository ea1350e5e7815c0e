import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import agegait
from agegait.cli import commands as do
from agegait.cli.demo import demo
from agegait.cli.names import recipe_option_name, recipe_options
from agegait.cli.stored import list_stored
from agegait.serving.options import add_client_options, add_server_options
from agegait.terminal.visible_text import visible

DATASETS = "biwi, ias, kgbd, walkers, or a folder of one's own: PATH/<person>/<walk>"
PRESETS = ("paper", "best")
LIMB_CHECK = "train even where limb lengths make no sense"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        super().error(visible(message))


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands; each sets the function to `run` with what was parsed."""
    parser = _Parser(prog="agegait", description="Names people by the way they walk, from 3D skeletons alone.")
    parser.add_argument("--version", action="version", version=f"agegait {agegait.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        added.set_defaults(run=run)
        return added

    train = command("train", do.train, "train an encoder and a recognizer, or take up a training that was stopped")
    train.add_argument("--dataset", metavar="NAME", help=DATASETS)
    train.add_argument("--out", required=True, type=Path, metavar="RUN", help="the run's folder")
    _add_training(train, "paper").add_argument(
        "--from-tuning", type=Path, metavar="DIR", help="start from the best trial of `agegait tune --out DIR` instead"
    )
    _add_places(train)
    _add_format(train).add_argument("--no-limb-check", action="store_true", help=LIMB_CHECK)

    tune = command("tune", do.tune, "search for a better recipe with keras-tuner, or take up a search that was stopped")
    tune.add_argument("--dataset", required=True, metavar="NAME", help=DATASETS)
    tune.add_argument("--out", required=True, type=Path, metavar="DIR", help="the search's folder")
    _add_search(tune)
    _add_training(tune, "best")
    _add_places(tune)
    _add_format(tune).add_argument("--no-limb-check", action="store_true", help=LIMB_CHECK)

    inspect = command("inspect", do.inspect, "show what is understood of walks, before anyone trains on them")
    inspect.add_argument("dataset", metavar="PATH", help=f"a folder of walks, or a data set: {DATASETS}")
    inspect.add_argument(
        "--picture", type=Path, metavar="FILE", help="write the skeleton as a picture too: .png or .svg"
    )
    _add_places(inspect)
    _add_format(inspect)

    evaluate = command("evaluate", do.evaluate, "evaluate a run on its test walks")
    evaluate.add_argument("folder", type=Path, metavar="RUN", help="the run's folder")
    evaluate.add_argument(
        "--baseline",
        nargs="*",
        metavar="NAME",
        help="train others too, to compare with: mlp, mlp-whitened, mlp-distances (these three if none is named), "
        "lstm, lstm-multilayer, encoder-states, untrained-encoder, d13-knn, d13-adaboost, d16-knn, d16-adaboost",
    )
    evaluate.add_argument("--search-windows", action="store_true", help="search among windows too, not walks alone")
    evaluate.add_argument(
        "--report", action="store_true", help="write RUN/report.html too: tables, curves and drawings in one page"
    )
    _add_places(evaluate)

    reproduce = command(
        "reproduce",
        do.reproduce,
        "train and evaluate the paper's table over several seeds, or go on where that stopped",
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

    export = command("export", do.export, "write a run's models as SavedModels")
    export.add_argument("folder", type=Path, metavar="RUN", help="the run's folder")
    export.add_argument("--out", required=True, type=Path, metavar="DIR", help="where the SavedModels go")

    serve = command("serve", do.serve, "serve exported models over gRPC")
    serve.add_argument(
        "folder",
        type=Path,
        nargs="?",
        metavar="DIR",
        help="a folder that `agegait export` wrote; or --model-config-file",
    )
    add_server_options(serve)

    identify = command("identify", do.identify, "name the person of each walk by asking a server")
    identify.add_argument("--every", type=int, metavar="N", help="say who it seems to be after every N frames, too")
    identify.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a walk, see `agegait inspect`")
    _add_format(identify)
    add_client_options(identify)

    stored = command(
        "stored", list_stored, "list what biometric data lies in folders, and of whom; delete a person's recordings"
    )
    stored.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a folder to look through, links left out")
    stored.add_argument("--person", metavar="NAME", help="what holds this person, and what is to be done about it")
    stored.add_argument(
        "--delete", action="store_true", help="delete the person's recordings; trained models are left to you"
    )
    stored.add_argument("--yes", action="store_true", help="delete without asking")

    small = command(
        "demo", demo, "the main job, small, on the built-in walkers: train, evaluate, export, serve, identify"
    )
    small.add_argument(
        "--out", type=Path, default=Path("demo"), metavar="DIR", help="its folder (default: %(default)s)"
    )
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
    for name, kind, text in recipe_options():
        option = recipe_option_name(name)
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
