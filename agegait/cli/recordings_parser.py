"""The options of the commands that look at recordings."""

from pathlib import Path

from agegait.cli import commands as do
from agegait.cli.command_parser import CommandParser
from agegait.cli.conversion import convert_recordings
from agegait.cli.shared_options import DATASETS, add_format, add_places
from agegait.cli.stored import list_stored


def add_recordings_commands(parser: CommandParser) -> None:
    """Adds `convert-recordings`, `inspect` and `stored`."""
    _add_convert_recordings(parser)
    _add_inspect(parser)
    _add_stored(parser)


def _add_convert_recordings(parser: CommandParser) -> None:
    convert = parser.add_command(
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


def _add_inspect(parser: CommandParser) -> None:
    inspect = parser.add_command(
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
    add_places(inspect)
    add_format(inspect)


def _add_stored(parser: CommandParser) -> None:
    stored = parser.add_command(
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
