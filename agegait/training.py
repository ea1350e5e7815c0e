"""Training a run: the encoder without labels, the recognizer on its AGEs, and what else the recipe has.

That is a second recognizer, of windows themselves.
"""

import contextlib
import csv
import dataclasses
import functools
import json
import math
import os
import platform
import shutil
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

import keras
import numpy as np

from agegait import data, optimizers
from agegait.best_weights import BestWeights
from agegait.checkpoint import TrainingCheckpoint
from agegait.datasets import DataSet, Windows
from agegait.disk_full import naming_full_disk
from agegait.early_stopping import EarlyStopping
from agegait.losses import SmoothedCrossentropy
from agegait.models import GaitEncoder, GaitRecognizer, WindowRecognizer
from agegait.private_files import private_files, private_folder
from agegait.progress import ProgressLine
from agegait.recipes import Recipe
from agegait.runs import FEATURE_BATCH, FORMAT, Run, Settings, load, write_aside
from agegait.whole_file import whole_file

Callbacks = Sequence[keras.callbacks.Callback]
PACKAGES = ("agegait", "tensorflow", "keras", "numpy", "tensorflow-datasets")


@private_files()
def train(
    settings: Settings,
    out: str | PathLike,
    data_dir: str | PathLike | None = None,
    manual_dir: str | PathLike | None = None,
    check_limbs: bool = True,
    tensorboard: bool = False,
) -> Run:
    """Trains an encoder and a recognizer, or takes up a training that was stopped.

    The recognizers kept are those of the epoch with the best accuracy over the validation
    walks, which are no training walks of this run and no test walks. So is, by its validation loss, the encoder where
    the recipe stops early; else it is that of the last epoch.

    Args:
        settings: What to do.
        out: The run's folder; made where it is not there.
        data_dir: Where prepared data sets are kept; TFDS's own place where absent.
        manual_dir: Where a data set that was fetched by hand lies.
        check_limbs: Whether to refuse a folder of one's own in which limbs are not as bodies have them.
        tensorboard: Whether to write losses for TensorBoard as well, into `tensorboard/` in the run's folder.

    Returns:
        The finished run.

    Raises:
        ValueError: The folder holds something else, or a run of other settings.
    """
    _check_folder(Path(out), settings)
    return train_on(settings.load(data_dir, manual_dir, check_limbs), settings, out, tensorboard)


@private_files()
def train_on(dataset: DataSet, settings: Settings, out: str | PathLike, tensorboard: bool = False) -> Run:
    """As `train`, on a data set that was loaded before."""
    run, training, validation = begin(dataset, settings, out)
    train_encoder(run, training, validation, _tensorboard(run, "encoder", tensorboard))
    train_recognizer(run, training, validation, _tensorboard(run, "recognizer", tensorboard))
    if settings.recipe.window_recognizer_epochs:
        train_window_recognizer(run, training, validation, _tensorboard(run, "window_recognizer", tensorboard))
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
    run = _begin(out, settings, dataset)
    if windows is None:
        windows = run.training_windows(dataset), run.windows(dataset, "validation")
    training, validation = windows
    run.record["data"]["split"] = {
        "train": _names(training.walks),
        "validation": _names(validation.walks),
        "windows": {"train": len(training.walks), "validation": len(validation.walks)},
    }
    run.save_record()
    return run, training, validation


def finish(run: Run) -> None:
    """Leaves out of a run's folder what only a training under way needs."""
    shutil.rmtree(run.folder / "checkpoints", ignore_errors=True)


def make_encoder(settings: Settings, joints: int) -> GaitEncoder:
    """The encoder that settings ask for, untrained."""
    recipe = settings.recipe
    return GaitEncoder(
        settings.frames,
        joints,
        recipe.units,
        num_layers=recipe.num_layers,
        attention=settings.attention,
        feed=settings.feed,
        sigma=recipe.sigma or None,
        locality_weight=recipe.locality_weight,
        l2=recipe.l2,
        direction=settings.direction,
        dtype=settings.precision,
    )


