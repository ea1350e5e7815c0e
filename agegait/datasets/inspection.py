"""What was understood of a data set, to be looked at before anyone trains on it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from agegait.datasets import DataSet
from agegait.skeletons import drawing, limbs
from agegait.skeletons.limbs import LimbSummary
from agegait.terminal.table import Cell, Column, Table

FRAMES_MEASURED = 50
"""Frames of each walk that a person's limbs are measured on."""

PEOPLE_SHOWN = 30

SIZES_APART = 0.15
"""By so much may a person's body differ in size between walks: single limbs do by more, whole bodies do not."""


@dataclass(frozen=True)
class Person:
    """One of the people of a data set.

    Attributes:
        name: As in the source.
        walks: How many.
        frames: Of all walks together.
        limbs: Over all walks.
    """

    name: str
    walks: int
    frames: int
    limbs: LimbSummary

    @property
    def faults(self) -> list[str]:
        """What of the limbs makes no sense."""
        return limbs.faults(self.limbs)


@dataclass(frozen=True)
class UnlikeWalk:
    """A walk of a body that is larger or smaller than in the same person's other walks.

    It may be somebody else's, or the sensor was mistaken; with one other walk nobody can tell which of the two it is.

    Attributes:
        name: As in the source.
        part: Which part of the data set it is in.
        size: The body's beside that of the other walks, 1 if they are alike.
    """

    name: str
    part: str
    size: float


@dataclass(frozen=True, eq=False)
class Inspection:
    """What `inspect` found.

    Attributes:
        dataset: What was inspected.
        parts: How many walks each part has.
        frames: `[W]`, of each walk.
        untracked: Share of joints that the sensor did not see.
        people: Those who walk, in the order of the labels.
        limbs: Over all walks.
        unlike: Walks of bodies of another size than in the same person's other walks, the most unlike first.
        faults: What of the limbs makes no sense, over all walks and of single people; empty where all do.
        skeleton: `[20, 3]`, a frame whose limbs are near their medians.
    """

    dataset: DataSet
    parts: dict[str, int]
    frames: np.ndarray
    untracked: float
    people: list[Person]
    limbs: LimbSummary
    unlike: list[UnlikeWalk]
    faults: list[str]
    skeleton: np.ndarray


def inspect(dataset: DataSet) -> Inspection:
    """Looks through all walks of a data set, as they were recorded.

    Raises:
        ValueError: A walk that cannot be read.
    """
    parts: dict[str, int] = {}
    walks: list[dict] = []
    for part in dataset.parts:
        before = len(walks)
        walks += _sampled(dataset, part)
        parts[part] = len(walks) - before
    frames = np.array([walk["frames"] for walk in walks])
    of_person = {label: [walk for walk in walks if walk["person"] == label] for label in range(len(dataset.persons))}
    people = [
        Person(dataset.persons[label], len(own), sum(walk["frames"] for walk in own), limbs.summarize(own))
        for label, own in of_person.items()
        if own
    ]
    summary = limbs.summarize(walks)
    return Inspection(
        dataset=dataset,
        parts=parts,
        frames=frames,
        untracked=float(np.average([walk["untracked"] for walk in walks], weights=frames)),
        people=people,
        limbs=summary,
        unlike=sorted(
            (walk for own in of_person.values() for walk in _unlike(own)), key=lambda walk: -abs(np.log(walk.size))
        ),
        faults=limbs.faults(summary) or [f"{person.name}: {fault}" for person in people for fault in person.faults],
        skeleton=_typical(walks, summary),
    )


def _sampled(dataset: DataSet, part: str) -> Iterator[dict]:
    """The walks of a part, each with no more frames than it is measured on."""
    for walk in dataset.read(part).as_numpy_iterator():
        count = len(walk["skeleton"])
        if not count:
            raise ValueError(f"{dataset.name}, {walk['walk'].decode()}: expected at least one frame, found none.")
        some = np.unique(np.linspace(0, count - 1, FRAMES_MEASURED).round().astype(int))
        yield {
            "name": walk["walk"].decode(),
            "part": part,
            "skeleton": walk["skeleton"][some],
            "tracked": walk["tracked"][some],
            "person": int(walk["person"]),
            "frames": count,
            "untracked": 1 - walk["tracked"].mean(),
        }


