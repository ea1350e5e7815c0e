"""How the names of a table's columns are written: parts of one header in two lines, axes alone, units."""

import re
from collections.abc import Sequence

from agegait.recordings.walk_format import UNITS

BETWEEN = r"[\s_.\-:/]*+"  # possessive: what comes next never begins with one of these
LENGTHS = {
    **{unit: unit for unit in UNITS},
    **dict.fromkeys(("meter", "meters", "metre", "metres"), "m"),
    **dict.fromkeys(("millimeter", "millimeters", "millimetre", "millimetres"), "mm"),
    **dict.fromkeys(("centimeter", "centimeters", "centimetre", "centimetres"), "cm"),
    **dict.fromkeys(("inch", "inches"), "in"),
}
"""Units of length as headers write them, each with its key in `UNITS`."""

UNIT = rf"(?:(?:[\s_.\-:/]++[\[(]?|[\[(])(?P<unit>{'|'.join(sorted(LENGTHS, key=len, reverse=True))})[\])]?)?"
"""A unit behind an axis, such as ` (m)` or `_mm`."""

_LONGEST_NAME = 100
_AXIS = re.compile(r"[\[(]?([xyz])[\])]?", re.IGNORECASE)
_ENDS_IN_X = re.compile(rf"(?P<joint>.+?){BETWEEN}[\[(]?(?P<axis>[xX])[\])]?{UNIT}")
_TIME_UNITS = ("s", "sec", "ms", "us", "µs", "ns", "-", "#")


def compact(name: str) -> str:
    """A name in small letters and digits alone."""
    return re.sub("[^a-z0-9]", "", name.lower().replace("µ", "u").replace("μ", "u"))


def words_of(name: str) -> list[str]:
    """The words of a name in small letters: `HeadOrientation_X` is head, orientation, x."""
    return [word.lower() for word in re.findall("[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+[A-Za-z]?", name)]


def axis_of(name: str) -> str | None:
    """The axis that a column's name is, where it says no more."""
    found = _AXIS.fullmatch(name.strip())
    return found[1].lower() if found else None


def expanded(columns: Sequence[str]) -> tuple[str, ...]:
    """Names in full, where a header names a joint once and then has `Y` and `Z`, or nothing, over the next two columns.

    `Head X, Y, Z` and `Head, Y, Z` become `Head X, Head Y, Head Z`. `Head,,` becomes `Head_x, Head_y, Head_z` if more
    than one joint is written so.
    """
    names = list(columns)
    bare = [axis_of(name) for name in names]
    for index in range(len(names) - 2):
        if bare[index + 1] != "y" or bare[index + 2] != "z" or bare[index] or len(names[index]) > _LONGEST_NAME:
            continue
        found = _ENDS_IN_X.fullmatch(names[index].strip())
        joint, between = (found["joint"], " ") if found else (names[index].strip(), "_")
        if joint:
            rest = names[index].strip()[found.end("axis") :] if found else ""
            names[index : index + 3] = [f"{joint}{between}{axis}{rest}" for axis in "xyz"]
    alone = [
        i for i, name in enumerate(names[:-2]) if name.strip() and not any(n.strip() for n in names[i + 1 : i + 3])
    ]
    alone = [i for i in alone if i + 3 == len(names) or names[i + 3].strip()]
    if len(alone) > 1:
        for index in alone:
            names[index : index + 3] = [f"{names[index].strip()}_{axis}" for axis in "xyz"]
    return tuple(names)


def is_axes(row: Sequence[str]) -> bool:
    """Whether a row holds the axes of the joints that the row above names."""
    axes = [axis_of(name) for name in row if name.strip()]
    return min(map(axes.count, "xyz")) > 1 and sum(axis is not None for axis in axes) >= 0.6 * len(axes)


def combined_header(above: Sequence[str], below: Sequence[str]) -> list[str]:
    """One header of two rows: joints, each over its columns or over the first of them, and axes below."""
    names, joint = [], ""
    for index, name in enumerate(below):
        if index < len(above) and above[index].strip():
            joint = above[index].strip()
        own = joint if index < len(above) and above[index].strip() else ""  # a comma may end each line
        names.append(f"{joint}_{name.strip()}" if axis_of(name) else name.strip() or own)
    return names


def is_units(row: Sequence[str]) -> bool:
    """Whether a row holds units, such as `s` and `mm`, of the columns above."""
    units = [name.strip().strip("()[]").lower() for name in row if name.strip()]
    return bool(units) and all(unit in LENGTHS or unit in _TIME_UNITS for unit in units) and unit_of(row) is not None


def unit_of(row: Sequence[str]) -> str | None:
    """The one unit of length that a row of units has."""
    units = {LENGTHS[word] for name in row if (word := name.strip().strip("()[]").lower()) in LENGTHS}
    return units.pop() if len(units) == 1 else None