def make_recognizer(
    recipe: Recipe, persons: int, manner: str, ages: np.ndarray, precision: str = "float32"
) -> GaitRecognizer:
    """The recognizer that a recipe asks for, untrained, but for what it standardises or whitens these AGEs by."""
    recognizer = GaitRecognizer(
        persons,
        manner,
        recipe.recognizer_units,
        dropout=recipe.dropout,
        standardize=recipe.standardize,
        whiten=recipe.whiten,
        kernel_initializer=optimizers.recognizer_initializer(recipe),
        dtype=precision,
    )
    if recognizer.normalization is not None:
        recognizer.adapt(ages)
    recognizer.build((None, *ages.shape[1:]))
    return recognizer


def make_window_recognizer(
    recipe: Recipe, persons: int, windows: np.ndarray, precision: str = "float32"
) -> WindowRecognizer:
    """A recognizer of windows themselves, untrained, but for what it standardises these windows by.

    What the recipe says of the recognizer holds of this one too.
    """
    recognizer = WindowRecognizer(
        persons,
        recipe.recognizer_units,
        dropout=recipe.dropout,
        kernel_initializer=optimizers.recognizer_initializer(recipe),
        dtype=precision,
    )
    recognizer.adapt(windows)
    recognizer.build((None, *windows.shape[1:]))
    return recognizer


def _tensorboard(run: Run, name: str, wanted: bool) -> list[keras.callbacks.Callback]:
    return [keras.callbacks.TensorBoard(run.folder / "tensorboard" / name, write_graph=False)] if wanted else []


def differences(there: Settings, asked: Settings) -> list[str]:
    """What is otherwise in settings than was asked for: a text each."""
    old, new = (_flat(dataclasses.asdict(found)) for found in (there, asked))
    return [f"{name} {old[name]!r}, not {new[name]!r}" for name in new if old[name] != new[name]]


def _flat(settings: dict[str, Any]) -> dict[str, Any]:
    recipe, walk_format = settings.pop("recipe"), settings.pop("walk_format")
    # Units of an encoder and units of files, by the names that their options have.
    return {"encoder_units": recipe.pop("units"), **recipe, **walk_format, **settings}


def _check_folder(out: Path, settings: Settings) -> None:
    if not out.exists():
        return
    if not out.is_dir() or (any(out.iterdir()) and not (out / "run.json").exists()):
        raise ValueError(f"{out}: expected a new or empty folder, or a run to take up, found something else.")
    if (out / "run.json").exists():
        other = differences(load(out).settings, settings)
        if other:
            raise ValueError(f"{out}: holds a run of other settings: {'; '.join(other)}.")


def _begin(out: Path, settings: Settings, dataset: DataSet) -> Run:
    private_folder(out)
    if (out / "run.json").exists():
        return load(out)
    record = {
        "format": FORMAT,
        "settings": dataclasses.asdict(settings),
        "data": {
            "name": dataset.name,
            "version": dataset.version,
            "persons": dataset.persons,
            "licence": dataset.licence,
            "preparation": dataclasses.asdict(dataset.preparation),
            "held_out": dataset.held_out,
            "notes": dataset.notes,
            "bodies": dataset.bodies,
        },
        "normalization": settings.normalization().get_config(),
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "system": platform.system()},
        "trained": {},
    }
    write_aside(out / "run.json", json.dumps(record, indent=2))
    return load(out)


def train_encoder(run: Run, training: Windows, validation: Windows, callbacks: Callbacks = ()) -> None:
    """Trains a run's encoder, without labels, if that is not done."""
    if "encoder" in run.record["trained"]:
        return
    settings, recipe = run.settings, run.settings.recipe
    keras.utils.set_random_seed(settings.seed)
    _, frames, joints, _ = training.skeletons.shape
    encoder = make_encoder(settings, joints)
    encoder.build((None, frames, joints, 3))
    epochs = recipe.passes(recipe.epochs, len(training.persons), recipe.batch_size)
    steps = math.ceil(len(training.persons) / recipe.batch_size)
    encoder.compile(optimizer=optimizers.encoder_optimizer(recipe, steps * epochs))
    fit = functools.partial(_fit_and_choose, mode="min") if recipe.early_stopping and epochs else _fit
    reached = fit(
        run,
        encoder,
        "encoder",
        [training.skeletons],
        epochs,
        recipe.batch_size,
        validation.skeletons,
        callbacks,
        monitor="val_loss",
    )
    run.save_model("encoder", encoder)
    _record(run, "encoder", reached)


