"""Which columns of a table are x, y and z of a joint, by their names."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from agegait import skeletons
from agegait.recordings.files.limits import MOST_COLUMNS
from agegait.recordings.formats.column_names import BETWEEN, LENGTHS, UNIT, words_of
from agegait.recordings.formats.column_words import NO_PLACE
from agegait.recordings.recording import listed

Triple = tuple[int, int, int]

_POSITION = (
    rf"(?:(?:pos(?:ition)?|coord(?:inate)?s?|loc(?:ation)?|world|camera(?:space)?|cam|3d|w(?=[xyz][0-9])){BETWEEN})?"
)
_STYLES = (
    re.compile(rf"(?P<joint>.*?){BETWEEN}{_POSITION}[\[(]?(?P<axis>[xyz])[\])]?{UNIT}", re.IGNORECASE),
    re.compile(rf"{_POSITION}(?P<axis>[xyz]){BETWEEN}[\[(]?(?P<joint>.+?)[\])]?{UNIT}", re.IGNORECASE),
)
_NUMBERED = re.compile(rf"(?P<word>[a-z]*){BETWEEN}(?P<number>[0-9]{{1,4}})", re.IGNORECASE)
_PREFIX = re.compile(rf"(?:joint_?type|k4abt_joint|joint){BETWEEN}", re.IGNORECASE)
_OF_BODY = re.compile(
    r"(?:body|person|player|skeleton|subject|user|p|b)?[\s_\-]*(?P<body>[0-9]{1,2})[\s_.\-:/]+(?P<joint>[a-z].*)",
    re.IGNORECASE,
)
_LONGEST_NAME = 100


def find_triples(columns: Sequence[str]) -> tuple[dict[str, Triple], str | None]:
    """Finds columns of x, y and z by joint, in the style of writing that gives the most joints.

    Returns:
        The columns of each joint; and the unit that the names say, where they say one.

    Raises:
        ValueError: Two columns for one axis of a joint, or units of several kinds.
    """
    most: dict[str, Triple] = {}
    units: dict[int, str] = {}
    left_out = _of_pictures(columns)
    for style in _STYLES:
        joints: dict[str, dict[str, int]] = {}
        found_units = {}
        for index, column in enumerate(columns):
            if index in left_out or len(column) > _LONGEST_NAME or not (found := style.fullmatch(column.strip())):
                continue
            axes, axis = joints.setdefault(found["joint"], {}), found["axis"].lower()
            if axis in axes:
                raise ValueError(
                    f"expected one column for each axis of a joint, found {columns[axes[axis]]!r} and {column!r}."
                )
            axes[axis] = index
            if found["unit"]:
                found_units[index] = LENGTHS[found["unit"].lower()]
        whole = {joint: (axes["x"], axes["y"], axes["z"]) for joint, axes in joints.items() if len(axes) == 3}
        if len(whole) > len(most):
            most, units = whole, found_units
    read = {index for triple in most.values() for index in triple}
    named = sorted({unit for index, unit in units.items() if index in read})
    if len(named) > 1:
        raise ValueError(f"expected coordinates in one unit, found {' and '.join(named)}.")
    return most, named[0] if named else None


def _of_pictures(columns: Sequence[str]) -> set[int]:
    """The columns of places in a picture, where columns of the same joints' places in the world are beside them."""
    if len(columns) > MOST_COLUMNS:
        return set()
    places = {re.sub("[^a-z0-9]", "", name[:_LONGEST_NAME].lower()): index for index, name in enumerate(columns)}
    found = set()
    for name in places:
        other = name.replace("world", "", 1) if "world" in name else re.sub("^w(?=[xyz][0-9]+$)", "", name)
        if other != name and other in places:
            found.add(places[other])
    return found


def joints_only(triples: dict[str, Triple], all_joints: bool) -> dict[str, Triple]:
    """Leaves out x, y and z that are the place of no joint.

    Args:
        triples: Columns by joint.
        all_joints: Whether to keep those, too, that are not among the joints of a schema whose joints are all there.
    """
    places = {name: triple for name, triple in triples.items() if NO_PLACE.isdisjoint(words_of(name))} or triples
    if all_joints or _schema_exists(places):
        return places
    besides = Counter(
        name[len(joint) :] for name in places for joint in places if name != joint and name.startswith(joint)
    )
    for beside, _ in besides.most_common(3):
        positions = {name: triple for name, triple in places.items() if name + beside in places}
        if _schema_exists(positions):
            return positions
    for schema in sorted(skeletons.SCHEMAS.values(), key=lambda schema: -len(schema.joints)):
        found = [skeletons.joint_of_name(schema, _PREFIX.sub("", name)) for name in places]
        if all(found.count(joint) == 1 for joint in range(len(schema.joints))):
            return {name: places[name] for name, joint in zip(places, found, strict=True) if joint is not None}
    return places


def by_body(names: Sequence[str]) -> dict[str, list[int]]:
    """Tells apart the bodies that a table has beside each other, such as `0_Head` and `1_Head`.

    Returns:
        For each body the places of its joints among the names; nothing where joints are of one body.
    """
    found = [_OF_BODY.fullmatch(name) for name in names]
    bodies: dict[str, list[int]] = {}
    for place, match in enumerate(found):
        if match:
            bodies.setdefault(match["body"], []).append(place)
    joints = {tuple(sorted(match["joint"] for i in places if (match := found[i]))) for places in bodies.values()}
    return bodies if len(bodies) > 1 and len(joints) == 1 and None not in found else {}


def joint_numbers(joints: Iterable[str]) -> dict[str, int] | None:
    """The joints' numbers, where each is one word and a number; None where they have names.

    Raises:
        ValueError: Numbers with a gap.
    """
    found = {joint: _NUMBERED.fullmatch(joint) for joint in joints}
    words = {match["word"].lower() if match else None for match in found.values()}
    if None in words or len(words) != 1:
        return None
    numbers = {joint: int(match["number"]) for joint, match in found.items() if match}
    if sorted(numbers.values()) not in (list(range(len(found))), list(range(1, len(found) + 1))):
        found_numbers = ", ".join(map(str, sorted(numbers.values())))
        raise ValueError(f"expected joints that are numbered from 0 or 1 without a gap, found {found_numbers}.")
    return numbers


def numbered_columns(columns: Sequence[str], besides: Iterable[int | None]) -> dict[str, Triple]:
    """The joints of a table whose columns are numbered.

    Raises:
        ValueError: They are not.
    """
    beside = set(besides)
    indices = [index for index in range(len(columns)) if index not in beside]
    numbered = [columns[index] for index in indices] == [str(number) for number in range(len(indices))]
    if not indices or len(indices) % 3 or not numbered:
        raise ValueError(
            "expected columns of x, y and z of each joint, such as Head_x, Head_y and Head_z, or the columns "
            f"frame, joint, x, y, z, found {listed(columns)}."
        )
    return {
        f"{start // 3}": (indices[start], indices[start + 1], indices[start + 2]) for start in range(0, len(indices), 3)
    }


def _schema_exists(names: Iterable[str]) -> bool:
    try:
        skeletons.schema_of_names(list(names))
    except ValueError:
        return False
    return True
