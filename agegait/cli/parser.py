import argparse
from pathlib import Path

import agegait
from agegait.cli.command_parser import CommandParser
from agegait.cli.demo import demo
from agegait.cli.gallery_parser import add_gallery_commands
from agegait.cli.identification_parser import add_identification_commands
from agegait.cli.recordings_parser import add_recordings_commands
from agegait.cli.training_parser import add_training_commands

COMMANDS = {
    "Start": ("demo", "help"),
    "Look at recordings": ("convert-recordings", "inspect", "stored"),
    "Train and evaluate": ("train", "evaluate", "tune", "reproduce"),
    "Identify people": ("identify", "watch", "export", "serve"),
    "Keep a gallery": ("enrol", "verify", "forget", "people", "gallery", "calibrate", "adapt"),
}


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
    parser.set_defaults(run=lambda options: parser.print_help())
    _add_demo(parser)
    _add_help(parser)
    add_recordings_commands(parser)
    add_training_commands(parser)
    add_identification_commands(parser)
    add_gallery_commands(parser)
    return parser


def _add_demo(parser: CommandParser) -> None:
    command = parser.add_command(
        "demo",
        demo,
        "train, evaluate, export, serve and identify on generated walkers",
        "agegait demo --out demo",
    )
    command.add_argument(
        "--out", type=Path, default=Path("demo"), metavar="DIR", help="its folder (default: %(default)s)"
    )


def _add_help(parser: CommandParser) -> None:
    def print_help(options: argparse.Namespace) -> None:
        if options.topic is None:
            parser.print_help()
            return
        parser.check_command(options.topic)
        parser.commands[options.topic].print_help()

    command = parser.add_command("help", print_help, "show the help of a command")
    command.add_argument("topic", nargs="?", metavar="COMMAND", help="a command; all of them if none is given")
