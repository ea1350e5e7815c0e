"""The walks that a command was given, as files or folders."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

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


def tell_rates(walks: "Sequence[InputWalk]", knows: bool, frame_rate: float | None = None) -> None:
    """Says which walks are not brought to the frame rate of a model, since nobody knows theirs, or the model's.

    Args:
        walks: As of `read_walks`.
        knows: Whether the model knows the frame rate that it was trained at.
        frame_rate: That rate, where it is at hand.
    """
    unknown = [walk.label for walk in walks if walk.walk.frame_rate is None]
    if unknown and knows:
        labels = unknown[0] if len(unknown) == 1 else f"{unknown[0]} and {len(unknown) - 1} more"
        rate = "" if frame_rate is None else f" {frame_rate:g} Hz"
        print_remarks([f"{labels}: frame rate not known, taken as the model's{rate}; --frame-rate says it"])
    if len(unknown) < len(walks) and not knows:
        print_remarks(["the model does not tell the frame rate that it was trained at: walks are taken as they are"])


_ARGUMENTS = ("missing", "units", "up", "joints", "joint_map", "person_column", "frame_rate", "resample")
_OPTIONS = {name: f"--{name.replace('_', '-')}" for name in _ARGUMENTS}
"""What remarks may advise, by the arguments that the options become."""


def print_remarks(remarks: Sequence[str]) -> None:
    """Prints what a user should know, each once."""
    for remark in dict.fromkeys(remarks):
        errors().print(in_options(remark, _OPTIONS), style="yellow", soft_wrap=True)
