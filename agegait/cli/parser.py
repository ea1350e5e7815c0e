import argparse
from pathlib import Path

import agegait
from agegait.cli import commands as do
from agegait.cli.argument_parser import ArgumentParser
from agegait.cli.command_parser import CommandParser
from agegait.cli.conversion import convert_recordings
from agegait.cli.demo import demo
from agegait.cli.format_parser import add_format
from agegait.cli.gallery_parser import GALLERY, add_gallery_commands
from agegait.cli.names import recipe_option_name, recipe_options
from agegait.cli.stored import list_stored
from agegait.serving.options import add_client_options, add_server_options

DATASETS = "biwi, ias, kgbd, walkers, or your own: a folder PATH/<person>/<walk>, or a file that says who walks"
PRESET = (
    "recipe to start from: best (minutes), or paper, as published (a day on KGBD, with 150 recognizer epochs) "
    "(default: %(default)s)"
)
PRESETS = ("best", "paper")
COMMANDS = {
    "Start": ("demo", "help"),
    "Look at recordings": ("convert-recordings", "inspect", "stored"),
    "Train and evaluate": ("train", "evaluate", "tune", "reproduce"),
    "Identify people": ("identify", "watch", "export", "serve"),
    "Keep a gallery": ("enrol", "verify", "forget", "people", "gallery", "calibrate", "adapt"),
}
LIMB_CHECK = "train even if limb lengths are not those of bodies"


