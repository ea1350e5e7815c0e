"""What the columns of a walk's table mean, by their names."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from agegait.recordings.files.limits import MOST_COLUMNS, MOST_JOINTS
from agegait.recordings.formats import column_words as words
from agegait.recordings.formats.column_names import compact, expanded
from agegait.recordings.formats.coordinate_columns import (
    Triple,
    by_body,
    find_triples,
    joint_numbers,
    joints_only,
    numbered_columns,
)
from agegait.recordings.formats.tracking_columns import find_tracking
from agegait.recordings.recording import listed

_LONGEST_NAME = 100


@dataclass(frozen=True)
class WalkColumns:
    """Which column of a table holds what.

    Attributes:
        coordinates: x, y and z of each joint; of a long table one triple, for all.
        titles: Of all columns, in full.
        names: Of the joints; None where they are numbered, and for a long table.
        joint: Of a long table, which has a row for each joint, the column that tells the joint.
        tracked: Of each joint, or for all of a long table, the column that says whether it was tracked.
        inferred: Whether those say 1 of joints that were inferred, and 0 of others.
        frame: Column that numbers the frames.
        times: Columns of times, and the seconds of a unit of each, where its name says so; the first counts.
        person: Column that tells who walks.
        walks: Columns that tell which walk it is, together.
        body: Column of the sensor's numbers for bodies.
        labels: Columns that may tell who walks, or something else.
        units: Of coordinates, where their names say so.
        unread: Columns that mean nothing here.
    """

    coordinates: tuple[Triple, ...]
    titles: tuple[str, ...] = ()
    names: tuple[str, ...] | None = None
    joint: int | None = None
    tracked: tuple[int | None, ...] = ()
    inferred: bool = False
    frame: int | None = None
    times: tuple[tuple[int, float | None], ...] = ()
    person: int | None = None
    walks: tuple[int, ...] = ()
    body: int | None = None
    labels: tuple[int, ...] = ()
    units: str | None = None
    unread: tuple[int, ...] = ()

    def of_bodies(self) -> "list[tuple[str | None, WalkColumns]]":
        """The columns of each body, where a table has several beside each other; else the body is None."""
        bodies = by_body(self.names) if self.names else {}
        return [
            (
                body,
                replace(
                    self,
                    coordinates=tuple(self.coordinates[place] for place in places),
                    names=tuple(self.names[place] for place in places) if self.names else None,
                    tracked=tuple(self.tracked[place] for place in places),
                ),
            )
            for body, places in bodies.items()
        ] or [(None, self)]

    @property
    def texts(self) -> tuple[int, ...]:
        """Columns whose entries are names, even where they look like numbers."""
        some = (self.joint, self.person, *self.walks, self.body, *self.labels)
        return tuple(column for column in some if column is not None)


@lru_cache(maxsize=16)  # the files of a data set have one header
def find_columns(columns: tuple[str, ...], person_column: str | None = None, all_joints: bool = False) -> WalkColumns:
    """Finds what the columns of a table are by their names, see `agegait.recordings.formats.column_words`.

    A table is wide, with columns such as `SpineBase_x`, `SpineBase.X`, `SpineBaseX (mm)`, `x_SpineBase`, `joint_0_x`
    or `x0`; or long, with a column of joints beside `x`, `y` and `z`; or has its columns numbered 0, 1, ... as arrays
    have. There may be columns such as `frame`, `time_ms`, `BodyID`, `person`, `walk`, and `SpineBase_tracked` or
    `SpineBase_confidence` as well.

    Args:
        columns: The columns' names.
        person_column: The one that tells who walks; empty for none; None for one of the usual names.
        all_joints: Whether to keep joints that no schema has, for a map of the user's own.

    Raises:
        ValueError: No coordinates, too many columns, two of one name, or joints that are numbered with a gap.
    """
    if len(columns) > MOST_COLUMNS:
        raise ValueError(f"expected at most {MOST_COLUMNS:,} columns, found {len(columns):,}.")
    columns = expanded(columns)
    name, times = max(Counter(filter(None, columns)).items(), key=lambda item: item[1], default=("", 0))
    if times > 1:
        raise ValueError(f"expected another name for each column, found {name[:_LONGEST_NAME]!r} {times} times.")
    # pandas leaves the column of the rows' numbers, the first one, without a name
    places = {compact(name): i for i, name in reversed(list(enumerate(columns))) if i == 0 or compact(name)}
    if person_column:
        person: int | None = _named(columns, person_column)
        places = {name: index for name, index in places.items() if index != person}
    frame = _first(words.FRAME, places)
    clocks = {index: words.TIME[name] for name in words.TIME if (index := places.get(name)) is not None}
    triples, units = find_triples(columns)
    alone = triples.pop("", None)
    joint = _first(words.JOINT, places)
    if joint is not None and len(triples) == 1 and not alone:
        ((_, alone),) = triples.items()
    if alone and joint is None:
        joint = _first(words.JOINT_BESIDE_XYZ, places)
    names: tuple[str, ...] | None = None
    if alone and joint is not None:
        triples = {"": alone}
    elif triples:
        joint, triples = None, joints_only(triples, all_joints)
        if numbers := joint_numbers(triples):
            triples = {name: triples[name] for name in sorted(numbers, key=numbers.__getitem__)}
        else:
            names = tuple(triples)
    else:
        joint, triples = None, numbered_columns(columns, (frame, *clocks))
    coordinates = {index for triple in triples.values() for index in triple}
    tracked, word = find_tracking(columns, tuple(triples))
    taken = {joint, frame, *tracked, *clocks, *coordinates}
    places = {name: index for name, index in places.items() if index not in taken}
    if person_column is None:
        person = _first(words.PERSON, places)
    elif not person_column:
        person = None
    walks = tuple(sorted({places[name] for name in words.WALK if name in places} - {person}))
    body = _first(words.BODY, {name: index for name, index in places.items() if index != person})
    labels = () if person is not None or person_column == "" else _all(words.MAYBE_PERSON, places)
    read = taken | {person, body, *walks, *labels}
    return WalkColumns(
        coordinates=tuple(triples.values()),
        titles=columns,
        names=names,
        joint=joint,
        tracked=tracked,
        inferred=word in words.INFERRED,
        frame=frame,
        times=tuple(clocks.items()),
        person=person,
        walks=walks,
        body=body,
        labels=labels,
        units=units,
        unread=tuple(index for index in range(len(columns)) if index not in read),
    )


def joint_order(labels: Iterable[str]) -> tuple[list[str], bool]:
    """Puts the joints that a long table tells apart in order.

    Returns:
        The labels, each once: by number where they are numbered, else as they first come; and whether they are
        numbered.

    Raises:
        ValueError: Joints that are numbered with a gap, or too many.
    """
    once = list(dict.fromkeys(labels))
    if len(once) > MOST_JOINTS:
        raise ValueError(f"expected at most {MOST_JOINTS:,} joints, found {len(once):,} different ones.")
    numbers = joint_numbers(once)
    return (sorted(once, key=numbers.__getitem__), True) if numbers else (once, False)


def _named(columns: Sequence[str], wanted: str) -> int:
    found = [index for index, name in enumerate(columns) if name.strip() == wanted.strip()]
    found = found or [index for index, name in enumerate(columns) if compact(name) == compact(wanted)]
    if len(found) != 1:
        raise ValueError(f"person_column: expected one of the columns {listed(columns)}, received {wanted!r}.")
    return found[0]


def _all(wanted: Iterable[str], places: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(places[name] for name in wanted if name in places)


def _first(wanted: Iterable[str], places: Mapping[str, int]) -> int | None:
    return next(iter(_all(wanted, places)), None)
