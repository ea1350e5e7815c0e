"""Which schema the joints of recordings are of."""

from collections.abc import Sequence

import numpy as np

from agegait import skeletons
from agegait.recordings.recording import Recording
from agegait.recordings.walk_format import WalkFormat
from agegait.skeletons import Schema, limbs

_BODY = 1.7
"""Metres between a body's farthest joints, to which recordings are scaled: their units are another question."""


def recognize_joints(recordings: Sequence[Recording], walk_format: WalkFormat) -> Schema:
    """Finds the schema of recordings that are all of the same joints.

    The one with the given name; else the one of the joints' names; else the one that has as many joints; else, of
    several, the one with which limbs are as bodies have them.

    Args:
        recordings: At least one.
        walk_format: `joints` is the requested schema.

    Raises:
        ValueError: No schema fits, or more than one.
    """
    if walk_format.joints != "auto":
        return skeletons.schema(walk_format.joints)
    for recording in recordings:
        if recording.names is not None:
            return _of_names(recording)[0]
    source, joints = recordings[0].source, recordings[0].coordinates.shape[1]
    schemas = skeletons.schemas_of(joints)
    if not schemas:
        known = ", ".join(f"{len(schema.joints)} ({name})" for name, schema in skeletons.SCHEMAS.items())
        raise ValueError(f"{source}: expected the joints of a schema that is known, {known}, found {joints} joints.")
    if len(schemas) == 1:
        return schemas[0]
    faults = {schema.name: _faults(recordings, schema) for schema in schemas}
    fitting = [schema for schema in schemas if not faults[schema.name]]
    if len(fitting) != 1:
        why = "; ".join(
            f"{name}: {found[0] if found else 'limbs as bodies have them'}" for name, found in faults.items()
        )
        raise ValueError(
            f"{source}: {joints} joints without names are of {' or '.join(faults)}, which the limbs' lengths do not "
            f"tell ({why}). Say which with joints."
        )
    return fitting[0]


def in_schema_order(recording: Recording, schema: Schema) -> list[int]:
    """The indices that put a recording's joints into a schema's order.

    Raises:
        ValueError: They are of another schema, or another number.
    """
    source, joints = recording.source, recording.coordinates.shape[1]
    if recording.names is not None:
        found, order = _of_names(recording)
        if found.name != schema.name:
            raise ValueError(
                f"{source}: expected the joints of {schema.name}, found those of {found.name} by their names."
            )
        return order
    if joints != len(schema.joints):
        raise ValueError(f"{source}: expected the {len(schema.joints)} joints of {schema.name}, found {joints} joints.")
    return list(range(joints))


def _of_names(recording: Recording) -> tuple[Schema, list[int]]:
    try:
        return skeletons.schema_of_names(recording.names or ())
    except ValueError as error:
        raise ValueError(f"{recording.source}: {error}") from None


def _faults(recordings: Sequence[Recording], schema: Schema) -> list[str]:
    """What the limbs have against the joints being of a schema, whatever the units."""
    walks = [
        {"skeleton": schema.to_canonical(recording.coordinates, missing="interpolate")}
        for recording in recordings
        if recording.coordinates.shape[1] == len(schema.joints)
    ]
    body = np.nanmax(limbs.summarize(walks).distances, initial=0)
    if body > 0:
        walks = [{"skeleton": walk["skeleton"] * (_BODY / body)} for walk in walks]
    return limbs.faults(limbs.summarize(walks))
