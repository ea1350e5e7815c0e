"""Encoders that rows share: each is trained once, and found again by what it was trained with."""

import dataclasses
import itertools
import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from agegait import training
from agegait.datasets import DataSet, Windows
from agegait.storage.whole_file import whole_file
from agegait.training.recipes import Recipe
from agegait.training.run import Run, load_run
from agegait.training.settings import Settings

NAMES_ALONE = ("manner", "features")
"""Settings that leave the encoder as it is."""


class Parts(NamedTuple):
    """The windows of a data set, for one length of window and one stride.

    Attributes:
        training: To train on.
        validation: To choose by.
        tests: Those of people who are trained on, by test split.
        left_out: Walks of everybody else, by test split.
        gallery: Training windows without overlap, to search among.
    """

    training: Windows
    validation: Windows
    tests: dict[str, Windows]
    left_out: dict[str, list[str]]
    gallery: Windows


class Features(NamedTuple):
    """What an encoder makes of the windows of `Parts`, `[M, f, D]`.

    Attributes:
        training: Of the training windows.
        validation: Of the validation windows.
        tests: Of the test windows, by split.
        gallery: `[G, D]`, means over the frames of the gallery's windows.
    """

    training: np.ndarray
    validation: np.ndarray
    tests: dict[str, np.ndarray]
    gallery: np.ndarray


def encoder_settings(settings: Settings, base: Settings) -> Settings:
    """Settings with all that leaves the encoder as it is put back to the base's: equal for rows that share one."""
    names = {
        field.name: getattr(base.recipe, field.name)
        for field in dataclasses.fields(Recipe)
        if field.metadata["part"] in ("recognizer", "window_recognizer")
    }
    others: dict[str, Any] = {name: getattr(base, name) for name in NAMES_ALONE}
    return dataclasses.replace(settings, recipe=dataclasses.replace(settings.recipe, **names), **others)


def trained_encoder(dataset: DataSet, settings: Settings, folder: Path, parts: Parts) -> Run:
    """The run whose encoder is trained with these settings: found among others in a folder, or trained there now."""
    there = (path.parent for path in sorted(folder.glob("*/run.json")))
    free = (folder / f"{number:04d}" for number in itertools.count(1))
    found = next((out for out in there if load_run(out).settings == settings), None)
    out = found or next(out for out in free if not out.exists())
    run, *windows = training.begin(dataset, settings, out, (parts.training, parts.validation))
    training.train_encoder(run, *windows)
    training.finish(run)
    return run


def take_encoder(run: Run, shared: Run) -> None:
    """Gives a run an encoder that was trained before."""
    if run.has("encoder"):
        return
    with whole_file(run.folder / "encoder.keras") as aside:
        try:
            os.link(shared.folder / "encoder.keras", aside)  # a model's file is never written into, only replaced
        except OSError:
            shutil.copyfile(shared.folder / "encoder.keras", aside)
    run.finish_stage("encoder", shared.record.trained["encoder"])


def features(run: Run, parts: Parts) -> Features:
    """What a run's recognizer is to know people by."""
    gallery = run.features(parts.gallery, "gallery features").mean(axis=1)
    return Features(
        training=run.features(parts.training, "training features"),
        validation=run.features(parts.validation, "validation features"),
        tests={test: run.features(windows, f"{test} features") for test, windows in parts.tests.items()},
        gallery=gallery,
    )
