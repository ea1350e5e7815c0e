"""Recordings whose joints are of no schema, but of a rig or a set of markers that is known by its names."""

import dataclasses

import numpy as np

from agegait import skeletons
from agegait.recordings.formats.bvh_rigs import canonical_joints
from agegait.recordings.formats.marker_sets import placed_among
from agegait.recordings.recording import Recording
from agegait.recordings.walk_format import WalkFormat
from agegait.skeletons.parts import part_of_schema


def with_rig_joints(recording: Recording, walk_format: WalkFormat) -> Recording:
    """A recording in canonical joints, where its own are of no schema and the user has not said which they are."""
    names = recording.names
    if names is None or walk_format.joint_map is not None or walk_format.joints != "auto" or _of_schema(names):
        return recording
    rig = canonical_joints(names, [-1] * len(names), [[1.0, 1.0, 1.0]] * len(names))
    found = rig or placed_among(names)
    if found is None:
        return recording
    order = [joint for joint in skeletons.JOINTS if joint in found]
    left = [joint for joint in order if "Right" not in joint]
    used = [f"{joint} is {' and '.join(dict.fromkeys(names[index] for index in found[joint]))}" for joint in left]
    tracked = recording.tracked
    return dataclasses.replace(
        recording,
        coordinates=np.stack([recording.coordinates[:, found[joint]].mean(axis=1) for joint in order], axis=1),
        tracked=None
        if tracked is None
        else np.stack([tracked[:, found[joint]].all(axis=1) for joint in order], axis=1),
        names=tuple(order),
        remarks=(
            *recording.remarks,
            f"{'joints' if rig else 'joints placed among markers'}: {', '.join(used)}, and so on the right",
        ),
    )


def _of_schema(names: tuple[str, ...]) -> bool:
    for known in (skeletons.schema_of_names, part_of_schema):
        try:
            known(names)
        except ValueError:
            continue
        return True
    return False
