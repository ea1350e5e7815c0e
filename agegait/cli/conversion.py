"""The command that writes recordings as a folder of walks."""

import argparse
import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agegait.cli.json_output import print_json
from agegait.cli.run_settings import file_format
from agegait.cli.walk_inputs import print_remarks
from agegait.terminal.console import output
from agegait.terminal.table import Cell, Column, Table

if TYPE_CHECKING:
    from agegait.data.folder.inputs import Inputs, InputWalk


def convert_recordings(options: argparse.Namespace) -> None:
    """Writes recordings as a folder of walks."""
    from agegait.data.folder.inputs import check_labels, read_inputs
    from agegait.datasets.writing import check_new, write_walks

    check_new(options.out)
    found = read_inputs(options.inputs, file_format(options), options.person)
    check_labels(found.walks)
    limb_remarks = _check_limbs(found)
    files = write_walks(options.out, found.walks)
    if options.json:
        print_json(_record(found, files))
    else:
        output().print(_table(found, narrow=output().width < _WIDE))
    print_remarks([*_remarks(found), *limb_remarks])
    if not options.json:
        people = len({walk.person for walk in found.walks})
        walks = "1 walk" if len(files) == 1 else f"{len(files)} walks"
        whose = "1 person" if people == 1 else f"{people} people"
        following = f" Next: agegait inspect {shlex.quote(str(options.out))}"
        output().print(f"written: {options.out}: {walks} of {whose}.{following}", soft_wrap=True)


def _check_limbs(found: "Inputs") -> list[str]:
    """What of the limbs makes no sense, for people to know.

    Raises:
        ValueError: Bodies are of no human size: written in metres, they would be wrong for good.
    """
    from agegait.skeletons import limbs

    own = [{"skeleton": walk.walk.skeleton, "tracked": walk.walk.tracked} for walk in found.walks]
    sizes = {walk.label: limbs.size_fault(limbs.summarize([body])) for walk, body in zip(found.walks, own, strict=True)}
    if wrong := [f"{label}: {fault}." for label, fault in sizes.items() if fault]:
        raise ValueError(wrong[0] if len(wrong) == 1 else "\n".join([f"found {len(wrong)} faults:", *wrong]))
    return [f"limbs make no sense: {fault}" for fault in limbs.faults(limbs.summarize(own))]


_WIDE = 100
"""Columns of a terminal on which the table has room for all that it can show."""


def _table(found: "Inputs", narrow: bool = False) -> Table:
    """What was understood, a row for each kind of file that was read in one way; a narrow one says less of files."""
    from agegait.recordings.resampling import rates_in_words

    alike: dict[tuple[Any, ...], list[InputWalk]] = defaultdict(list)
    for walk in found.walks:
        alike[walk.format, walk.walk.units, walk.walk.up, walk.walk.schema].append(walk)
    headings = ("format", "files", "people", "tracks", "walks", "frames", "frames/s", "units", "up", "joints")
    rows = []
    for (kind, units, up, schema), walks in alike.items():
        rows.append(
            (
                kind,
                str(len({walk.path for walk in walks})),
                str(len({walk.person for walk in walks})),
                str(len({(walk.path, walk.person, walk.body) for walk in walks})),
                str(len(walks)),
                f"{sum(len(walk.walk.skeleton) for walk in walks):,}",
                rates_in_words([walk.walk.frame_rate for walk in walks]),
                units,
                up,
                schema,
            )
        )
    shown = [place for place, name in enumerate(headings) if not (narrow and name == "files")]
    columns = tuple(
        Column(headings[place], headings[place] not in ("format", "units", "up", "joints"), True) for place in shown
    )
    return Table("what was understood", columns, tuple(tuple(Cell(row[place]) for place in shown) for row in rows))


def _remarks(found: "Inputs") -> Iterable[str]:
    """What was dropped or left alone, and why."""
    yield from (f"left out, as no walk: {fault}" for fault in found.left_out)
    yield from found.remarks
    remarks = Counter(remark for walk in found.walks for remark in walk.walk.remarks)
    first = {remark: walk.label for walk in reversed(found.walks) for remark in walk.walk.remarks}
    for remark, count in remarks.items():
        yield f"{first[remark]}{f' and {count - 1} more' if count > 1 else ''}: {remark}"


def _record(found: "Inputs", files: Sequence[Path]) -> dict[str, Any]:
    return {
        "walks": [
            {
                "file": str(file),
                "source": walk.label,
                "format": walk.format,
                "person": walk.person,
                "body": walk.body,
                "frames": len(walk.walk.skeleton),
                "frame_rate": walk.walk.frame_rate,
                "units": walk.walk.units,
                "up": walk.walk.up,
                "joints": walk.walk.schema,
                "remarks": list(walk.walk.remarks),
            }
            for walk, file in zip(found.walks, files, strict=True)
        ],
        "left_out": list(found.left_out),
        "remarks": list(found.remarks),
    }
