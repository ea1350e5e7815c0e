"""The options of the commands that train and evaluate."""

import argparse
from pathlib import Path

from agegait.cli import commands as do
from agegait.cli.argument_parser import ArgumentParser
from agegait.cli.command_parser import CommandParser
from agegait.cli.names import recipe_option_name, recipe_options
from agegait.cli.shared_options import DATASETS, add_format, add_places

_PRESETS = ("best", "paper")


def add_training_commands(parser: CommandParser) -> None:
    """Adds `train`, `tune`, `evaluate` and `reproduce`."""
    _add_train(parser)
    _add_tune(parser)
    _add_evaluate(parser)
    _add_reproduce(parser)


def _add_train(parser: CommandParser) -> None:
    train = parser.add_command(
        "train",
        do.train,
        "train a run, or resume a training that was stopped",
        "agegait train --dataset walkers --out runs/walkers",
        "agegait train --dataset recordings --units mm --out runs/mine",
        "agegait train --dataset kgbd --manual-dir downloads --preset paper --out runs/kgbd",
    )
    train.add_argument("--dataset", metavar="NAME", help=DATASETS)
    train.add_argument("--out", required=True, type=Path, metavar="RUN", help="the run's folder")
    train.add_argument(
        "--strangers",
        type=int,
        metavar="N",
        help="leave 40 %% of the people out, those of division N, for `agegait evaluate` to test on (default: none)",
    )
    train.add_argument(
        "--calibration-share",
        type=float,
        metavar="SHARE",
        help="leave this share of the people out to calibrate the embedder on, and nobody to test on (default: none)",
    )
    _add_training(train).add_argument(
        "--from-tuning", type=Path, metavar="DIR", help="start from the best trial of `agegait tune --out DIR`"
    )
    _add_data(train)


def _add_tune(parser: CommandParser) -> None:
    tune = parser.add_command(
        "tune",
        do.tune,
        "search for a better recipe, or resume a search that was stopped",
        "agegait tune --dataset walkers --out tuned",
        "agegait tune --dataset walkers --method random --trials 5 --search units=64,128 --out tuned",
    )
    tune.add_argument("--dataset", required=True, metavar="NAME", help=DATASETS)
    tune.add_argument("--out", required=True, type=Path, metavar="DIR", help="the search's folder")
    _add_search(tune)
    _add_training(tune)
    _add_data(tune)


def _add_evaluate(parser: CommandParser) -> None:
    evaluate = parser.add_command(
        "evaluate",
        do.evaluate,
        "evaluate a run on its test walks",
        "agegait evaluate runs/walkers --report",
        "agegait evaluate runs/walkers --baseline mlp d13-knn",
    )
    evaluate.add_argument("folder", type=Path, metavar="RUN", help="the run's folder")
    evaluate.add_argument(
        "--baseline",
        nargs="*",
        metavar="NAME",
        help="train baselines too: mlp, mlp-whitened, mlp-distances (these three if none is named), "
        "lstm, lstm-multilayer, encoder-states, untrained-encoder, d13-knn, d13-adaboost, d16-knn, d16-adaboost",
    )
    evaluate.add_argument("--search-windows", action="store_true", help="retrieval by windows too, not only by walks")
    evaluate.add_argument(
        "--report", action="store_true", help="write RUN/report.html too: tables, curves and drawings in one page"
    )
    evaluate.add_argument(
        "--dataset", metavar="PATH", help="where the run's data set is now, if it was moved (default: as recorded)"
    )
    evaluate.add_argument("--json", action="store_true", help="print what evaluation.json holds, not tables")
    add_places(evaluate)