def _unlike(walks: list[dict]) -> Iterator[UnlikeWalk]:
    """Of the walks of one person, those of bodies of another size than the others."""
    for walk, size in zip(walks, limbs.relative_sizes([limbs.summarize([walk]) for walk in walks]), strict=True):
        if abs(np.log(size)) > np.log(1 + SIZES_APART):
            yield UnlikeWalk(walk["name"], walk["part"], float(size))


def _typical(walks: list[dict], summary: LimbSummary) -> np.ndarray:
    frames = np.concatenate([walk["skeleton"] for walk in walks])
    whole = np.concatenate([walk["tracked"].all(axis=-1) for walk in walks])
    if whole.any():
        frames = frames[whole]
    return frames[np.abs(limbs.limb_lengths(frames) - summary.lengths).sum(axis=-1).argmin()]


def as_record(found: Inspection) -> dict[str, Any]:
    """An inspection for scripts: the figures of the tables, lengths in metres, without coordinates."""
    return {
        "data": found.dataset.name,
        "notes": [list(note) for note in found.dataset.notes],
        "walks": found.parts,
        "frames": int(found.frames.sum()),
        "frame_rate": found.dataset.frame_rate,
        "untracked": found.untracked,
        "people": [
            {"name": person.name, "walks": person.walks, "frames": person.frames, "height": float(person.limbs.height)}
            for person in found.people
        ],
        "limbs": {name: float(length) for name, length, _, _ in found.limbs.rows()},
        "unlike": [{"walk": walk.name, "part": walk.part, "size": walk.size} for walk in found.unlike],
        "faults": found.faults,
    }


def render(found: Inspection) -> Group:
    """An inspection for the terminal: what was understood, the people, the limbs, a skeleton."""
    parts: list[RenderableType] = [
        _overview(found),
        _people(found.people),
        Columns([_limbs(found.limbs), _drawing(found)]),
    ]
    if found.unlike:
        parts.append(_unlike_table(found.unlike))
    return Group(*parts, _verdict(found))


def _overview(found: Inspection) -> RichTable:
    table = RichTable(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    walks, frames = len(found.frames), found.frames
    table.add_row("data", found.dataset.name)
    for label, text in found.dataset.notes:
        table.add_row(label, text)
    if (rate := found.dataset.frame_rate) and "frame rate" not in dict(found.dataset.notes):
        table.add_row("frame rate", f"about {rate:.4g} Hz")
    table.add_row("people", f"{len(found.people)}")
    table.add_row("walks", f"{walks:,}: " + ", ".join(f"{name} {count:,}" for name, count in found.parts.items()))
    table.add_row(
        "frames", f"{frames.sum():,}: {frames.min():,} to {frames.max():,} a walk, median {np.median(frames):,.0f}"
    )
    table.add_row("not tracked", f"{found.untracked:.2%} of joints")
    return table


def _people(people: list[Person]) -> Table:
    rows = [
        (person.name, str(person.walks), f"{person.frames:,}", f"{person.limbs.height:.2f}")
        for person in people[:PEOPLE_SHOWN]
    ]
    if len(people) > PEOPLE_SHOWN:
        rows.append((f"and {len(people) - PEOPLE_SHOWN} more", "", "", ""))
    return _table("people", ("person", "walks", "frames", "height, m"), rows)


def _unlike_table(unlike: list[UnlikeWalk]) -> Table:
    rows = [(walk.name, f"{100 * walk.size:.0f} %", walk.part) for walk in unlike]
    return _table("walks to look at", ("walk", "body beside the person's other walks", "in"), rows)


def _limbs(summary: LimbSummary) -> Table:
    rows = [
        (
            name,
            f"{100 * length:.1f}",
            f"{100 * asymmetry:+.0f} %" if name.startswith("left") else "",
            f"{100 * steadiness:.0f} %",
        )
        for name, length, asymmetry, steadiness in summary.rows()
    ]
    return _table("limbs", ("limb", "length, cm", "left - right", "unsteady by"), rows)


def _table(title: str, headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Table:
    first, *others = headings
    columns = Column(first, number=False, wrap=True), *(Column(name, number=name != "in") for name in others)
    return Table(title, columns, tuple(tuple(map(Cell, row)) for row in rows))


def _drawing(found: Inspection) -> Text:
    return Text(drawing.skeleton_text(found.skeleton), no_wrap=True)


def _verdict(found: Inspection) -> Text:
    if not found.faults:
        return Text("limb lengths are those of bodies", style="green")
    return Text("limb lengths make no sense: " + "; ".join(found.faults), style="red")
