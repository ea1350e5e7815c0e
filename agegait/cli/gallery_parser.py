"""The commands of the gallery."""

from pathlib import Path

from agegait.cli import gallery_commands as do
from agegait.cli.argument_parser import ArgumentParser
from agegait.cli.command_parser import CommandParser
from agegait.cli.watch import watch
from agegait.serving.options import add_client_options

GALLERY = "a SQLite file, or postgresql+psycopg://USER@HOST/DATABASE"
MODEL = "whose embedder compares walks: a run's folder, an export, a .keras file, or walkers (default: walkers)"
SERVER = "address of a server with a gallery, see `agegait serve --gallery`"
POSE_MODEL = "MediaPipe's pose landmarker, which finds people in videos (default: $AGEGAIT_POSE_MODEL, or a download)"


def add_gallery_commands(parser: CommandParser) -> tuple[ArgumentParser, ...]:
    """Adds them all.

    Returns:
        The parsers of those that read a user's own files, which have further options.
    """
    command = parser.add_command
    enrol = command(
        "enrol",
        do.enrol,
        "enrol a person in a gallery from one walk or more, without a training",
        "agegait enrol Anna walk1.npy walk2.npy --gallery gallery.db --consent 'signed form 12'",
        "agegait enrol Ben walk.csv --units mm --gallery gallery.db --consent 'by mail' --expires 2030-12-31",
        "agegait enrol Carla walk.npy --server 127.0.0.1:8500 --token-file token --consent 'signed form 13'",
    )
    enrol.add_argument("person", metavar="NAME", help="the person's name")
    _add_files(enrol)
    _add_model(_add_place(enrol))
    enrol.add_argument("--consent", required=True, metavar="TEXT", help="a note of the person's consent")
    enrol.add_argument("--expires", metavar="DAY", help="delete the person after this day, or after so many days")
    enrol.add_argument("--json", action="store_true", help="print one JSON object")

    live = command(
        "watch",
        watch,
        "identify the people before a camera or in a video, as they walk",
        "agegait watch 0 --gallery gallery.db",
        "agegait watch clip.mp4 --gallery gallery.db --headless --json",
        "agegait watch clip.mp4 --gallery gallery.db --headless --record seen.mp4",
    )
    live.add_argument("source", metavar="CAMERA|FILE", help="a camera's number, 0 for the first, or a video")
    live.add_argument("--gallery", required=True, metavar="URL", help=GALLERY)
    _add_model(live)
    live.add_argument("--pose-model", metavar="FILE", help=POSE_MODEL)
    live.add_argument(
        "--false-alarms",
        type=float,
        default=0.01,
        metavar="SHARE",
        help="share of strangers who may be taken for somebody (default: %(default)s)",
    )
    live.add_argument("--threshold", type=float, metavar="DISTANCE", help="accept up to this distance instead")
    live.add_argument("--headless", action="store_true", help="open no window, print answers only")
    live.add_argument("--record", type=Path, metavar="FILE", help="write the pictures with what is drawn, as .mp4")
    live.add_argument("--json", action="store_true", help="print a JSON object a line, for each change")

    verify = command(
        "verify",
        do.verify,
        "verify that a walk is of the person claimed",
        "agegait verify Anna walk.npy --gallery gallery.db",
    )
    verify.add_argument("person", metavar="NAME", help="the person claimed")
    _add_files(verify)
    _add_model(_add_place(verify))
    verify.add_argument(
        "--false-accepts",
        type=float,
        default=0.01,
        metavar="SHARE",
        help="share of others who may be accepted (default: %(default)s)",
    )
    verify.add_argument("--threshold", type=float, metavar="DISTANCE", help="accept up to this distance instead")
    verify.add_argument("--json", action="store_true", help="print a JSON object a line")

    forget = command(
        "forget", do.forget, "delete a person from a gallery for good", "agegait forget Anna --gallery gallery.db"
    )
    forget.add_argument("person", metavar="NAME", help="the person's name")
    _add_place(forget)
    forget.add_argument("--yes", action="store_true", help="delete without asking")
    forget.add_argument("--json", action="store_true", help="print one JSON object")

    people = command("people", do.people, "list who is enrolled in a gallery", "agegait people --gallery gallery.db")
    _add_place(people)
    people.add_argument("--json", action="store_true", help="print a JSON list")

    group = parser.add_group(
        "gallery",
        "copy or check a gallery",
        {"Commands": ("check", "copy")},
        "agegait gallery check --gallery gallery.db --report check.html",
        "agegait gallery copy gallery.db postgresql+psycopg://gallery@host/gallery",
    )
    check = group.add_command(
        "check",
        do.check,
        "look for two names of one body, and for walks that are hard to recognise",
        "agegait gallery check --gallery gallery.db --report check.html",
    )
    check.add_argument("--gallery", required=True, metavar="URL", help=GALLERY)
    check.add_argument("--report", type=Path, metavar="FILE", help="write a page of pictures and tables too, .html")
    check.add_argument(
        "--false-alarms",
        type=float,
        default=0.01,
        metavar="SHARE",
        help="share of strangers who may be taken for somebody, as of `agegait identify` (default: %(default)s)",
    )
    check.add_argument("--threshold", type=float, metavar="DISTANCE", help="look within this distance instead")
    check.add_argument("--json", action="store_true", help="print one JSON object")
    copy = group.add_command(
        "copy",
        do.copy,
        "copy a gallery into an empty one, from SQLite to PostgreSQL or back",
        "agegait gallery copy gallery.db postgresql+psycopg://gallery@host/gallery",
    )
    copy.add_argument("source", metavar="FROM", help=GALLERY)
    copy.add_argument("target", metavar="TO", help="the same, of a gallery that is empty or not there yet")
    copy.add_argument("--json", action="store_true", help="print one JSON object")

    calibrate = command(
        "calibrate",
        do.calibrate,
        "measure how near strangers come to each other, for thresholds",
        "agegait calibrate runs/kgbd0",
        "agegait calibrate walkers --dataset visitors --gallery gallery.db",
    )
    calibrate.add_argument("model", metavar="MODEL", help="a run's folder, an export, a .keras file, or walkers")
    calibrate.add_argument(
        "--dataset",
        metavar="NAME",
        help="walks of people who are neither trained on nor enrolled (default: those whom the run left out)",
    )
    calibrate.add_argument("--gallery", metavar="URL", help="keep it in this gallery, not beside the model")
    calibrate.add_argument("--json", action="store_true", help="print one JSON object")

    adapt = command(
        "adapt",
        do.adapt,
        "adapt an embedder to another sensor, by walks without names",
        "agegait adapt walkers --dataset recordings --out adapted.keras",
    )
    adapt.add_argument("model", metavar="MODEL", help="a run's folder, a .keras file, or walkers")
    adapt.add_argument(
        "--dataset", required=True, metavar="NAME", help="walks before the new sensor, some dozens; labels are not read"
    )
    adapt.add_argument("--out", required=True, type=Path, metavar="FILE", help="the .keras file to write")
    return enrol, verify, calibrate, adapt


def _add_files(command: ArgumentParser) -> None:
    command.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a walk, see `agegait inspect`")


def _add_place(command: ArgumentParser) -> ArgumentParser:
    """Adds where the gallery is: here, or on a server."""
    where = command.add_mutually_exclusive_group(required=True)
    where.add_argument("--gallery", metavar="URL", help=GALLERY)
    add_client_options(command, where, None, SERVER)
    return command


def _add_model(command: ArgumentParser) -> None:
    command.add_argument("--model", metavar="MODEL", help=MODEL)
