"""Runs: both trainings, and the folder that they leave.

A run's folder holds `run.json` (settings, data, split, versions, what was reached), `encoder.keras` and
`recognizer.keras`, `history/` with a table of losses for each training, and, while a training is under way,
`checkpoints/` to take it up again from.
"""

import csv
import dataclasses
import json
import math
import os
import platform
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

import keras
import numpy as np

from agegait import data, datasets, optimizers
from agegait.checkpoint import TrainingCheckpoint
from agegait.datasets import Windows
from agegait.layers import ReverseDecoder, SkeletonNormalization
from agegait.models import GaitEncoder, GaitIdentifier, GaitRecognizer
from agegait.progress import ProgressLine
from agegait.recipes import Recipe

FORMAT = 1
PRECISIONS = ("float32", "mixed_bfloat16")
PACKAGES = ("agegait", "tensorflow", "keras", "numpy", "tensorflow-datasets")
FEATURE_BATCH = 512


@dataclass(frozen=True)
class Settings:
    """What a run is asked to do; two runs of equal settings on one machine's CPU are equal.

    Attributes:
        dataset: Name of the data set.
        attention: `"LA"` or `"BA"`.
        manner: `"ap"` or `"sc"`.
        feed: What the decoder is fed, see `agegait.layers.ReverseDecoder`.
        frames: Frames f of a window.
        precision: Keras dtype policy of the encoder.
        seed: Of first weights, orders and dropout.
        preset: Name of the recipe that `recipe` was made from.
        recipe: How both networks are trained.

    Raises:
        ValueError: An unknown name, or a number that makes no sense.
    """

    dataset: str
    attention: str = "LA"
    manner: str = "ap"
    feed: str = "zeros"
    frames: int = 6
    precision: str = "float32"
    seed: int = 0
    preset: str = "paper"
    recipe: Recipe = dataclasses.field(default_factory=Recipe)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dataset", datasets.find(self.dataset))
        for name, known in (
            ("attention", GaitEncoder.ATTENTIONS),
            ("manner", GaitRecognizer.MANNERS),
            ("feed", ReverseDecoder.FEEDS),
            ("precision", PRECISIONS),
        ):
            if getattr(self, name) not in known:
                raise ValueError(f"{name}: expected one of {', '.join(known)}, received {getattr(self, name)!r}.")
        if self.frames < 2:
            raise ValueError(f"frames: expected at least 2, received {self.frames}.")

    @property
    def stride(self) -> int:
        """Frames from a training window to the next."""
        return self.recipe.stride or self.frames


class Run:
    """A run's folder: its record, and the models in it.

    Args:
        folder: Where the run is.

    Raises:
        ValueError: No run there, or one of another format.
    """

    def __init__(self, folder: str | PathLike) -> None:
        self.folder = Path(folder)
        try:
            self.record = json.loads((self.folder / "run.json").read_text())
        except FileNotFoundError:
            raise ValueError(f"{self.folder}: expected a run's folder with run.json, found none.") from None
        except json.JSONDecodeError as error:
            raise ValueError(f"{self.folder / 'run.json'}: expected JSON: {error}.") from None
        if self.record.get("format") != FORMAT:
            raise ValueError(
                f"{self.folder}: expected a run of format {FORMAT}, as this version of agegait writes, found "
                f"{self.record.get('format')!r}, written by agegait {self.record.get('versions', {}).get('agegait')}."
            )

    @cached_property
    def settings(self) -> Settings:
        """What the run was asked to do."""
        settings = self.record["settings"]
        return Settings(**{**settings, "recipe": Recipe(**settings["recipe"])})

    @property
    def persons(self) -> list[str]:
        """Names of the people, in the order of the labels."""
        return self.record["data"]["persons"]

    @cached_property
    def encoder(self) -> GaitEncoder:
        """The trained encoder.

        Raises:
            ValueError: It is not there yet.
        """
        return self._load("encoder.keras")

    @cached_property
    def recognizer(self) -> GaitRecognizer:
        """The trained recognizer.

        Raises:
            ValueError: It is not there yet.
        """
        return self._load("recognizer.keras")

    @cached_property
    def normalization(self) -> SkeletonNormalization:
        """What was done to skeletons before they were cut into windows."""
        return SkeletonNormalization.from_config(self.record["normalization"])

    @cached_property
    def identifier(self) -> GaitIdentifier:
        """Encoder and recognizer as one model that names walks."""
        return GaitIdentifier(self.encoder, self.recognizer, self.normalization, persons=self.persons)

    def manifest(self) -> dict[str, Any]:
        """The run's record, for whoever passes the models on."""
        return self.record

    def windows(self, built: Any, split: str, stride: int | None = None) -> Windows:
        """Windows of a split as the run's models are to see them; without overlap if no stride is given."""
        frames = self.settings.frames
        return datasets.windows(built, split, self.normalization, frames, stride or frames)

    def save_record(self) -> None:
        """Writes run.json, whole or not at all."""
        write_aside(self.folder / "run.json", json.dumps(self.record, indent=2))

    def _load(self, name):
        if not (self.folder / name).exists():
            raise ValueError(
                f"{self.folder}: expected {name}, found none: the training has not come to its end. The same "
                "`agegait train` command takes it up again."
            )
        return keras.models.load_model(self.folder / name)


