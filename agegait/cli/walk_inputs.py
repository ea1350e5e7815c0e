"""The walks that a command was given, as files or folders."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from agegait.cli.names import in_options
from agegait.cli.run_settings import file_format
from agegait.terminal.console import errors

if TYPE_CHECKING:
    from agegait.data.folder.inputs import InputWalk

_USUAL = ("not read: ",)
"""How remarks begin that say nothing of the walk itself."""


def read_walks(options: argparse.Namespace) -> "Sequence[InputWalk]":
    """Reads the walks of a command's files. What was left out or looks wrong is said on standard error."""
    from agegait.data.folder.inputs import read_inputs

    found = read_inputs(options.files, file_format(options))
    print_remarks(
        [
            *(f"left out, as no walk: {fault}" for fault in found.left_out),
            *(
                f"{walk.label}: {remark}"
                for walk in found.walks
                for remark in walk.walk.remarks
                if not remark.startswith(_USUAL)
            ),
        ]
    )
    return found.walks


def check_one_person(walks: "Sequence[InputWalk]") -> None:
    """Refuses walks of several people where one is meant.

    Raises:
        ValueError: A file or folder with more than one.
    """
    for given in dict.fromkeys(walk.given for walk in walks):
        own = [walk for walk in walks if walk.given == given]
        people = list(dict.fromkeys(walk.person for walk in own))
        if len(people) > 1:
            of = "bodies" if any(not walk.alone for walk in own) else "people"
            raise ValueError(
                f"{given}: expected walks of one person, found {len(people)} {of}, {', '.join(people)}: `agegait "
                "convert-recordings` writes the walks of each to a folder, of which one can be given."
            )


def at_run_rate(walks: "Sequence[InputWalk]", frame_rate: float | None) -> list[np.ndarray]:
    """The skeletons of walks at the frame rate that a run was trained at. Where one of both is not known, that is said.

    Args:
        walks: As of `read_walks`.
        frame_rate: Of the run, Hz; None where it does not know.
    """
    if frame_rate is None:
        return [walk.walk.skeleton for walk in walks]
    unknown = [walk.label for walk in walks if walk.walk.frame_rate is None]
    if unknown:
        print_remarks(
            [f"{unknown[0]}: its frame rate is not known, taken as the model's {frame_rate:g} Hz; --frame-rate says it"]
        )
    return [walk.walk.at_rate(frame_rate).skeleton for walk in walks]


_ARGUMENTS = ("missing", "units", "up", "joints", "joint_map", "person_column", "frame_rate", "resample")
_OPTIONS = {name: f"--{name.replace('_', '-')}" for name in _ARGUMENTS}
"""What remarks may advise, by the arguments that the options become."""


def print_remarks(remarks: Sequence[str]) -> None:
    """Prints what a user should know, each once."""
    for remark in dict.fromkeys(remarks):
        errors().print(in_options(remark, _OPTIONS), style="yellow", soft_wrap=True)
