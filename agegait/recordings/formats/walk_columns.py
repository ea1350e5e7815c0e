"""What the columns of a walk's table mean, by their names."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from agegait import skeletons
from agegait.recordings.files.limits import MOST_COLUMNS, MOST_JOINTS
from agegait.recordings.recording import listed

_BETWEEN = r"[\s_.\-:/]*+"  # possessive: what comes next never begins with one of these
_POSITION = rf"(?:pos(?:ition)?{_BETWEEN})?"
_STYLES = (
    re.compile(rf"(?P<joint>.*?){_BETWEEN}{_POSITION}[\[(]?(?P<axis>[xyz])[\])]?", re.IGNORECASE),
    re.compile(rf"{_POSITION}(?P<axis>[xyz]){_BETWEEN}(?P<joint>.+)", re.IGNORECASE),
)
_NUMBERED = re.compile(rf"(?P<word>[a-z]*){_BETWEEN}(?P<number>[0-9]{{1,4}})", re.IGNORECASE)
_LONGEST_NAME = 100

_Triple = tuple[int, int, int]

# Of columns that mean the same, the first here counts. "" and the like are what pandas calls rows' numbers.
_FRAME = (
    *("frame", "frameid", "frameno", "framenr", "framenum", "framenumber", "frameindex", "frameidx", "framecount"),
    *("index", "row", "unnamed0", "indexlevel0", ""),
)
_JOINT = tuple(
    joint + kind
    for kind in ("name", "", "type", "id", "index", "idx", "number", "no", "nr")
    for joint in ("joint", "keypoint", "landmark", "bodypart", "bodyparts", "marker")
)
_TRACKED = ("tracked", "trackingstate", "state", "confidence", "conf", "visibility", "likelihood", "score")
_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millis", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "usec", "micros", "microseconds"), 1e-6),
    **dict.fromkeys(("ns", "nsec", "nanos", "nanoseconds"), 1e-9),
}
_TIMES = ("timestamp", "time", "frametime", "frametimestamp", "relativetime", "elapsed", "elapsedtime", "t")
_TIME: dict[str, float | None] = {
    **{time + unit: seconds for time in _TIMES for unit, seconds in _UNITS.items()},
    **{unit: seconds for unit, seconds in _UNITS.items() if unit != "s"},
    **dict.fromkeys((*_TIMES, "ts"), None),  # "ts" is short for time stamp
}


@dataclass(frozen=True)
class WalkColumns:
    """Which column of a table holds what.

    Attributes:
        coordinates: x, y and z of each joint; of a long table one triple, for all.
        names: Of the joints; None where they are numbered, and for a long table.
        joint: Of a long table, which has a row for each joint, the column that tells the joint.
        tracked: Of each joint, or for all of a long table, the column that says whether it was tracked.
        frame: Column that numbers the frames.
        time: Column of times.
        time_unit: Seconds of one unit of time, where the column's name says so.
        unread: Columns that mean nothing here.
    """

    coordinates: tuple[_Triple, ...]
    names: tuple[str, ...] | None = None
    joint: int | None = None
    tracked: tuple[int | None, ...] = ()
    frame: int | None = None
    time: int | None = None
    time_unit: float | None = None
    unread: tuple[int, ...] = ()


@lru_cache(maxsize=16)  # the files of a data set have one header
def find_columns(columns: tuple[str, ...]) -> WalkColumns:
    """Finds what the columns of a table are by their names.

    A table is wide, with columns such as `SpineBase_x`, `SpineBase.X`, `SpineBaseX`, `x_SpineBase`, `joint_0_x` or
    `x0`; or long, with a column of joints beside `x`, `y` and `z`; or has its columns numbered 0, 1, ... as arrays
    have. There may be columns such as `frame`, `time_ms`, and `SpineBase_tracked` or `SpineBase_confidence` as well.

    Args:
        columns: The columns' names.

    Raises:
        ValueError: No coordinates, too many columns, two of one name, or joints that are numbered with a gap.
    """
    if len(columns) > MOST_COLUMNS:
        raise ValueError(f"expected at most {MOST_COLUMNS} columns, found {len(columns)}.")
    name, times = max(Counter(columns).items(), key=lambda item: item[1], default=("", 0))
    if times > 1:
        raise ValueError(f"expected another name for each column, found {name[:_LONGEST_NAME]!r} {times} times.")
    compact = {_compact(name): index for index, name in reversed(list(enumerate(columns)))}
    frame, time = _first(_FRAME, compact), _first(_TIME, compact)
    joint = _first(_JOINT, compact)
    triples = _triples(columns)
    alone = triples.pop("", None)
    names: tuple[str, ...] | None = None
    if alone and joint is not None:
        triples = {"": alone}
    elif triples:
        joint, triples = None, _positions_only(triples)
        if numbers := _numbers(triples):
            triples = {name: triples[name] for name in sorted(numbers, key=numbers.__getitem__)}
        else:
            names = tuple(triples)
    else:
        joint, triples = None, _numbered_columns(columns, (frame, time))
    tracked = tuple(
        _first([both for word in _TRACKED for both in (_compact(name) + word, word + _compact(name))], compact)
        for name in triples
    )
    read = {frame, time, joint, *tracked, *(index for triple in triples.values() for index in triple)}
    return WalkColumns(
        coordinates=tuple(triples.values()),
        names=names,
        joint=joint,
        tracked=tracked,
        frame=frame,
        time=time,
        time_unit=_TIME[_compact(columns[time])] if time is not None else None,
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
    numbers = _numbers(once)
    return (sorted(once, key=numbers.__getitem__), True) if numbers else (once, False)


def _compact(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower().replace("µ", "u").replace("μ", "u"))


def _first(wanted: Iterable[str], compact: Mapping[str, int]) -> int | None:
    return next((compact[name] for name in wanted if name in compact), None)


def _triples(columns: Sequence[str]) -> dict[str, _Triple]:
    """Columns of x, y and z by joint, in the style of writing that gives the most joints."""
    most: dict[str, _Triple] = {}
    for style in _STYLES:
        joints: dict[str, dict[str, int]] = {}
        for index, column in enumerate(columns):
            if len(column) > _LONGEST_NAME or not (found := style.fullmatch(column.strip())):
                continue
            axes, axis = joints.setdefault(found["joint"], {}), found["axis"].lower()
            if axis in axes:
                raise ValueError(
                    f"expected one column for each axis of a joint, found {columns[axes[axis]]!r} and {column!r}."
                )
            axes[axis] = index
        whole = {joint: (axes["x"], axes["y"], axes["z"]) for joint, axes in joints.items() if len(axes) == 3}
        most = max(most, whole, key=len)
    return most


def _positions_only(triples: dict[str, _Triple]) -> dict[str, _Triple]:
    """Leaves out `Head_velocity` and the like beside `Head`, if what is left are the joints of a schema."""
    besides = Counter(
        name[len(joint) :] for name in triples for joint in triples if name != joint and name.startswith(joint)
    )
    if besides and not _schema_exists(triples):
        ((beside, _),) = besides.most_common(1)
        positions = {name: triple for name, triple in triples.items() if name + beside in triples}
        if _schema_exists(positions):
            return positions
    return triples


def _schema_exists(names: Iterable[str]) -> bool:
    try:
        skeletons.schema_of_names(list(names))
    except ValueError:
        return False
    return True


def _numbers(joints: Iterable[str]) -> dict[str, int] | None:
    """The joints' numbers, where each is one word and a number; None where they have names."""
    found = {joint: _NUMBERED.fullmatch(joint) for joint in joints}
    words = {match["word"].lower() if match else None for match in found.values()}
    if None in words or len(words) != 1:
        return None
    numbers = {joint: int(match["number"]) for joint, match in found.items() if match}
    if sorted(numbers.values()) not in (list(range(len(found))), list(range(1, len(found) + 1))):
        found_numbers = ", ".join(map(str, sorted(numbers.values())))
        raise ValueError(f"expected joints that are numbered from 0 or 1 without a gap, found {found_numbers}.")
    return numbers


def _numbered_columns(columns: Sequence[str], besides: tuple[int | None, ...]) -> dict[str, _Triple]:
    """The joints of a table whose columns are numbered."""
    indices = [index for index in range(len(columns)) if index not in besides]
    numbered = [columns[index] for index in indices] == [str(number) for number in range(len(indices))]
    if not indices or len(indices) % 3 or not numbered:
        raise ValueError(
            "expected columns of x, y and z of each joint, such as Head_x, Head_y and Head_z, or the columns "
            f"frame, joint, x, y, z, found {listed(columns)}."
        )
    return {
        f"{start // 3}": (indices[start], indices[start + 1], indices[start + 2]) for start in range(0, len(indices), 3)
    }