def load(folder: str | PathLike) -> Run:
    """The run of a folder.

    Raises:
        ValueError: No run there, or one of another format.
    """
    return Run(folder)


def train(
    settings: Settings,
    out: str | PathLike,
    data_dir: str | PathLike | None = None,
    manual_dir: str | PathLike | None = None,
) -> Run:
    """Trains an encoder and a recognizer, or takes up a training that was stopped.

    The recognizer kept is that of the epoch with the best accuracy over the validation walks, which are no training
    walks of this run and no test walks.

    Args:
        settings: What to do.
        out: The run's folder; made where it is not there.
        data_dir: Where prepared data sets are kept; TFDS's own place where absent.
        manual_dir: Where a data set that was fetched by hand lies.

    Returns:
        The finished run.

    Raises:
        ValueError: The folder holds something else, or a run of other settings.
    """
    out = Path(out)
    _check_folder(out, settings)
    built = datasets.builder(settings.dataset, data_dir, manual_dir)
    run = _begin(out, settings, built)
    splits = datasets.SPLITS[settings.dataset]
    training = run.windows(built, splits.train, settings.stride)
    validation = run.windows(built, splits.validation)
    run.record["data"]["split"] = {
        "train": _names(training.walks),
        "validation": _names(validation.walks),
        "windows": {"train": len(training.walks), "validation": len(validation.walks)},
    }
    run.save_record()
    if not (out / "encoder.keras").exists():
        _train_encoder(run, training, validation)
    if not (out / "recognizer.keras").exists():
        _train_recognizer(run, training, validation)
    shutil.rmtree(out / "checkpoints", ignore_errors=True)
    return run


def extract(run: Run, windows: Windows, task: str) -> np.ndarray:
    """The AGEs `[M, f, 3 k]` of windows, with a line of progress."""
    progress = ProgressLine(task, len(windows.persons))
    outputs = run.encoder.predict(windows.skeletons, batch_size=FEATURE_BATCH, verbose=0, callbacks=[progress])
    return np.asarray(outputs["ages"], dtype="float32")


def _check_folder(out: Path, settings: Settings) -> None:
    if not out.exists():
        return
    if not out.is_dir() or (any(out.iterdir()) and not (out / "run.json").exists()):
        raise ValueError(f"{out}: expected a new or empty folder, or a run to take up, found something else.")
    if (out / "run.json").exists():
        there, asked = (dataclasses.asdict(found) for found in (load(out).settings, settings))
        there, asked = ({**found.pop("recipe"), **found} for found in (there, asked))
        other = [f"{name} {there[name]!r}, not {asked[name]!r}" for name in asked if there[name] != asked[name]]
        if other:
            raise ValueError(f"{out}: holds a run of other settings: {'; '.join(other)}.")


def _begin(out: Path, settings: Settings, built: Any) -> Run:
    if (out / "run.json").exists():
        return load(out)
    out.mkdir(parents=True, exist_ok=True)
    label = built.info.features["person"]
    record = {
        "format": FORMAT,
        "settings": dataclasses.asdict(settings),
        "data": {
            "name": built.name,
            "version": str(built.version),
            "persons": label.names,
            "licence": datasets.SPLITS[built.name].licence,
            "preparation": dataclasses.asdict(data.PREPARATIONS[built.name]),
        },
        "normalization": SkeletonNormalization(name="normalization").get_config(),
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "system": platform.system()},
        "trained": {},
    }
    write_aside(out / "run.json", json.dumps(record, indent=2))
    return load(out)


def _train_encoder(run: Run, training: Windows, validation: Windows) -> None:
    settings, recipe = run.settings, run.settings.recipe
    keras.utils.set_random_seed(settings.seed)
    _, frames, joints, _ = training.skeletons.shape
    encoder = GaitEncoder(
        frames,
        joints,
        recipe.units,
        attention=settings.attention,
        feed=settings.feed,
        l2=recipe.l2,
        dtype=settings.precision,
    )
    encoder.build((None, frames, joints, 3))
    steps = math.ceil(len(training.persons) / recipe.batch_size)
    encoder.compile(optimizer=optimizers.encoder_optimizer(recipe, steps * recipe.epochs))
    began = time.monotonic()
    _fit(
        run,
        encoder,
        "encoder",
        [training.skeletons],
        recipe.epochs,
        recipe.batch_size,
        validation_data=validation.skeletons,
        validation_batch_size=FEATURE_BATCH,
    )
    _finish(run, "encoder", encoder, {"epochs": recipe.epochs, "seconds": round(time.monotonic() - began, 1)})
    run.__dict__["encoder"] = encoder


