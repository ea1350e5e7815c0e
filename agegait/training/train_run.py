"""Training a run, stage by stage."""

import dataclasses
import shutil
from os import PathLike
from pathlib import Path
from typing import Any

import keras
import numpy as np

from agegait.datasets import DataSet, Windows
from agegait.storage.private_files import private_files, private_folder
from agegait.training.environment import this_machine, versions
from agegait.training.run import Run, load_run
from agegait.training.run_record import Normalization, RunData, RunRecord, Split
from agegait.training.settings import Settings
from agegait.training.stages import calibrate_embedder, train_embedder, train_encoder, train_recognizer


@private_files()
def train(
    settings: Settings,
    out: str | PathLike,
    data_dir: str | PathLike | None = None,
    manual_dir: str | PathLike | None = None,
    check_limbs: bool = True,
    tensorboard: bool = False,
) -> Run:
    """Trains an encoder, a recognizer and what else the recipe has, or resumes a training that was stopped.

    An embedder is calibrated on people who were left out to choose by, see `calibrate_embedder`.

    The recognizer is that of the epoch with the best accuracy over the validation walks, which are neither training
    walks nor test walks of this run. The encoder is that of the last epoch. With `early_stopping` it is that of the
    epoch with the least validation loss.

    Args:
        settings: What to do.
        out: The run's folder; made where it is not there.
        data_dir: Where prepared data sets are kept; TFDS's own place where absent.
        manual_dir: Where a data set that was fetched by hand lies.
        check_limbs: Whether to refuse your own folder in which limbs are not as bodies have them.
        tensorboard: Whether to write losses for TensorBoard as well, into `tensorboard/` in the run's folder.

    Returns:
        The finished run.

    Raises:
        ValueError: The folder holds something else, or a run of other settings.
    """
    _check_folder(Path(out), settings)
    before = load_run(out) if (Path(out) / "run.json").exists() else None
    known, rate = (None, None) if before is None else (before.split, before.record.data.frame_rate)
    return train_on(settings.load(data_dir, manual_dir, check_limbs, known, rate), settings, out, tensorboard)


@private_files()
def train_on(dataset: DataSet, settings: Settings, out: str | PathLike, tensorboard: bool = False) -> Run:
    """Does what `train` does, on a data set that was loaded before."""
    run, training, validation = begin(dataset, settings, out)
    train_encoder(run, training, validation, _tensorboard(run, "encoder", tensorboard))
    train_recognizer(run, training, validation, _tensorboard(run, "recognizer", tensorboard))
    if settings.recipe.embedder_epochs is not None:
        train_embedder(run, dataset, _tensorboard(run, "embedder", tensorboard))
        calibrate_embedder(run, dataset)
    finish(run)
    return run


def begin(
    dataset: DataSet, settings: Settings, out: str | PathLike, windows: tuple[Windows, Windows] | None = None
) -> tuple[Run, Windows, Windows]:
    """A run of which nothing may be trained yet, and the windows to train it on and to choose by.

    Args:
        dataset: The data set.
        settings: What to do.
        out: The run's folder.
        windows: Those windows, where they are at hand.

    Raises:
        ValueError: The folder holds something else, or a run of other settings.
    """
    out = Path(out)
    _check_folder(out, settings)
    if windows is None:  # before anything is written
        normalization = settings.normalization()
        validation = dataset.windows("validation", normalization, settings.frames)
        windows = settings.training_windows(dataset, normalization), validation
    training, validation = windows
    run = _begin(out, settings, dataset)
    if run.record.trained:
        run.check_split(training)
    counts = {"train": len(training.walks), "validation": len(validation.walks)}
    run.record.data.split = Split(_names(training.walks), _names(validation.walks), counts)
    run.save_record()
    return run, training, validation


def finish(run: Run) -> None:
    """Leaves out of a run's folder what only a training under way needs."""
    shutil.rmtree(run.folder / "checkpoints", ignore_errors=True)


def _tensorboard(run: Run, name: str, wanted: bool) -> list[keras.callbacks.Callback]:
    return [keras.callbacks.TensorBoard(run.folder / "tensorboard" / name, write_graph=False)] if wanted else []


def differences(there: Settings, asked: Settings) -> list[str]:
    """The differences of a run's settings from the requested ones: a text each."""
    old, new = (_flat(dataclasses.asdict(found)) for found in (there, asked))
    return [f"{name} {old[name]!r}, not {new[name]!r}" for name in new if old[name] != new[name]]


def _flat(settings: dict[str, Any]) -> dict[str, Any]:
    recipe, walk_format = settings.pop("recipe"), settings.pop("walk_format")
    # Units of an encoder and units of files, by the names that their options have.
    return {"encoder_units": recipe.pop("units"), **recipe, **walk_format, **settings}


def _check_folder(out: Path, settings: Settings) -> None:
    there = RunRecord.find(out)
    if there and (other := differences(there.settings, settings)):
        raise ValueError(f"{out}: holds a run of other settings: {'; '.join(other)}.")


def _begin(out: Path, settings: Settings, dataset: DataSet) -> Run:
    private_folder(out)
    if (out / "run.json").exists():
        return load_run(out)
    data = RunData(
        dataset.name,
        dataset.version,
        dataset.persons,
        dataset.licence,
        dataclasses.asdict(dataset.preparation),
        dataset.held_out,
        [list(note) for note in dataset.notes],
        dataset.bodies,
        frame_rate=dataset.frame_rate,
    )
    normalization = settings.normalization()
    record = RunRecord(
        settings,
        data,
        Normalization(normalization.center, normalization.unit),
        versions(),
        this_machine(),
        {},
    )
    record.write(out)
    return load_run(out)


def _names(walks: np.ndarray) -> list[str]:
    return list(dict.fromkeys(walks.tolist()))
