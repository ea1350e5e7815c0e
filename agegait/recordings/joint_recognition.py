"""Which schema the joints of recordings are of."""

from collections.abc import Sequence

from agegait import skeletons
from agegait.recordings.body_checks import depth_fault, limb_faults, neck_fault
from agegait.recordings.joint_map import mapped_places
from agegait.recordings.recording import Recording, listed
from agegait.recordings.walk_format import WalkFormat
from agegait.skeletons import JOINTS, Schema
from agegait.skeletons.parts import part_of_schema, schema_of_sources

_OWN_MAP = '; joint_map={"HipCenter": "your joint", ...} says which joint is which'

MAPPED = "joint_map"
"""Name of the schema of a user's own map."""


def schema_title(name: str) -> str:
    """What people call the schema of a walk."""
    return "your own map" if name == MAPPED else skeletons.schema(name).title


def recognize_joints(recordings: Sequence[Recording], walk_format: WalkFormat) -> Schema:
    """Finds the schema of recordings that are all of the same joints.

    The user's own map; else the schema with the given name; else the one of the joints' names; else the one that has as
    many joints; else, of several, the one with which limbs are as bodies have them. Where some of its joints are not
    there, it is without them.

    Args:
        recordings: At least one.
        walk_format: `joints` is the requested schema, `joint_map` the user's own.

    Raises:
        ValueError: No schema fits, or more than one.
    """
    if walk_format.joint_map is not None:
        return _mapped(walk_format)
    asked = None if walk_format.joints == "auto" else skeletons.schema(walk_format.joints)
    named = next((recording for recording in recordings if recording.names is not None), None)
    if named is not None and asked is None:
        return _reduced(named, _of_names(named)[0], walk_format)
    if asked is not None:
        if named is not None and len(named.names or ()) != len(asked.joints):
            found = _of_names(named)[0]
            return _reduced(named, found, walk_format) if found.name == asked.name else asked
        return asked
    source, joints = recordings[0].source, recordings[0].coordinates.shape[1]
    schemas = skeletons.schemas_of(joints)
    if not schemas:
        known = ", ".join(f"{len(schema.joints)} ({name})" for name, schema in skeletons.SCHEMAS.items())
        raise ValueError(
            f"{source}: expected the joints of a schema that is known, {known}, found {joints} joints{_OWN_MAP}."
        )
    if len(schemas) == 1:
        return schemas[0]
    faults = {schema.name: _faults(recordings, schema) for schema in schemas}
    fitting = [schema for schema in schemas if not faults[schema.name]]
    if len(fitting) != 1:
        if flat := next(filter(None, map(depth_fault, recordings)), None):
            raise ValueError(f"{source}: {flat}.")
        why = "; ".join(
            f"{name}: {found[0] if found else 'limbs as bodies have them'}" for name, found in faults.items()
        )
        verdict = "of which the limbs fit both" if fitting else "but neither of them by the limbs"
        raise ValueError(
            f"{source}: {joints} joints without names may be of {' or '.join(faults)}, {verdict} ({why}). "
            f"Say which with joints={next(iter(faults))}, or which joint is which with joint_map."
        )
    return fitting[0]


def in_schema_order(recording: Recording, schema: Schema, walk_format: WalkFormat | None = None) -> list[int]:
    """The indices that put a recording's joints into a schema's order.

    Names in a file are overruled by a schema that was asked for, if limbs are as bodies have them in the schema's own
    order: who says the schema of files whose names are right gets these in the order of the names.

    Raises:
        ValueError: They are of another schema, or another number.
    """
    source, joints = recording.source, recording.coordinates.shape[1]
    if schema.name == MAPPED and walk_format is not None:
        try:
            places = mapped_places(walk_format.joint_map or {}, recording.names, joints)
        except ValueError as error:
            raise ValueError(f"{source}: {error}") from None
        return [place for joint in JOINTS for place in places.get(joint, [])]
    asked = walk_format is not None and walk_format.joints != "auto"
    as_they_are = list(range(joints))
    if recording.names is None:
        if joints != len(schema.joints):
            raise ValueError(
                f"{source}: expected the {len(schema.joints)} joints of {schema.name}, found {joints} joints."
            )
        return as_they_are
    overruled = asked and joints == len(schema.joints)
    try:
        found, order = _of_names(recording)
    except ValueError:
        if overruled:
            return as_they_are
        raise
    if found.name != schema.name:
        if overruled:
            return as_they_are
        raise ValueError(f"{source}: expected the joints of {schema.name}, found those of {found.name} by their names.")
    if len(order) != len(schema.joints) or set(found.joints) != set(schema.joints):
        return _in_reduced_order(recording, schema, found, order)
    if overruled and order != as_they_are and not _order_faults(recording, schema):
        return as_they_are
    return order