def _train_recognizer(run: Run, training: Windows, validation: Windows) -> None:
    settings, recipe = run.settings, run.settings.recipe
    # Again, so that a run taken up at this point draws what one that never stopped does.
    keras.utils.set_random_seed(settings.seed)
    ages = extract(run, training, "training AGEs")
    validation_ages = extract(run, validation, "validation AGEs")
    recognizer = GaitRecognizer(
        len(run.persons),
        settings.manner,
        recipe.recognizer_units,
        dropout=recipe.dropout,
        standardize=recipe.standardize,
        kernel_initializer=optimizers.recognizer_initializer(recipe),
    )
    if recipe.standardize:
        recognizer.adapt(ages)
    recognizer.build((None, *ages.shape[1:]))
    rows, labels = recognizer.rows(ages, training.persons)
    steps = math.ceil(len(rows) / recipe.recognizer_batch_size)
    recognizer.compile(
        optimizer=optimizers.recognizer_optimizer(recipe, steps * recipe.recognizer_epochs),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    best = run.folder / "checkpoints" / "best_recognizer.weights.h5"
    best.parent.mkdir(exist_ok=True)
    began = time.monotonic()
    _fit(
        run,
        recognizer,
        "recognizer",
        [rows, labels],
        recipe.recognizer_epochs,
        recipe.recognizer_batch_size,
        callbacks=[
            keras.callbacks.ModelCheckpoint(
                best,
                monitor="val_accuracy",
                mode="max",
                save_best_only=True,
                save_weights_only=True,
                initial_value_threshold=_best_before(run, "recognizer", "val_accuracy"),
            )
        ],
        validation_data=(validation_ages, validation.persons),
        validation_batch_size=4096,
    )
    history = _history(run, "recognizer")
    accuracies = [float(row["val_accuracy"]) for row in history]
    if accuracies:
        recognizer.load_weights(best)
    reached = {
        "epochs": recipe.recognizer_epochs,
        "chosen_epoch": accuracies.index(max(accuracies)) + 1 if accuracies else 0,
        "validation_accuracy": max(accuracies, default=None),
        "seconds": round(time.monotonic() - began, 1),
    }
    _finish(run, "recognizer", recognizer, reached)
    run.__dict__["recognizer"] = recognizer


def _fit(
    run: Run,
    model: keras.Model,
    name: str,
    arrays: Sequence[np.ndarray],
    epochs: int,
    batch_size: int,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    **options: Any,
) -> None:
    """`model.fit`, with a table of its losses and a checkpoint after each epoch to take it up from."""
    table = run.folder / "history" / f"{name}.csv"
    table.parent.mkdir(exist_ok=True)
    checkpoint = TrainingCheckpoint(run.folder / "checkpoints", name)
    first = checkpoint.restore(model)
    _write_history(table, _history(run, name)[:first])
    model.fit(
        data.shuffled_epochs(arrays, batch_size, run.settings.seed, epochs, first),
        initial_epoch=first,
        epochs=epochs,
        steps_per_epoch=math.ceil(len(arrays[0]) / batch_size),
        shuffle=False,
        verbose=0,
        callbacks=[
            ProgressLine(name, len(arrays[0]), unit="windows" if name == "encoder" else "rows"),
            *callbacks,
            keras.callbacks.CSVLogger(table, append=True),
            checkpoint,
        ],
        **options,
    )


def _history(run: Run, name: str) -> list[dict[str, str]]:
    """The table of a training's losses so far, a row an epoch."""
    table = run.folder / "history" / f"{name}.csv"
    if not table.exists():
        return []
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def _write_history(table: Path, rows: Sequence[dict[str, str]]) -> None:
    """Leaves the rows of whole epochs alone: what a killed training wrote after its last checkpoint comes again."""
    table.unlink(missing_ok=True)
    if rows:
        with table.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)


def _best_before(run: Run, name: str, metric: str) -> float | None:
    """The best value of a metric in the epochs that a training taken up again does not repeat."""
    first, _ = TrainingCheckpoint(run.folder / "checkpoints", name).latest()
    return max((float(row[metric]) for row in _history(run, name)[:first]), default=None)


def _finish(run: Run, name: str, model: keras.Model, reached: dict[str, Any]) -> None:
    # Of a clone: Keras would save the optimizer's state along, twice the size of the weights and of no further use.
    clone = type(model).from_config(model.get_config())
    clone.build_from_config(model.get_build_config())
    clone.set_weights(model.get_weights())
    aside = run.folder / f".partial.{name}.keras"
    clone.save(aside)
    aside.replace(run.folder / f"{name}.keras")
    run.record["trained"][name] = reached
    run.save_record()


def _names(walks: np.ndarray) -> list[str]:
    return list(dict.fromkeys(walks.tolist()))


def write_aside(path: Path, text: str) -> None:
    """Writes a file under another name first, so that nothing half-written ever has the name."""
    aside = path.with_name(f".{path.name}.partial")
    try:
        aside.write_text(text)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
