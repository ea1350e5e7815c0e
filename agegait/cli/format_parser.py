"""The options that say how your own files are read, which many commands share."""

import argparse

from agegait.cli.argument_parser import ArgumentParser
from agegait.cli.gallery_parser import POSE_MODEL


def add_format(command: ArgumentParser) -> argparse._ArgumentGroup:
    """Adds the fields of `WalkFormat` as options, in a group of their own, which it returns."""
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
    how.add_argument("--pose-model", metavar="FILE", help=POSE_MODEL)
    return how
