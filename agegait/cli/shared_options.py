"""Options that several commands share."""

import argparse
from pathlib import Path

from agegait.cli.argument_parser import ArgumentParser
from agegait.serving.options import add_client_options

DATASETS = "biwi, ias, kgbd, walkers, or your own: a folder PATH/<person>/<walk>, or a file that says who walks"
GALLERY = "a SQLite file, or postgresql+psycopg://USER@HOST/DATABASE"


def add_files(command: ArgumentParser) -> None:
    """Adds the walks that a command reads."""
    command.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a walk, see `agegait inspect`")


def add_format(command: ArgumentParser) -> argparse._ArgumentGroup:
    """Adds the fields of `WalkFormat`, which say how your own files are read, in a group, which it returns."""
    how = command.add_argument_group("your own files", "what a file does not say itself")
    how.add_argument(
        "--joints",
        default="auto",
        metavar="SCHEMA",
        help="kinect_v1, kinect_v2, azure_kinect, mediapipe_pose, coco_17, openpose_body_25, openpose_coco_18 or "
        "human36m; overrules names in a header (default: auto, from names, number and limbs)",
    )
    how.add_argument(
        "--joint-map",
        metavar="FILE",
        help='JSON of which joint of yours each canonical joint is, by name or number: {"HipCenter": "pelvis", ...}',
    )
    how.add_argument(
        "--up",
        default="auto",
        metavar="AXIS",
        help="the axis that points up: y, -y, z, -z, x or -x (default: auto, as the file says, else y)",
    )
    how.add_argument(
        "--units",
        default="auto",
        help="of coordinates: m, cm, mm, in, or how many metres one is, such as 0.0564 (default: auto, as the file "
        "says, else m)",
    )
    how.add_argument(
        "--missing",
        choices=("refuse", "interpolate"),
        default="refuse",
        help="what to do about missing joints (default: %(default)s)",
    )
    how.add_argument(
        "--person-column", metavar="NAME", help="column of a table that tells who walks (default: the usual names)"
    )
    how.add_argument("--frame-rate", type=float, metavar="HZ", help="frame rate of the recordings")
    how.add_argument("--resample", type=float, metavar="HZ", help="resample walks to this frame rate")
    how.add_argument("--skip-bad", action="store_true", help="leave out files that are no walks, and say which and why")
    add_pose_model(how)
    return how


def add_pose_model(options: argparse._ActionsContainer) -> None:
    """Adds the model that finds people in videos."""
    options.add_argument(
        "--pose-model",
        metavar="FILE",
        help="MediaPipe's pose landmarker, which finds people in videos (default: $AGEGAIT_POSE_MODEL, or a download)",
    )


def add_places(command: ArgumentParser) -> None:
    """Adds where the data sets are that have a name."""
    places = command.add_argument_group("places")
    places.add_argument("--data-dir", type=Path, metavar="DIR", help="prepared data sets (default: TFDS's folder)")
    places.add_argument(
        "--manual-dir", type=Path, metavar="DIR", help="where a data set lies that you downloaded by hand"
    )


def add_embedder(command: ArgumentParser) -> None:
    """Adds the model whose embeddings a gallery holds."""
    command.add_argument(
        "--model",
        metavar="MODEL",
        help="whose embedder compares walks: a run's folder, an export, a .keras file, or starter, the one that comes "
        "with agegait (default: starter)",
    )


def add_threshold(options: argparse._ActionsContainer) -> None:
    """Adds when a walk is taken for somebody's: by the share of false alarms, or by the distance itself."""
    options.add_argument(
        "--false-alarms",
        type=float,
        default=0.01,
        metavar="SHARE",
        help="share of strangers who may be taken for somebody (default: %(default)s)",
    )
    options.add_argument("--threshold", type=float, metavar="DISTANCE", help="accept up to this distance instead")


def add_gallery_place(command: ArgumentParser) -> None:
    """Adds where the gallery is: here, or on a server."""
    where = command.add_mutually_exclusive_group(required=True)
    where.add_argument("--gallery", metavar="URL", help=GALLERY)
    add_client_options(command, where, None, "address of a server with a gallery, see `agegait serve --gallery`")
