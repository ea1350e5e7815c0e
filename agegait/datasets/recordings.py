"""Recordings of one person, to look at before anyone collects more."""

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from agegait import skeletons
from agegait.data import Preparation, WalkFormat, load_walk
from agegait.data.folder.walk_files import READERS
from agegait.datasets.loading import HELD_OUT, DataSet


def recordings_of_one(path: str | PathLike) -> list[Path]:
    """The recordings of a single person: a file, or the files of a folder or of its only subfolder that has any.

    A folder of several people, and whatever else is no such place, has none.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir():
        return []
    entries = sorted(path.iterdir())
    inner = [found for entry in entries if entry.is_dir() and (found := _files(sorted(entry.iterdir())))]
    here = _files(entries)
    return here if not inner else inner[0] if len(inner) == 1 and not here else []


def load_recordings(paths: list[Path], walk_format: WalkFormat | None = None) -> DataSet:
    """Recordings of one person as a data set that can be inspected. It can't be trained on: that takes two people.

    Raises:
        ValueError: A file that is not a walk.
    """
    import tensorflow as tf

    walks = [load_walk(path, walk_format) for path in paths]
    joints = len(skeletons.JOINTS)

    def examples() -> Any:
        for path, walk in zip(paths, walks, strict=True):
            yield {
                "skeleton": walk.skeleton,
                "tracked": walk.tracked,
                "person": np.int64(0),
                "walk": path.stem.encode(),
            }

    signature = {
        "skeleton": tf.TensorSpec((None, joints, 3), tf.float32),
        "tracked": tf.TensorSpec((None, joints), tf.bool),
        "person": tf.TensorSpec((), tf.int64),
        "walk": tf.TensorSpec((), tf.string),
    }
    titles = dict.fromkeys(skeletons.schema(walk.schema).title for walk in walks)
    return DataSet(
        name=str(paths[0] if len(paths) == 1 else paths[0].parent),
        version=None,
        persons=[paths[0].absolute().parent.name],
        tests=(),
        licence="not stated: your own recordings",
        preparation=Preparation(),
        read=lambda part: tf.data.Dataset.from_generator(examples, output_signature=signature),
        held_out=HELD_OUT,
        notes=(("joints", ", ".join(titles)), ("note", "recordings of one person: training takes two people or more")),
    )


def _files(entries: list[Path]) -> list[Path]:
    return [entry for entry in entries if entry.is_file() and entry.suffix.lower() in READERS]