def train_recognizer(
    run: Run,
    training: Windows,
    validation: Windows,
    callbacks: Callbacks = (),
    ages: tuple[np.ndarray, np.ndarray] | None = None,
) -> None:
    """Trains a run's recognizer on the labels of windows, if that is not done.

    Args:
        run: A run whose encoder is trained.
        training: Windows to learn from.
        validation: Windows to choose the epoch by.
        callbacks: Keras callbacks, to watch.
        ages: The AGEs of both, where they are at hand.
    """
    if "recognizer" in run.record["trained"]:
        return
    settings, recipe = run.settings, run.settings.recipe
    if ages is None:
        ages = run.features(training, "training AGEs"), run.features(validation, "validation AGEs")
    training_ages, validation_ages = ages
    # Again, so that what came before has no say in what is drawn: a training that was stopped, or a model read.
    keras.utils.set_random_seed(settings.seed)
    recognizer = make_recognizer(recipe, len(run.persons), settings.manner, training_ages, settings.precision)
    reached = _fit_labels(
        run,
        recognizer,
        "recognizer",
        recognizer.rows(training_ages, training.persons),
        recipe.recognizer_epochs,
        recipe.recognizer_batch_size,
        optimizers.recognizer_optimizer,
        (validation_ages, validation.persons),
        callbacks,
    )
    run.save_model("recognizer", recognizer)
    _record(run, "recognizer", reached)


def train_window_recognizer(run: Run, training: Windows, validation: Windows, callbacks: Callbacks = ()) -> None:
    """Trains a run's recognizer of windows themselves on their labels, if that is not done."""
    if "window_recognizer" in run.record["trained"]:
        return
    settings, recipe = run.settings, run.settings.recipe
    keras.utils.set_random_seed(settings.seed)
    recognizer = make_window_recognizer(recipe, len(run.persons), training.skeletons, settings.precision)
    reached = _fit_labels(
        run,
        recognizer,
        "window_recognizer",
        (training.skeletons, training.persons),
        recipe.window_recognizer_epochs,
        recipe.recognizer_batch_size,
        optimizers.recognizer_optimizer,
        (validation.skeletons, validation.persons),
        callbacks,
    )
    run.save_model("window_recognizer", recognizer)
    _record(run, "window_recognizer", reached)


def _fit_labels(
    run: Run,
    model: keras.Model,
    name: str,
    labelled: tuple[np.ndarray, np.ndarray],
    epochs: int,
    batch_size: int,
    optimizer: Callable[[Recipe, int], keras.optimizers.Optimizer],
    validation_data: tuple[np.ndarray, np.ndarray],
    callbacks: Callbacks,
) -> dict[str, Any]:
    """Compiles a model for the labels that it is to learn, and `_fit_and_choose`s it."""
    recipe, rows = run.settings.recipe, len(labelled[1])
    epochs = recipe.passes(epochs, rows, batch_size)
    steps = epochs * math.ceil(rows / batch_size)
    model.compile(optimizer(recipe, steps), SmoothedCrossentropy(recipe.label_smoothing), metrics=["accuracy"])
    return _fit_and_choose(run, model, name, labelled, epochs, batch_size, validation_data, callbacks)