def names_remark(recording: Recording, order: Sequence[int], walk_format: WalkFormat) -> str:
    """A remark where joints are read in another order than their names say, or are of no schema."""
    if recording.names is None or walk_format.joint_map is not None:
        return ""
    if walk_format.joints == "auto":
        others = [name for index, name in enumerate(recording.names) if index not in order]
        used = len(order) < len(recording.names)
        return f"joints of no use here: {listed(others)}" if used else ""
    try:
        _, named = _of_names(recording)
    except ValueError:
        return f"names of joints overruled, as joints={walk_format.joints} says: {listed(recording.names)}"
    return "" if list(order) == named else f"names of joints overruled, as joints={walk_format.joints} says"


def _of_names(recording: Recording) -> tuple[Schema, list[int]]:
    try:
        return skeletons.schema_of_names(recording.names or ())
    except ValueError as error:
        try:
            return part_of_schema(recording.names or ())
        except ValueError:
            raise ValueError(f"{recording.source}: {str(error).removesuffix('.')}{_OWN_MAP}.") from None


def _mapped(walk_format: WalkFormat) -> Schema:
    """The schema of a user's own map."""
    sources: dict[str, tuple[str, ...]] = {}
    for joint, value in (walk_format.joint_map or {}).items():
        count = len(value) if isinstance(value, list) else 1
        sources[joint] = tuple(f"{joint} {number}" for number in range(count)) if count > 1 else (joint,)
    try:
        return schema_of_sources(MAPPED, "your own map", sources)
    except ValueError as error:
        raise ValueError(f"joint_map: {error}") from None


def _reduced(recording: Recording, found: Schema, walk_format: WalkFormat) -> Schema:
    """A schema without the joints that a recording has not."""
    whole = skeletons.schema(found.name)
    if walk_format.missing == "refuse" and len(found.missing) > len(whole.missing):
        lacking = [joint for joint in whole.joints if joint not in found.joints]
        needed = [name for name in lacking if any(name in names for names in whole.sources)]
        raise ValueError(
            f"{recording.source}: expected the joints of {whole.title}, found it without {_words(needed)}; "
            'missing="interpolate" would place them among the joints that are there.'
        )
    return found


def _in_reduced_order(recording: Recording, schema: Schema, found: Schema, order: Sequence[int]) -> list[int]:
    places = dict(zip(found.joints, order, strict=True))
    if lacking := [joint for joint in schema.joints if joint not in places]:
        raise ValueError(
            f"{recording.source}: expected the same joints as in the other files, found none named {_words(lacking)}."
        )
    return [places[joint] for joint in schema.joints]


def _order_faults(recording: Recording, schema: Schema) -> list[str]:
    """What the limbs have against a recording's joints being in a schema's own order."""
    neck = neck_fault(recording.coordinates, schema)
    return [neck] if neck else limb_faults([schema.to_canonical(recording.coordinates, missing="interpolate")])


def _faults(recordings: Sequence[Recording], schema: Schema) -> list[str]:
    """What the limbs have against the joints being of a schema, whatever the units and the axes."""
    return limb_faults(
        [
            schema.to_canonical(recording.coordinates, missing="interpolate")
            for recording in recordings
            if recording.coordinates.shape[1] == len(schema.joints)
        ]
    )


def _words(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
