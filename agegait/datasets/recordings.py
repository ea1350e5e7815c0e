"""Recordings of one person, to look at before anyone collects more."""

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from agegait import skeletons
from agegait.data import Preparation, WalkFormat, load_walk
from agegait.data.folder.layout import find_walks_of_one
from agegait.datasets.data_set import DataSet
from agegait.datasets.splits import HELD_OUT


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
    layout = find_walks_of_one(path)
    if layout is None:
        return None
    walks = [load_walk(found.path, walk_format) for found in layout.walks]
    joints = len(skeletons.JOINTS)

    def examples() -> Any:
        for found, walk in zip(layout.walks, walks, strict=True):
            yield {
                "skeleton": walk.skeleton,
                "tracked": walk.tracked,
                "person": np.int64(0),
                "walk": found.name.encode(),
            }

    signature = {
        "skeleton": tf.TensorSpec((None, joints, 3), tf.float32),
        "tracked": tf.TensorSpec((None, joints), tf.bool),
        "person": tf.TensorSpec((), tf.int64),
        "walk": tf.TensorSpec((), tf.string),
    }
    titles = dict.fromkeys(skeletons.schema(walk.schema).title for walk in walks)
    remarks = (*layout.remarks, "recordings of one person: training takes two people or more")
    return DataSet(
        name=str(path),
        version=None,
        persons=list(layout.persons),
        tests=(),
        licence="not stated: your own recordings",
        preparation=Preparation(),
        read=lambda part: tf.data.Dataset.from_generator(examples, output_signature=signature),
        held_out=HELD_OUT,
        notes=(("joints", ", ".join(titles)), *(("note", remark) for remark in remarks)),
    )