def _fit_and_choose(
    run: Run,
    model: keras.Model,
    name: str,
    arrays: Sequence[np.ndarray],
    epochs: int,
    batch_size: int,
    validation_data: Any,
    callbacks: Callbacks,
    monitor: str = "val_accuracy",
    mode: str = "max",
) -> dict[str, Any]:
    """`_fit`, after which the model is that of the epoch with the best validation."""
    best = run.folder / "checkpoints" / f"best_{name}.weights.h5"
    private_folder(best.parent)
    better = {"min": min, "max": max}[mode]
    keep = BestWeights(best, monitor, mode, _best_before(run, name, monitor, better))
    reached = _fit(
        run, model, name, arrays, epochs, batch_size, validation_data, [*callbacks, keep], monitor=monitor, mode=mode
    )
    if not best.exists():
        raise ValueError(f"{name}: expected a {monitor} that is a number, found none in {reached['epochs']} epochs.")
    values = [float(row[monitor]) for row in _history(run, name)]
    model.load_weights(best)
    chosen = better(value for value in values if not math.isnan(value))
    return {
        **reached,
        "chosen_epoch": values.index(chosen) + 1,
        monitor.replace("val_", "validation_"): chosen,
    }


def _fit(
    run: Run,
    model: keras.Model,
    name: str,
    arrays: Sequence[np.ndarray],
    epochs: int,
    batch_size: int,
    validation_data: Any,
    callbacks: Callbacks,
    monitor: str,
    mode: str = "min",
) -> dict[str, Any]:
    """`model.fit`, with a table of its losses and a checkpoint after each epoch to take it up from."""
    began = time.monotonic()
    table = run.folder / "history" / f"{name}.csv"
    private_folder(table.parent)
    checkpoint = TrainingCheckpoint(run.folder / "checkpoints", name)
    first = checkpoint.restore(model)
    past = _history(run, name)[:first]
    _write_history(table, past)
    callbacks = list(callbacks)
    if run.settings.recipe.early_stopping:
        stopping = EarlyStopping(past, monitor, mode, run.settings.recipe.early_stopping)
        callbacks.append(stopping)
        if stopping.ended(model):
            epochs = first
    log = keras.callbacks.CSVLogger(table, append=True)
    with private_files(), naming_full_disk(run.folder), contextlib.ExitStack() as stack:
        stack.callback(
            lambda: log.csv_file and log.csv_file.close()
        )  # Keras leaves it open where a training breaks off
        model.fit(
            data.shuffled_epochs(arrays, batch_size, run.settings.seed, epochs, first),
            initial_epoch=first,
            epochs=epochs,
            steps_per_epoch=math.ceil(len(arrays[0]) / batch_size),
            shuffle=False,
            verbose=0,
            callbacks=[
                ProgressLine(
                    name.replace("_", " "), len(arrays[0]), unit="rows" if name == "recognizer" else "windows"
                ),
                *callbacks,
                log,
                checkpoint,
            ],
            validation_data=data.batches(validation_data, FEATURE_BATCH),
        )
    return {"epochs": len(_history(run, name)), "seconds": round(time.monotonic() - began, 1)}


def _history(run: Run, name: str) -> list[dict[str, str]]:
    """The table of a training's losses so far, a row an epoch."""
    table = run.folder / "history" / f"{name}.csv"
    if not table.exists():
        return []
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def _write_history(table: Path, rows: Sequence[dict[str, str]]) -> None:
    """Leaves the rows of whole epochs alone: what a killed training wrote after its last checkpoint comes again."""
    if not rows:
        table.unlink(missing_ok=True)
        return
    with whole_file(table) as aside, aside.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _best_before(run: Run, name: str, metric: str, better: Callable[..., float]) -> float | None:
    """The best value of a metric in the epochs that a training taken up again does not repeat."""
    first, _ = TrainingCheckpoint(run.folder / "checkpoints", name).latest()
    values = (float(row[metric]) for row in _history(run, name)[:first])
    return better((value for value in values if not math.isnan(value)), default=None)


def _record(run: Run, name: str, reached: dict[str, Any]) -> None:
    run.record["trained"][name] = reached
    run.save_record()


def _names(walks: np.ndarray) -> list[str]:
    return list(dict.fromkeys(walks.tolist()))