def make_parser() -> CommandParser:
    """The parser of all commands; each sets the function to `run` with what was parsed."""
    parser = CommandParser(
        COMMANDS,
        "See `agegait help COMMAND` for options, defaults and examples.",
        prog="agegait",
        description="Identify people by the way they walk, from 3D skeletons.",
    )
    parser.add_flag("-h", "--help", text="show this help", action="help")
    parser.add_flag("--version", text="show the version", action="version", version=f"agegait {agegait.__version__}")
    command = parser.add_command

    train = command(
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
    _add_places(train)
    add_format(train).add_argument("--no-limb-check", action="store_true", help=LIMB_CHECK)

    tune = command(
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
    _add_places(tune)
    add_format(tune).add_argument("--no-limb-check", action="store_true", help=LIMB_CHECK)

    inspect = command(
        "inspect",
        do.inspect,
        "show people, walks and limb lengths before you train on them",
        "agegait inspect recordings --units mm",
        "agegait inspect walk.csv --picture skeleton.png",
    )
    inspect.add_argument(
        "dataset", metavar="PATH", help=f"a recording, a folder of recordings, or a data set: {DATASETS}"
    )
    inspect.add_argument(
        "--picture", type=Path, metavar="FILE", help="write the skeleton as a picture too: .png or .svg"
    )
    inspect.add_argument("--json", action="store_true", help="print one JSON object")
    _add_places(inspect)
    add_format(inspect)

    convert = command(
        "convert-recordings",
        convert_recordings,
        "write recordings of any kind as a folder of walks: PATH/<person>/<walk>.npz",
        "agegait convert-recordings session.json --out walks",
        "agegait convert-recordings anna ben everybody.csv --units mm --skip-bad --out walks",
    )
    convert.add_argument("inputs", nargs="+", type=Path, metavar="IN", help="a file of walks, or a folder of them")
    convert.add_argument("--out", required=True, type=Path, metavar="PATH", help="the folder to write, new or empty")
    convert.add_argument(
        "--person",
        metavar="NAME",
        help="who walks in files that do not say so (default: the name of the folder that a file is given with, or "
        "else of the file)",
    )
    convert.add_argument("--json", action="store_true", help="print one JSON object")
    add_format(convert)

    evaluate = command(
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
    _add_places(evaluate)

    reproduce = command(
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
    reproduce.add_argument("--preset", choices=PRESETS, default="best", help=PRESET)
    _add_precision(reproduce)
    _add_recipe(reproduce)
    _add_places(reproduce)
    add_format(reproduce).add_argument("--no-limb-check", action="store_true", help=LIMB_CHECK)

    export = command(
        "export",
        do.export,
        "export the models of a run as SavedModels, or for devices",
        "agegait export runs/walkers --out served",
        "agegait export runs/walkers --format onnx --quantize float16 --out device",
    )
    export.add_argument("folder", type=Path, metavar="RUN", help="the run's folder")
    export.add_argument("--out", required=True, type=Path, metavar="DIR", help="where the files go")
    export.add_argument(
        "--format",
        choices=("savedmodel", "litert", "onnx"),
        default="savedmodel",
        help="SavedModels to serve; or identifier and embedder as one file each for LiteRT or ONNX Runtime, with the "
        "extra litert or onnx (default: savedmodel)",
    )
    export.add_argument(
        "--quantize",
        choices=("float16", "int8"),
        help="store weights in fewer bits, in a file for LiteRT or ONNX Runtime (default: float32)",
    )

    serve = command(
        "serve",
        do.serve,
        "serve exported models over gRPC and REST",
        "agegait serve served --port 8500 --rest-port 8501",
        "agegait serve served --gallery gallery.db --token-file tokens --gallery-roles roles",
        "agegait serve served --host 0.0.0.0 --tls-cert chain.pem --tls-key key.pem --token-file tokens",
    )
    serve.add_argument(
        "folder",
        type=Path,
        nargs="?",
        metavar="DIR",
        help="a folder from `agegait export`; or use --model-config-file",
    )
    add_server_options(serve)

    identify = command(
        "identify",
        do.identify,
        "identify the person in each walk, with a server, a model or a gallery",
        "agegait identify walk.npy --server 127.0.0.1:8500",
        "agegait identify walk.csv --units mm --run runs/walkers",
        "agegait identify walk.npy --model served --json",
        "agegait identify walk.npy --gallery gallery.db --false-alarms 0.001",
        "agegait identify walk.npy --server 127.0.0.1:8500 --served-gallery",
    )
    identify.add_argument("--every", type=int, metavar="N", help="print a running answer after every N frames too")
    identify.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a walk, see `agegait inspect`")
    add_format(identify)
    where = identify.add_mutually_exclusive_group()
    where.add_argument(
        "--run", dest="run_folder", type=Path, metavar="RUN", help="use a run's models, without a server"
    )
    where.add_argument(
        "--model",
        metavar="MODEL",
        help="use a folder from `agegait export`, without a server; with --gallery the embedder, as of `agegait enrol`",
    )
    identify.add_argument("--json", action="store_true", help="print a JSON object a line: file, person, score, fault")
    add_client_options(identify, where)
    gallery = identify.add_argument_group("gallery", "people who were enrolled, and nobody else")
    gallery.add_argument("--gallery", metavar="URL", help=GALLERY)
    gallery.add_argument("--served-gallery", action="store_true", help="ask the gallery of --server, not its models")
    gallery.add_argument(
        "--false-alarms",
        type=float,
        default=0.01,
        metavar="SHARE",
        help="share of strangers who may be taken for somebody (default: %(default)s)",
    )
    gallery.add_argument("--threshold", type=float, metavar="DISTANCE", help="accept up to this distance instead")
    gallery.add_argument(
        "-k", type=int, default=5, metavar="N", help="most people to print with --json (default: %(default)s)"
    )

    enrol, verify, calibrate, adapt = add_gallery_commands(parser)
    for reads_data_sets in (calibrate, adapt):
        _add_places(reads_data_sets)
    for reads_files in (enrol, verify, calibrate, adapt):
        add_format(reads_files)

    stored = command(
        "stored",
        list_stored,
        "list biometric data and whose it is; delete a person's recordings",
        "agegait stored recordings runs",
        "agegait stored recordings runs --person anna --delete",
    )
    stored.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a folder to look through, links left out")
    stored.add_argument("--person", metavar="NAME", help="list what holds this person, and how to remove it")
    stored.add_argument(
        "--delete", action="store_true", help="delete the person's recordings; trained models are left to you"
    )
    stored.add_argument("--yes", action="store_true", help="delete without asking")

    small = command(
        "demo",
        demo,
        "train, evaluate, export, serve and identify on generated walkers",
        "agegait demo --out demo",
    )
    small.add_argument(
        "--out", type=Path, default=Path("demo"), metavar="DIR", help="its folder (default: %(default)s)"
    )
    guide = command("help", lambda options: _print_help(parser, options.topic), "show the help of a command")
    guide.add_argument("topic", nargs="?", metavar="COMMAND", help="a command; all of them if none is given")
    parser.set_defaults(run=lambda options: parser.print_help())
    return parser


def _print_help(parser: CommandParser, topic: str | None) -> None:
    if topic is None:
        parser.print_help()
        return
    parser.check_command(topic)
    parser.commands[topic].print_help()


def _add_training(train: ArgumentParser) -> argparse._MutuallyExclusiveGroup:
    """Adds what makes up a run's settings; returns the group of what they start from."""
    start = train.add_mutually_exclusive_group()
    start.add_argument("--preset", choices=PRESETS, default="best", help=PRESET)
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


def _add_precision(command: ArgumentParser) -> None:
    command.add_argument(
        "--precision", choices=("float32", "mixed_bfloat16"), help="dtype policy of the training (default: float32)"
    )


def _add_recipe(command: ArgumentParser) -> None:
    recipe = command.add_argument_group("recipe", "each changes a value of the preset")
    for name, how in recipe_options(PRESETS):
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


def _add_places(command: ArgumentParser) -> None:
    places = command.add_argument_group("places")
    places.add_argument("--data-dir", type=Path, metavar="DIR", help="prepared data sets (default: TFDS's folder)")
    places.add_argument(
        "--manual-dir", type=Path, metavar="DIR", help="where a data set lies that you downloaded by hand"
    )