def _add_reproduce(parser: CommandParser) -> None:
    reproduce = parser.add_command(
        "reproduce",
        do.reproduce,
        "train and evaluate the paper's table over several seeds",
        "agegait reproduce --dataset kgbd --manual-dir downloads --out reproduction",
        "agegait reproduce --dataset walkers --rows table --seeds 0 --out small",
    )
    reproduce.add_argument("--dataset", required=True, metavar="NAME", help=DATASETS)
    reproduce.add_argument("--out", required=True, type=Path, metavar="DIR", help="the reproduction's folder")
    reproduce.add_argument(
        "--rows",
        nargs="+",
        default=("table",),
        metavar="NAME",
        help="table, baselines, ablations, few-labels, recipes, strangers, windows or all, or single rows: see "
        "docs/reproduce.md (default: table)",
    )
    reproduce.add_argument(
        "--seeds",
        nargs="+",
        type=int,
        default=(0, 1, 2),
        metavar="N",
        help="random seeds, a run of each row for each (default: 0 1 2)",
    )
    _add_preset(reproduce)
    _add_precision(reproduce)
    _add_recipe(reproduce)
    _add_data(reproduce)


def _add_training(train: ArgumentParser) -> argparse._MutuallyExclusiveGroup:
    """Adds what makes up a run's settings; returns the group of what they start from."""
    start = train.add_mutually_exclusive_group()
    _add_preset(start)
    train.add_argument(
        "--attention", choices=("LA", "BA", "MBAS"), help="locality-aware, basic, or basic under a mask (default: LA)"
    )
    train.add_argument("--manner", choices=("ap", "sc"), help="average prediction or concatenation (default: ap)")
    train.add_argument("--feed", choices=("zeros", "previous", "target"), help="input of the decoder (default: zeros)")
    train.add_argument(
        "--direction",
        choices=("reverse", "forward"),
        help="order in which windows are reconstructed (default: reverse)",
    )
    train.add_argument("--features", choices=("ages", "states"), help="classify AGEs or encoder states (default: ages)")
    train.add_argument("--frames", type=int, metavar="N", help="frames of a window (default: 6)")
    _add_precision(train)
    train.add_argument("--seed", type=int, metavar="N", help="random seed; CPU runs repeat exactly (default: 0)")
    train.add_argument("--tensorboard", action="store_true", help="write losses for TensorBoard too")
    _add_recipe(train)
    return start


def _add_preset(options: argparse._ActionsContainer) -> None:
    options.add_argument(
        "--preset",
        choices=_PRESETS,
        default="best",
        help="recipe to start from: best (minutes), or paper, as published (a day on KGBD, with 150 recognizer "
        "epochs) (default: %(default)s)",
    )


def _add_data(command: ArgumentParser) -> None:
    """Adds where the data set is, and how it is read and checked."""
    add_places(command)
    add_format(command).add_argument(
        "--no-limb-check", action="store_true", help="train even if limb lengths are not those of bodies"
    )


def _add_precision(command: ArgumentParser) -> None:
    command.add_argument(
        "--precision", choices=("float32", "mixed_bfloat16"), help="dtype policy of the training (default: float32)"
    )


def _add_recipe(command: ArgumentParser) -> None:
    recipe = command.add_argument_group("recipe", "each changes a value of the preset")
    for name, how in recipe_options(_PRESETS):
        # Not there unless given: None is a value.
        recipe.add_argument(recipe_option_name(name), dest=f"recipe_{name}", default=argparse.SUPPRESS, **how)


def _add_search(tune: ArgumentParser) -> None:
    search = tune.add_argument_group("search", "in several processes: see docs/tuning.md")
    search.add_argument(
        "--search",
        nargs="+",
        default=(),
        metavar="NAME",
        help="what to vary: NAME, NAME=A,B,... or NAME=LOW:HIGH; names are those of the run's options, --encoder-units "
        "being units (default: units, num_layers, frames, sigma, locality_weight, learning_rate, l2, "
        "recognizer_learning_rate, recognizer_units, dropout and normalize)",
    )
    search.add_argument(
        "--method",
        choices=("hyperband", "bayesian", "random"),
        default="hyperband",
        help="how the next trial is chosen (default: %(default)s)",
    )
    search.add_argument("--trials", type=int, metavar="N", help="the most trials (20; hyperband: those of its sweeps)")
    search.add_argument("--sweeps", type=int, default=1, metavar="N", help="hyperband's (default: %(default)s)")
    search.add_argument(
        "--patience",
        type=float,
        default=600.0,
        metavar="SECONDS",
        help="give up a chief or a worker that is silent for so long (default: %(default)g)",
    )
