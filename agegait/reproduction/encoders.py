"""Encoders that rows share: each is trained once, and found again by what it was trained with."""

import dataclasses
import itertools
import os
import shutil
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from agegait import training
from agegait.datasets import DataSet
from agegait.evaluation import Parts
from agegait.storage.whole_file import whole_file
from agegait.training.recipes import Recipe
from agegait.training.run import Run, load_run
from agegait.training.settings import Settings

NAMES_ALONE = ("manner", "features")
"""Settings that leave the encoder as it is."""


class Features:
    """What a run's encoder makes of windows, `[M, f, D]`, for recognizers to know people by; each when first used.

    Args:
        run: The run.
        parts: The windows.
    """

    def __init__(self, run: Run, parts: Parts) -> None:
        self._run = run
        self._parts = parts

    @cached_property
    def training(self) -> np.ndarray:
        """Of the training windows."""
        return self._run.features(self._parts.training, "training features")

    @cached_property
    def validation(self) -> np.ndarray:
        """Of the validation windows."""
        return self._run.features(self._parts.validation, "validation features")

    @cached_property
    def tests(self) -> dict[str, np.ndarray]:
        """Of the test windows, by split."""
        return {test: self._run.features(part, f"{test} features") for test, part in self._parts.tests.items()}

    @cached_property
    def gallery(self) -> np.ndarray:
        """`[G, D]`, means over the frames of the gallery's windows."""
        return self._run.features(self._parts.gallery, "gallery features").mean(axis=1)


def encoder_settings(settings: Settings, base: Settings) -> Settings:
    """Settings with all that leaves the encoder as it is put back to the base's: equal for rows that share one."""
    names = {
        field.name: getattr(base.recipe, field.name)
        for field in dataclasses.fields(Recipe)
        if field.metadata["part"] in ("recognizer", "embedder")
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
