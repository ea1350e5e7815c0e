"""The data sets that runs know: those of TensorFlow Datasets by name, and a folder of one's own."""

import inspect
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from agegait import data
from agegait.data import Preparation, WalkFormat
from agegait.data.files.recording import listed
from agegait.skeletons import mirrored
from agegait.storage.disk_full import naming_full_disk
from agegait.storage.private_files import private_files

HELD_OUT = 0.2
"""Share of each training walk, its end, that validates where a data set has no walks to spare for that."""


@dataclass(frozen=True)
class Splits:
    """The splits of a TFDS data set that a run uses.

    Attributes:
        tests: Walks to be looked at once, at the end.
        licence: On what terms the data may be used; goes with models trained on them.
        validation: Walks held out of training to choose by; None to hold out the end of each training walk.
    """

    tests: tuple[str, ...]
    licence: str
    validation: str | None = None


SPLITS = {
    "biwi": Splits(("still", "walking"), "CC BY-NC-SA 3.0; cite Munaro et al., 2014"),
    "ias": Splits(
        ("test_a", "test_b"),
        "given by its authors for research, ask them for anything else; cite Munaro et al., ICRA 2014",
    ),
    "kgbd": Splits(
        ("test",),
        "as is, without warranty; cite Andersson and Araujo, AAAI 2015, and link their repository",
        validation="validation",
    ),
    "walkers": Splits(("test", "test_b"), "MIT; generated, of nobody", validation="validation"),
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

    def with_mirrored(self) -> "Windows":
        """These and then their mirror images, of the same people and walks."""
        return self.and_then(self._replace(skeletons=mirrored(self.skeletons)))

    def and_then(self, others: "Windows") -> "Windows":
        """These and then others."""
        return Windows(*(np.concatenate(columns) for columns in zip(self, others, strict=True)))


@dataclass(frozen=True)
class DataSet:
    """The walks of a data set in the parts that a run uses: `"train"`, `"validation"` and the tests.

    Attributes:
        name: Its TFDS name, or the folder.
        version: Its TFDS version; None for a folder.
        persons: Names of the people, in the order of the labels.
        tests: Names of the test parts.
        licence: On what terms the data may be used.
        preparation: What is done to walks before they are cut into windows.
        read: Gives the walks of a part as they were recorded, as a `tf.data.Dataset`.
        held_out: Share of each training walk, its end, that is the validation part; 0 where that has walks of its own.
        notes: What else there is to know of where the walks come from, each under a heading.
        bodies: Whether the walks show bodies as `agegait.skeletons.limbs` knows them: not so in a folder that has
            faults and was taken all the same.
    """

    name: str
    version: str | None
    persons: list[str]
    tests: tuple[str, ...]
    licence: str
    preparation: Preparation
    read: Callable[[str], Any]
    held_out: float = 0.0
    notes: tuple[tuple[str, str], ...] = ()
    bodies: bool = True

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that have walks of their own."""
        return ("train", *(() if self.held_out else ("validation",)), *self.tests)

    def walks(self, part: str) -> Any:
        """The prepared walks of a part."""
        if not self.held_out or part not in ("train", "validation"):
            return self.preparation(self.read(part))
        return data.hold_out(self.preparation(self.read("train")), self.held_out, end=part == "validation")

    def windows(self, part: str, normalization: Any, frames: int, stride: int | None = None) -> Windows:
        """The normalized windows of a part, held in memory.

        Args:
            part: `"train"`, `"validation"` or a test.
            normalization: A `SkeletonNormalization`.
            frames: Frames f of a window.
            stride: Frames from a window to the next; None cuts as the papers do.

        Raises:
            ValueError: No window at all: the walks are too short.
        """
        walks = self.walks(part)
        if stride is None:
            cut = self.preparation.cut(walks, frames, training=part == "train")
        else:
            cut = data.windows(walks, frames, stride)
        batches = [(batch["skeleton"], batch["person"], batch["walk"]) for batch in cut.batch(4096).as_numpy_iterator()]
        if not batches:
            raise ValueError(f"{self.name}, split {part}: expected walks of at least {frames} frames, found none.")
        skeletons, persons, names = (np.concatenate(column) for column in zip(*batches, strict=True))
        return Windows(np.asarray(normalization(skeletons)), persons, np.array([name.decode() for name in names]))


def find(name: str | PathLike) -> str:
    """The TFDS name of a data set (the published names, BIWI, IAS and KGBD, are taken too), or a folder's whole path.

    Raises:
        ValueError: Neither a data set nor a folder.
    """
    name = os.fspath(name)
    if name.lower() in SPLITS:
        return name.lower()
    if Path(name).is_dir():
        return str(Path(name).resolve())
    raise ValueError(f"dataset: expected one of {', '.join(SPLITS)}, or a folder of walks, received {name!r}.")


def load(
    name: str | PathLike,
    data_dir: str | PathLike | None = None,
    manual_dir: str | PathLike | None = None,
    walk_format: WalkFormat | None = None,
    check_limbs: bool = True,
    known: Mapping[str, str] | None = None,
) -> DataSet:
    """A data set by name, built where TFDS has not built it yet, or a folder of one's own.

    Args:
        name: A name that `find` knows.
        data_dir: Where prepared data sets are kept; TFDS's own place where absent.
        manual_dir: Where a data set that was fetched by hand lies.
        walk_format: How the files of a folder are to be understood; the data sets know it themselves.
        check_limbs: Whether to refuse a folder in which limbs are not as bodies have them.
        known: An earlier split of a folder, by walk, which is kept, see `agegait.data.WalkFolder`.

    Raises:
        ValueError: No such data set, files that are not what they should be, or a download that failed.
    """
    name = find(name)
    if name not in SPLITS:
        folder = data.WalkFolder(name, walk_format, known=known)
        if check_limbs:
            folder.check_limbs()
        return _of_folder(folder)
    if walk_format not in (None, WalkFormat()):
        raise ValueError(f"joints, units and the like: expected for a folder of walks, received for {name}.")
    built = builder(name, data_dir, manual_dir)
    splits = SPLITS[name]
    return DataSet(
        name=built.name,
        version=str(built.version),
        persons=list(built.info.features["person"].names),
        tests=splits.tests,
        licence=splits.licence,
        preparation=data.PREPARATIONS[name],
        read=lambda part: built.as_dataset(split=part),
        held_out=0.0 if splits.validation else HELD_OUT,
    )


def builder(name: str, data_dir: str | PathLike | None = None, manual_dir: str | PathLike | None = None) -> Any:
    """The prepared TFDS builder of a data set: built, or downloaded and built, where it is not there yet.

    Args:
        name: A name of `SPLITS`.
        data_dir: Where prepared data sets are kept; TFDS's own place where absent.
        manual_dir: Where a data set that was fetched by hand lies.

    Returns:
        A `tfds.core.DatasetBuilder`.

    Raises:
        ValueError: Files that are not what they should be, or a download that failed.
    """
    # A second of import that a run's models do not need.
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

    import tfds_builders  # noqa: F401 (registers the builders)

    built = tfds.builder(find(name), data_dir=None if data_dir is None else str(data_dir))
    config = tfds.download.DownloadConfig(
        manual_dir=None if manual_dir is None else str(manual_dir), try_download_gcs=False
    )
    try:
        with private_files(), naming_full_disk(built.data_dir):
            built.download_and_prepare(download_config=config)
    except (OSError, AssertionError, tfds.download.DownloadError, NonMatchingChecksumError) as error:
        raise ValueError(_not_prepared(built, error)) from error
    except ValueError as error:
        if isinstance(error.__cause__, AssertionError):  # TFDS's: nothing is in the manual directory
            raise ValueError(_not_prepared(built, error)) from error
        raise
    return built


def _not_prepared(built: Any, error: Exception) -> str:
    """Why a data set is not there, and how to get it: its builder's instructions, a line for each paragraph."""
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    reason = reason.partition(". Create it and ")[0]  # TFDS's announcement of the instructions
    lines = [f"{built.name}: could not be fetched or prepared: {reason}"]
    instructions = inspect.cleandoc(built.MANUAL_DOWNLOAD_INSTRUCTIONS or "").replace("<manual_dir>", "PATH")
    for paragraph in instructions.split("\n\n"):
        if "tfds.load(" in paragraph:  # how to say it to TFDS itself
            lines.append('Then say where it is: manual_dir="PATH".')
        elif paragraph:
            lines += re.sub(r"\n(?!\* )\s*", " ", paragraph).split("\n")
    return "\n".join(lines)


def _of_folder(folder: data.WalkFolder) -> DataSet:
    drawn = f"drawn with seed {folder.seed}" if folder.drawn else "the folder's own"
    if folder.known:
        drawn = "as recorded before; walks without a record are test walks"
    how = folder.walk_format
    found = " (found out: --joints says otherwise)" if how.joints == "auto" else ""
    notes = [("joints", folder.schema.title + found), ("units", how.units), ("split", drawn)]
    if how.resample:
        notes.append(("frame rate", f"brought to {how.resample:g} Hz"))
    if folder.schema.missing:
        notes.append(("placed", f"{', '.join(folder.schema.missing)}: not among those joints"))
    if folder.left_alone:
        notes.append(("left alone", listed([str(path.relative_to(folder.path)) for path in folder.left_alone])))
    return DataSet(
        name=str(folder.path),
        version=None,
        persons=list(folder.persons),
        tests=tuple(split for split in folder.splits if split not in ("train", "validation")),
        licence="not stated: a folder of one's own",
        preparation=Preparation(),
        read=folder.dataset,
        held_out=0.0 if "validation" in folder.splits else HELD_OUT,
        notes=(*notes, *(("note", warning) for warning in folder.warnings)),
        bodies=not folder.faults,
    )
