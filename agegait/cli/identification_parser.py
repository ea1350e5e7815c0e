"""The options of the commands that identify people."""

from pathlib import Path

from agegait.cli import commands as do
from agegait.cli.command_parser import CommandParser
from agegait.cli.shared_options import (
    GALLERY,
    add_embedder,
    add_files,
    add_format,
    add_gallery_place,
    add_pose_model,
    add_threshold,
)
from agegait.cli.watch import watch
from agegait.serving.options import add_client_options, add_server_options


def add_identification_commands(parser: CommandParser) -> None:
    """Adds `identify`, `watch`, `export` and `serve`."""
    _add_identify(parser)
    _add_watch(parser)
    _add_export(parser)
    _add_serve(parser)


def _add_identify(parser: CommandParser) -> None:
    identify = parser.add_command(
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
    add_files(identify)
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
    add_threshold(gallery)
    gallery.add_argument(
        "-k", type=int, default=5, metavar="N", help="most people to print with --json (default: %(default)s)"
    )


def _add_watch(parser: CommandParser) -> None:
    live = parser.add_command(
        "watch",
        watch,
        "identify the people before a camera or in a video, as they walk",
        "agegait watch 0 --gallery gallery.db",
        "agegait watch clip.mp4 --gallery gallery.db --headless --json",
        "agegait watch clip.mp4 --gallery gallery.db --headless --record seen.mp4",
        "agegait watch 0 --server 127.0.0.1:8500 --token-file token",
    )
    live.add_argument("source", metavar="CAMERA|FILE", help="a camera's number, 0 for the first, or a video")
    add_gallery_place(live)
    add_embedder(live)
    add_pose_model(live)
    add_threshold(live)
    live.add_argument("--headless", action="store_true", help="open no window, print answers only")
    live.add_argument("--record", type=Path, metavar="FILE", help="write the pictures with what is drawn, as .mp4")
    live.add_argument("--json", action="store_true", help="print a JSON object a line, for each change")


def _add_export(parser: CommandParser) -> None:
    export = parser.add_command(
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


def _add_serve(parser: CommandParser) -> None:
    serve = parser.add_command(
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
