"""Schemas of which joints are not there, and those of users' own joints."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

from agegait.skeletons.schemas import JOINTS, SCHEMAS, Schema, places_of, spelled_names

_PLACED: dict[str, tuple[str, ...]] = {
    **{f"Hand{side}": (f"Wrist{side}",) for side in ("Left", "Right")},
    **{f"Foot{side}": (f"Ankle{side}",) for side in ("Left", "Right")},
    "HipCenter": ("HipLeft", "HipRight"),
    "ShoulderCenter": ("ShoulderLeft", "ShoulderRight"),
    "Spine": ("HipCenter", "ShoulderCenter"),
}
"""Among which others a canonical joint is placed, where a body is recorded without it."""


def schema_of_sources(name: str, title: str, sources: Mapping[str, tuple[str, ...]]) -> Schema:
    """A schema by which joints the canonical ones are.

    Args:
        name: Of the schema.
        title: What people call it.
        sources: For each canonical joint those whose middle it is. Hands, feet, the hips' and the shoulders' middle and
            the spine may be without any: they are placed among the others, and `missing`.

    Raises:
        ValueError: Others are without.
    """
    if lacking := [joint for joint in JOINTS if joint not in sources and joint not in _PLACED]:
        raise ValueError(f"expected {', '.join(lacking)} too, which cannot be placed among other joints.")

    def placed(joint: str) -> tuple[str, ...]:
        if joint in sources:
            return sources[joint]
        parts = [placed(other) for other in _PLACED[joint]]
        evenly = math.lcm(*map(len, parts))
        return tuple(one for part in parts for one in part * (evenly // len(part)))

    return Schema(
        name,
        title,
        tuple(dict.fromkeys(one for joint in JOINTS for one in sources.get(joint, ()))),
        tuple(placed(joint) for joint in JOINTS),
        tuple(joint for joint in JOINTS if joint not in sources),
    )


def part_of_schema(names: Sequence[str]) -> tuple[Schema, list[int]]:
    """Finds the schema that joints are of by their names, where some of its joints are not there, or others are too.

    Args:
        names: A name for each joint.

    Returns:
        The schema without the joints that are not there, which has the `missing` that are placed among the others; and
        the indices that put joints so named into its order. Other joints are in none of its places.

    Raises:
        ValueError: No schema has these joints, or not enough of them to make up a body.
    """
    spelled = spelled_names(names)
    best: tuple[int, Schema, list[int]] | None = None
    for known in SCHEMAS.values():
        places = places_of(known)
        found = [places.get(name) for name in spelled]
        there = {known.joints[place] for place in found if place is not None}
        strange = found.count(None)
        lacking = len(known.joints) - len(there)
        if len(there) + strange < len(names) or (lacking and strange):
            continue
        try:
            part = _without(known, there)
        except ValueError:
            continue
        order = [found.index(known.joints.index(joint)) for joint in part.joints]
        if best is None or lacking + strange < best[0]:
            best = lacking + strange, part, order
    if best is None:
        raise ValueError(f"names: expected joints of one of {', '.join(SCHEMAS)}, enough to make up a body.")
    return best[1], best[2]


def _without(known: Schema, there: set[str]) -> Schema:
    """A schema of the joints that are there."""
    if len(there) == len(known.joints):
        return known
    sources = {
        joint: names for joint, names in zip(JOINTS, known.sources, strict=True) if all(name in there for name in names)
    }
    part = schema_of_sources(known.name, known.title, sources)
    placed = tuple(joint for joint in JOINTS if joint in part.missing or joint in known.missing)
    joints = tuple(joint for joint in known.joints if joint in there)
    return dataclasses.replace(part, joints=joints, missing=placed)
