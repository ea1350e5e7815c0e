"""Recordings of one person, to look at before anyone collects more."""

import os
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from agegait import skeletons
from agegait.data import Preparation, WalkFormat
from agegait.data.folder.inputs import read_inputs
from agegait.data.folder.layout import find_walks_of_one
from agegait.datasets.data_set import DataSet
from agegait.datasets.splits import HELD_OUT, SPLITS
from agegait.recordings.joint_recognition import schema_title
from agegait.recordings.resampling import rates_in_words


def load_recordings(path: str | PathLike, walk_format: WalkFormat | None = None) -> DataSet | None:
    """Recordings of one person as a data set that can be inspected. It can't be trained on: that takes two people.

    Args:
        path: A file, a folder of frames, a person's folder, or one with just that in it.
        walk_format: What the files hold where they do not say it themselves.

    Returns:
        None where the path is nothing of the kind.

    Raises:
        ValueError: A file that is not a walk.
    """
    import tensorflow as tf

    path = Path(path).absolute() if Path(path).is_dir() else Path(path)
    if path.is_dir() and find_walks_of_one(path) is None:
        return None
    if not path.exists() or os.fspath(path).lower() in SPLITS:
        return None
    found = read_inputs([path], walk_format)
    persons = list(dict.fromkeys(walk.person for walk in found.walks))
    if len(persons) > 1 and all(walk.alone for walk in found.walks):
        return None  # a file of everybody
    joints = len(skeletons.JOINTS)

    def examples() -> Any:
        for own in found.walks:
            yield {
                "skeleton": own.walk.skeleton,
                "tracked": own.walk.tracked,
                "person": np.int64(persons.index(own.person)),
                "walk": f"{own.person}/{own.name}".encode(),
            }

    signature = {
        "skeleton": tf.TensorSpec((None, joints, 3), tf.float32),
        "tracked": tf.TensorSpec((None, joints), tf.bool),
        "person": tf.TensorSpec((), tf.int64),
        "walk": tf.TensorSpec((), tf.string),
    }
    remarks = dict.fromkeys(remark for own in found.walks for remark in own.walk.remarks)
    if len(persons) == 1:
        remarks["recordings of one person: training takes two people or more"] = None
    left_out = (f"left out, as no walk: {fault}" for fault in found.left_out)
    walks = [own.walk for own in found.walks]
    return DataSet(
        name=str(path),
        version=None,
        persons=persons,
        tests=(),
        licence="not stated: your own recordings",
        preparation=Preparation(),
        read=lambda part: tf.data.Dataset.from_generator(examples, output_signature=signature),
        held_out=HELD_OUT,
        notes=(
            ("joints", ", ".join(dict.fromkeys(schema_title(walk.schema) for walk in walks))),
            ("units", ", ".join(dict.fromkeys(walk.units for walk in walks))),
            ("up", ", ".join(dict.fromkeys(walk.up for walk in walks))),
            ("frame rate", rates_in_words([walk.frame_rate for walk in walks], " Hz")),
            *(("note", remark) for remark in (*left_out, *found.remarks, *remarks)),
        ),
        frame_rate=next((walk.frame_rate for walk in walks if walk.frame_rate), None),
    )
