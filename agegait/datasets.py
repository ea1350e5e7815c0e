"""The data sets that runs know by name, read through TensorFlow Datasets."""

from dataclasses import dataclass
from os import PathLike
from typing import Any, NamedTuple

import numpy as np

from agegait import data


@dataclass(frozen=True)
class Splits:
    """The splits of a data set that a run uses.

    Attributes:
        train: Walks to train on.
        validation: Walks held out of training to choose by.
        tests: Walks to be looked at once, at the end.
        licence: On what terms the data may be used; goes with models trained on them.
    """

    train: str
    validation: str
    tests: tuple[str, ...]
    licence: str


SPLITS = {
    "kgbd": Splits(
        "train",
        "validation",
        ("test",),
        "as is, without warranty; cite Andersson and Araujo, AAAI 2015, and link their repository",
    ),
    "walkers": Splits("train", "validation", ("test", "test_b"), "MIT; generated, of nobody"),
}
"""The splits of each data set, by its TFDS name."""


class Windows(NamedTuple):
    """The windows of some walks, one after another.

    Attributes:
        skeletons: `[M, f, J, 3]` metres.
        persons: `[M]` labels.
        walks: `[M]` name of the walk that each window is from.
    """

    skeletons: np.ndarray
    persons: np.ndarray
    walks: np.ndarray


def find(name: str) -> str:
    """The TFDS name of a data set: the published names, BIWI, IAS and KGBD, are taken too.

    Raises:
        ValueError: No such data set.
    """
    if name.lower() not in SPLITS:
        raise ValueError(f"dataset: expected one of {', '.join(SPLITS)}, received {name!r}.")
    return name.lower()


def builder(name: str, data_dir: str | PathLike | None = None, manual_dir: str | PathLike | None = None) -> Any:
    """The prepared TFDS builder of a data set: built, or downloaded and built, where it is not there yet.

    Args:
        name: A name that `find` knows.
        data_dir: Where prepared data sets are kept; TFDS's own place where absent.
        manual_dir: Where a data set that was fetched by hand lies.

    Returns:
        A `tfds.core.DatasetBuilder`.

    Raises:
        ValueError: No such data set, files that are not what they should be, or a download that failed.
    """
    # A second of import that a run's models do not need.
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

    import tfds_builders  # noqa: F401 (registers the builders)

    built = tfds.builder(find(name), data_dir=None if data_dir is None else str(data_dir))
    config = tfds.download.DownloadConfig(manual_dir=None if manual_dir is None else str(manual_dir))
    try:
        built.download_and_prepare(download_config=config)
    except (OSError, tfds.download.DownloadError, NonMatchingChecksumError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ValueError(f"{built.name}: could not be fetched or prepared: {reason}") from error
    return built


def windows(built: Any, split: str, normalization: Any, frames: int, stride: int) -> Windows:
    """The normalized windows of a split's walks, prepared as the papers do, held in memory.

    Args:
        built: A prepared builder.
        split: Name of a TFDS split.
        normalization: A `SkeletonNormalization`.
        frames: Frames f of a window.
        stride: Frames from a window to the next.

    Raises:
        ValueError: No window at all: the walks are too short.
    """
    walks = data.PREPARATIONS[built.name](built.as_dataset(split=split))
    batches = [
        (batch["skeleton"], batch["person"], batch["walk"])
        for batch in data.windows(walks, frames, stride).batch(4096).as_numpy_iterator()
    ]
    if not batches:
        raise ValueError(f"{built.name}, split {split}: expected walks of at least {frames} frames, found none.")
    skeletons, persons, names = (np.concatenate(column) for column in zip(*batches, strict=True))
    return Windows(np.asarray(normalization(skeletons)), persons, names.astype(str))
