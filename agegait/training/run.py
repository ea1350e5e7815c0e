import dataclasses
import zipfile
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import keras
import numpy as np

from agegait import datasets
from agegait.datasets import DataSet, Windows
from agegait.layers import SkeletonNormalization
from agegait.models import EmbeddingRecognizer, GaitEmbedder, GaitEncoder, GaitIdentifier, GaitRecognizer
from agegait.storage.whole_file import whole_file
from agegait.thresholds.calibration import Calibration, calibration_file
from agegait.training.encoding import encode
from agegait.training.run_record import RunRecord, StageResult
from agegait.training.settings import Settings


class Run:
    """A run's folder: its record, and the models in it.

    Args:
        folder: Where the run is.
        dataset: Where the data set of the run is now, if it was moved.

    Raises:
        ValueError: No run there, or one of another format.
    """

    def __init__(self, folder: str | PathLike, dataset: str | PathLike | None = None) -> None:
        self.folder = Path(folder)
        self._dataset = dataset
        self.record = RunRecord.read(self.folder)

    @property
    def settings(self) -> Settings:
        """The run's settings."""
        return self.record.settings

    @property
    def persons(self) -> list[str]:
        """Names of the people, in the order of the labels."""
        return self.record.data.persons

    @cached_property
    def encoder(self) -> GaitEncoder:
        """The trained encoder.

        Raises:
            ValueError: It is not there yet.
        """
        return self.load_model("encoder")

    @cached_property
    def recognizer(self) -> GaitRecognizer:
        """The trained recognizer.

        Raises:
            ValueError: It is not there yet.
        """
        return self.load_model("recognizer")

    @cached_property
    def embedder(self) -> GaitEmbedder | None:
        """The trained embedder, where the recipe has one.

        Raises:
            ValueError: It is not there yet.
        """
        return self.load_model("embedder") if self.settings.recipe.embedder_epochs is not None else None

    @cached_property
    def embedding_recognizer(self) -> EmbeddingRecognizer | None:
        """The people by the embedder, where the recipe has one.

        Raises:
            ValueError: It is not there yet.
        """
        return self.load_model("embedding_recognizer") if self.settings.recipe.embedder_epochs is not None else None

    @cached_property
    def calibration(self) -> Calibration | None:
        """What distances of the embedder mean, measured on people who were left out; None where it was not measured."""
        path = calibration_file(self.folder)
        return Calibration.load(path) if path is not None and path.exists() else None

    def keep_calibration(self, calibration: Calibration) -> None:
        """Writes the calibration of the embedder, whole or not at all."""
        calibration.save(self.folder / "calibration.json")
        self.calibration = calibration

    @cached_property
    def normalization(self) -> SkeletonNormalization:
        """What was done to skeletons before they were cut into windows."""
        try:
            return SkeletonNormalization(**vars(self.record.normalization), name="normalization")
        except ValueError as error:
            raise ValueError(f"{self.folder / RunRecord.FILE}: normalization: {error}") from error

    @cached_property
    def identifier(self) -> GaitIdentifier:
        """Encoder, recognizer and, where the recipe has one, embedder as one model that identifies walks.

        Raises:
            ValueError: They are not there yet, or the recognizer knows people by encoder states.
        """
        if self.settings.features != "ages":
            raise ValueError(
                f"{self.folder}: expected a run of features 'ages', found {self.settings.features!r}: only with a "
                "recognizer of AGEs does an encoder become one model, to name walks or to be exported."
            )
        return GaitIdentifier(
            self.encoder,
            self.recognizer,
            self.normalization,
            persons=self.persons,
            embedder=self.embedder,
            embedding_recognizer=self.embedding_recognizer,
            check_body=self.record.data.bodies,
            frame_rate=self.record.data.frame_rate,
        )

    def manifest(self) -> dict[str, Any]:
        """The run's record, for whoever passes the models on."""
        return self.record.to_plain()

    def features(self, windows: Windows, task: str) -> np.ndarray:
        """What the recognizer knows people by, `[M, f, 3 k]`, of windows: AGEs, or encoder states where the run asks.

        A line of progress has the task's name.
        """
        return encode(self.encoder, windows.skeletons, self.settings.features, task)

    @property
    def split(self) -> dict[str, str]:
        """`"train"` or `"validation"` of the walks that the run was trained on or chosen by; empty before that."""
        split = self.record.data.split
        if split is None:
            return {}
        # Where the end of each training walk validates, a walk is in both.
        return dict.fromkeys(split.validation, "validation") | dict.fromkeys(split.train, "train")

    def load_data(self, data_dir: str | PathLike | None = None, manual_dir: str | PathLike | None = None) -> DataSet:
        """The data set that the run was trained on; walks that were added to a folder since are test walks.

        Args:
            data_dir: Where prepared data sets are kept; TFDS's own place where absent.
            manual_dir: Where a data set that was fetched by hand lies.
        """
        settings = self.settings
        if self._dataset is not None:
            settings = dataclasses.replace(settings, dataset=datasets.find(self._dataset))
        # The training checked limbs.
        return settings.load(data_dir, manual_dir, False, self.split, self.record.data.frame_rate)

    def windows(self, dataset: DataSet, part: str, stride: int | None = None) -> Windows:
        """Windows of a part of a data set as the run's models are to see them, see `DataSet.windows`."""
        return dataset.windows(part, self.normalization, self.settings.frames, stride)

    def check_split(self, training: Windows) -> None:
        """Makes sure that the training walks are still those that the run was trained on.

        Raises:
            ValueError: They are not, so that walks trained on could be among those of a test.
        """
        split = self.record.data.split
        then, now = set(split.train if split else ()), set(training.walks)
        if then != now:
            raise ValueError(
                f"{self.settings.dataset}: expected the {len(then)} training walks that {self.folder} was trained on, "
                f"found {len(now - then)} others ({_some(now - then)}) and {len(then - now)} gone "
                f"({_some(then - now)}): train a new run."
            )

    def has(self, stage: str) -> bool:
        """Whether a stage of the training, such as `"encoder"`, is done."""
        return stage in self.record.trained

    def finish_stage(self, stage: str, reached: StageResult) -> None:
        """Writes down that a stage is done, and what it reached."""
        self.record.trained[stage] = reached
        self.save_record()

    def save_record(self) -> None:
        """Writes run.json, whole or not at all."""
        self.record.write(self.folder)

    def save_model(self, name: str, model: keras.Model) -> None:
        """Writes `name.keras`, whole or not at all; without the optimizer's state, which nobody needs any more.

        In float32, whatever it was trained in: of AGEs in bfloat16 whitening would make the rounding large.
        """
        clone = type(model).from_config({**model.get_config(), "dtype": "float32"})
        clone.build_from_config(model.get_build_config())
        clone.set_weights(model.get_weights())
        with whole_file(self.folder / f"{name}.keras") as aside:
            clone.save(aside)

    def load_model(self, name: str) -> Any:
        """The model in `name.keras`, read anew.

        Raises:
            ValueError: It is not there yet, or is damaged.
        """
        path = self.folder / f"{name}.keras"
        if not path.exists():
            raise ValueError(
                f"{self.folder}: expected {name}.keras, found none: the training has not come to its end. The same "
                "`agegait train` command resumes it."
            )
        try:
            return keras.models.load_model(path)
        except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise ValueError(
                f"{path}: expected a model as agegait writes it, found another file: {lines[0]}"
            ) from error


def load_run(folder: str | PathLike, dataset: str | PathLike | None = None) -> Run:
    """The run of a folder.

    Args:
        folder: Where the run is.
        dataset: Where the data set of the run is now, if it was moved.

    Raises:
        ValueError: No run there, or one of another format.
    """
    return Run(folder, dataset)


def _some(names: set[str]) -> str:
    return ", ".join(sorted(names)[:3]) + (", ..." if len(names) > 3 else "") or "none"
