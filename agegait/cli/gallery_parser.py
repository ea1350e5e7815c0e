"""The options of the commands that keep a gallery."""

from pathlib import Path

from agegait.cli import gallery_commands as do
from agegait.cli.command_parser import CommandParser
from agegait.cli.shared_options import GALLERY, add_embedder, add_files, add_format, add_gallery_place, add_places


def add_gallery_commands(parser: CommandParser) -> None:
    """Adds `enrol`, `verify`, `forget`, `people`, `gallery`, `calibrate` and `adapt`."""
    _add_enrol(parser)
    _add_verify(parser)
    _add_forget(parser)
    _add_people(parser)
    _add_gallery(parser)
    _add_calibrate(parser)
    _add_adapt(parser)


def _add_enrol(parser: CommandParser) -> None:
    enrol = parser.add_command(
        "enrol",
        do.enrol,
        "enrol a person in a gallery from one walk or more, without a training",
        "agegait enrol Anna walk1.npy walk2.npy --gallery gallery.db --consent 'signed form 12'",
        "agegait enrol Ben walk.csv --units mm --gallery gallery.db --consent 'by mail' --expires 2030-12-31",
        "agegait enrol Carla walk.npy --server 127.0.0.1:8500 --token-file token --consent 'signed form 13'",
    )
    enrol.add_argument("person", metavar="NAME", help="the person's name")
    add_files(enrol)
    add_gallery_place(enrol)
    add_embedder(enrol)
    enrol.add_argument("--consent", required=True, metavar="TEXT", help="a note of the person's consent")
    enrol.add_argument("--expires", metavar="DAY", help="delete the person after this day, or after so many days")
    enrol.add_argument("--json", action="store_true", help="print one JSON object")
    add_format(enrol)


def _add_verify(parser: CommandParser) -> None:
    verify = parser.add_command(
        "verify",
        do.verify,
        "verify that a walk is of the person claimed",
        "agegait verify Anna walk.npy --gallery gallery.db",
    )
    verify.add_argument("person", metavar="NAME", help="the person claimed")
    add_files(verify)
    add_gallery_place(verify)
    add_embedder(verify)
    verify.add_argument(
        "--false-accepts",
        type=float,
        default=0.01,
        metavar="SHARE",
        help="share of others who may be accepted (default: %(default)s)",
    )
    verify.add_argument("--threshold", type=float, metavar="DISTANCE", help="accept up to this distance instead")
    verify.add_argument("--json", action="store_true", help="print a JSON object a line")
    add_format(verify)


def _add_forget(parser: CommandParser) -> None:
    forget = parser.add_command(
        "forget", do.forget, "delete a person from a gallery for good", "agegait forget Anna --gallery gallery.db"
    )
    forget.add_argument("person", metavar="NAME", help="the person's name")
    add_gallery_place(forget)
    forget.add_argument("--yes", action="store_true", help="delete without asking")
    forget.add_argument("--json", action="store_true", help="print one JSON object")


def _add_people(parser: CommandParser) -> None:
    people = parser.add_command(
        "people", do.people, "list who is enrolled in a gallery", "agegait people --gallery gallery.db"
    )
    add_gallery_place(people)
    people.add_argument("--json", action="store_true", help="print a JSON list")


def _add_gallery(parser: CommandParser) -> None:
    group = parser.add_group(
        "gallery",
        "copy or check a gallery",
        {"Commands": ("check", "copy")},
        "agegait gallery check --gallery gallery.db --report check.html",
        "agegait gallery copy gallery.db postgresql+psycopg://gallery@host/gallery",
    )
    _add_gallery_check(group)
    _add_gallery_copy(group)


def _add_gallery_check(parser: CommandParser) -> None:
    check = parser.add_command(
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


def _add_gallery_copy(parser: CommandParser) -> None:
    copy = parser.add_command(
        "copy",
        do.copy,
        "copy a gallery into an empty one, from SQLite to PostgreSQL or back",
        "agegait gallery copy gallery.db postgresql+psycopg://gallery@host/gallery",
    )
    copy.add_argument("source", metavar="FROM", help=GALLERY)
    copy.add_argument("target", metavar="TO", help="the same, of a gallery that is empty or not there yet")
    copy.add_argument("--json", action="store_true", help="print one JSON object")


def _add_calibrate(parser: CommandParser) -> None:
    calibrate = parser.add_command(
        "calibrate",
        do.calibrate,
        "measure how near strangers come to each other, for thresholds",
        "agegait calibrate runs/kgbd0",
        "agegait calibrate starter --dataset visitors --gallery gallery.db",
    )
    calibrate.add_argument("model", metavar="MODEL", help="a run's folder, an export, a .keras file, or starter")
    calibrate.add_argument(
        "--dataset",
        metavar="NAME",
        help="walks of people who are neither trained on nor enrolled (default: those whom the run left out)",
    )
    calibrate.add_argument("--gallery", metavar="URL", help="keep it in this gallery, not beside the model")
    calibrate.add_argument("--json", action="store_true", help="print one JSON object")
    add_places(calibrate)
    add_format(calibrate)


def _add_adapt(parser: CommandParser) -> None:
    adapt = parser.add_command(
        "adapt",
        do.adapt,
        "adapt an embedder to another sensor, by walks without names",
        "agegait adapt starter --dataset recordings --out adapted.keras",
    )
    adapt.add_argument("model", metavar="MODEL", help="a run's folder, a .keras file, or starter")
    adapt.add_argument(
        "--dataset", required=True, metavar="NAME", help="walks before the new sensor, some dozens; labels are not read"
    )
    adapt.add_argument("--out", required=True, type=Path, metavar="FILE", help="the .keras file to write")
    add_places(adapt)
    add_format(adapt)
