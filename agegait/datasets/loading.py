"""The data sets that runs know: those of TensorFlow Datasets by name, and a folder of your own."""

import contextlib
import inspect
import os
import re
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from agegait import data
from agegait.data import Preparation, WalkFormat
from agegait.datasets.data_set import DataSet
from agegait.datasets.splits import HELD_OUT, SPLITS
from agegait.recordings.recording import listed
from agegait.storage.disk_full import naming_full_disk
from agegait.storage.private_files import private_files


def whole_name(name: str | PathLike) -> str:
    """The TFDS name of a data set (the published names, BIWI, IAS and KGBD, are taken too), or else the absolute path
    of a folder or file, whether it is there or not."""
    name = os.fspath(name)
    return name.lower() if name.lower() in SPLITS else os.path.abspath(name)


def find(name: str | PathLike) -> str:
    """As `whole_name`, of a folder or file that is there.

    Raises:
        ValueError: Neither a data set nor a folder.
    """
    found = whole_name(name)
    if found in SPLITS or Path(found).exists():
        return found
    raise ValueError(
        f"dataset: expected one of {', '.join(SPLITS)}, or a folder of walks, received {os.fspath(name)!r}."
    )


def load(
    name: str | PathLike,
    data_dir: str | PathLike | None = None,
    manual_dir: str | PathLike | None = None,
    walk_format: WalkFormat | None = None,
    check_limbs: bool = True,
    known: Mapping[str, str] | None = None,
    frame_rate: float | None = None,
) -> DataSet:
    """A data set by name, built where TFDS has not built it yet, or your own folder.

    Args:
        name: A name that `find` knows.
        data_dir: Where prepared data sets are kept; TFDS's own place where absent.
        manual_dir: Where a data set that was fetched by hand lies.
        walk_format: How the files of a folder are to be understood; the data sets know it themselves.
        check_limbs: Whether to refuse a folder in which limbs are not as bodies have them.
        known: An earlier split of a folder, by walk, which is kept, see `agegait.data.WalkFolder`.
        frame_rate: Hz to which a folder's walks of other rates are brought, see there too.

    Raises:
        ValueError: No such data set, files that are not what they should be, or a download that failed.
    """
    name = find(name)
    if name not in SPLITS:
        folder = data.WalkFolder(name, walk_format, known=known, frame_rate=frame_rate)
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
        frame_rate=splits.frame_rate,
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
    finally:
        with contextlib.suppress(OSError):  # what TFDS leaves of a failure is an empty folder
            Path(built.data_dir).parent.rmdir()
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
    units, ups = (", ".join(names) for names in (folder.units, folder.ups))
    notes = [("joints", folder.schema.title + found), ("units", units), ("up", ups), ("split", drawn)]
    if how.resample:
        notes.append(("frame rate", f"brought to {how.resample:g} Hz"))
    elif folder.frame_rate:
        notes.append(("frame rate", f"{folder.frame_rate:.4g} Hz"))
    else:
        notes.append(("frame rate", "not known: --frame-rate says it"))
    if folder.schema.missing:
        notes.append(("placed", f"{', '.join(folder.schema.missing)}: not among those joints"))
    if folder.left_alone:
        notes.append(("left alone", listed([str(path.relative_to(folder.path)) for path in folder.left_alone])))
    return DataSet(
        name=str(folder.path),
        version=None,
        persons=list(folder.persons),
        tests=tuple(split for split in folder.splits if split not in ("train", "validation")),
        licence="not stated: your own folder",
        preparation=Preparation(),
        read=folder.dataset,
        held_out=0.0 if "validation" in folder.splits else HELD_OUT,
        notes=(*notes, *(("note", warning) for warning in folder.warnings)),
        bodies=not folder.faults,
        frame_rate=folder.frame_rate,
    )
