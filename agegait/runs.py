"""Runs: what one was asked to do, and the folder that it leaves.

A run's folder holds `run.json` (settings, data, split, versions, what was reached), `encoder.keras` and
`recognizer.keras`, both again as `fine_tuned_*.keras` where the recipe asks for it, `history/` with a table of losses
for each training, and, while a training is under way, `checkpoints/` to take it up again from.
"""

import dataclasses
import json
import os
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np

from agegait import augmentation, datasets
from agegait.data import WalkFormat
from agegait.datasets import DataSet, Windows
from agegait.layers import ReverseDecoder, SkeletonNormalization
from agegait.models import GaitEncoder, GaitIdentifier, GaitRecognizer
from agegait.progress import ProgressLine
from agegait.recipes import Recipe

FORMAT = 1
PRECISIONS = ("float32", "mixed_bfloat16")
FEATURES = ("ages", "states")
FEATURE_BATCH = 512


@dataclass(frozen=True)
class Settings:
    """What a run is asked to do; two runs of equal settings on one machine's CPU are equal.

    Attributes:
        dataset: Name of the data set, or the folder of one's own.
        attention: `"LA"`, `"BA"` or `"MBAS"`.
        manner: `"ap"` or `"sc"`.
        feed: What the decoder is fed, see `agegait.layers.ReverseDecoder`.
        direction: `"reverse"` or `"forward"`, the order in which windows are rebuilt.
        features: What people are recognized by: `"ages"`, or `"states"` for the encoder's outputs, which AGEs are made
            of. The paper compares the two; only AGEs are fine-tuned and exported.
        frames: Frames f of a window.
        precision: Keras dtype policy that encoder and recognizer are trained in; they are kept, and fine-tuned, in
            float32.
        seed: Of first weights, orders and dropout.
        preset: Name of the recipe that `recipe` was made from.
        recipe: How both networks are trained.
        walk_format: How the files of a folder of one's own are understood.

    Raises:
        ValueError: An unknown name, a number that makes no sense, or encoder states that are to be fine-tuned.
    """

    dataset: str
    attention: str = "LA"
    manner: str = "ap"
    feed: str = "zeros"
    direction: str = "reverse"
    features: str = "ages"
    frames: int = 6
    precision: str = "float32"
    seed: int = 0
    preset: str = "paper"
    recipe: Recipe = dataclasses.field(default_factory=Recipe)
    walk_format: WalkFormat = dataclasses.field(default_factory=WalkFormat)

    def __post_init__(self) -> None:
        # A run outlives the folder that it was trained in.
        dataset = self.dataset if Path(self.dataset).is_absolute() else datasets.find(self.dataset)
        object.__setattr__(self, "dataset", os.fspath(dataset))
        for name, known in (
            ("attention", GaitEncoder.ATTENTIONS),
            ("manner", GaitRecognizer.MANNERS),
            ("feed", ReverseDecoder.FEEDS),
            ("direction", GaitEncoder.DIRECTIONS),
            ("features", FEATURES),
            ("precision", PRECISIONS),
        ):
            if getattr(self, name) not in known:
                raise ValueError(f"{name}: expected one of {', '.join(known)}, received {getattr(self, name)!r}.")
        if self.frames < 2:
            raise ValueError(f"frames: expected at least 2, received {self.frames}.")
        if self.features != "ages" and self.recipe.fine_tune_epochs:
            raise ValueError(
                f"fine_tune_epochs: expected 0 with features {self.features!r}, received "
                f"{self.recipe.fine_tune_epochs}: only AGEs are fine-tuned."
            )

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> Self:
        """Settings as `dataclasses.asdict` gave them."""
        nested = {"recipe": Recipe(**settings["recipe"]), "walk_format": WalkFormat(**settings.get("walk_format", {}))}
        return cls(**{**settings, **nested})

    @property
    def stride(self) -> int | None:
        """Frames from a training window to the next; None as the papers have it for the data set."""
        return self.recipe.stride or None

    def load(
        self,
        data_dir: str | PathLike | None = None,
        manual_dir: str | PathLike | None = None,
        check_limbs: bool = True,
    ) -> DataSet:
        """The data set, see `agegait.datasets.load`."""
        return datasets.load(self.dataset, data_dir, manual_dir, self.walk_format, check_limbs)

    @property
    def seen(self) -> tuple[Any, ...]:
        """What windows depend on besides the data set: equal for runs that learn from and see the same ones."""
        recipe = self.recipe
        changes = (recipe.noise, recipe.turn, recipe.time_warp, self.seed) if recipe.augments else ()
        return self.frames, self.stride, recipe.mirror, recipe.align_heading, *changes

    def normalization(self) -> SkeletonNormalization:
        """What is done to skeletons before a model sees them."""
        return SkeletonNormalization(align_heading=self.recipe.align_heading, name="normalization")

    def training_windows(self, dataset: DataSet, normalization: SkeletonNormalization) -> Windows:
        """The windows of the data set to learn from, cut, mirrored and changed as the recipe has it."""
        windows = dataset.windows("train", normalization, self.frames, self.stride)
        if self.recipe.augments:
            windows = windows.and_then(self._changed(windows, dataset, normalization))
        return windows.with_mirrored() if self.recipe.mirror else windows

    def _changed(self, windows: Windows, dataset: DataSet, normalization: SkeletonNormalization) -> Windows:
        recipe, random = self.recipe, np.random.default_rng(self.seed)
        if recipe.time_warp:  # which takes longer windows to cut from
            frames = augmentation.wide(self.frames, recipe.time_warp)
            windows = dataset.windows("train", normalization, frames, self.stride)
            warped = augmentation.warped(windows.skeletons, self.frames, recipe.time_warp, random)
            windows = windows._replace(skeletons=warped)
        turned = augmentation.turned(windows.skeletons, recipe.turn, random)
        return windows._replace(skeletons=augmentation.noisy(turned, recipe.noise, random))


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
        return Settings.from_dict(self.record["settings"])

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
        return self.load_model("encoder")

    @cached_property
    def recognizer(self) -> GaitRecognizer:
        """The trained recognizer.

        Raises:
            ValueError: It is not there yet.
        """
        return self.load_model("recognizer")

    @cached_property
    def normalization(self) -> SkeletonNormalization:
        """What was done to skeletons before they were cut into windows."""
        return SkeletonNormalization.from_config(self.record["normalization"])

    @property
    def fine_tuned(self) -> bool:
        """Whether the encoder and the recognizer were trained on together, on the labels, in the end."""
        return "fine_tuned" in self.record["trained"]

    @cached_property
    def identifier(self) -> GaitIdentifier:
        """Encoder and recognizer, fine-tuned where the run did that, as one model that names walks.

        Raises:
            ValueError: They are not there yet, or the recognizer knows people by encoder states.
        """
        if self.settings.features != "ages":
            raise ValueError(
                f"{self.folder}: expected a run of features 'ages', found {self.settings.features!r}: only with a "
                "recognizer of AGEs does an encoder become one model, to name walks or to be exported."
            )
        parts = self.encoder, self.recognizer
        if self.settings.recipe.fine_tune_epochs:
            parts = self.load_model("fine_tuned_encoder"), self.load_model("fine_tuned_recognizer")
        return GaitIdentifier(*parts, self.normalization, persons=self.persons)

    def manifest(self) -> dict[str, Any]:
        """The run's record, for whoever passes the models on."""
        return self.record

    def features(self, windows: Windows, task: str) -> np.ndarray:
        """What the recognizer knows people by, `[M, f, 3 k]`, of windows: AGEs, or encoder states where the run asks.

        A line of progress has the task's name.
        """
        skeletons, encoder = windows.skeletons, self.encoder
        progress = ProgressLine(task, len(skeletons))
        if self.settings.features == "states":
            found = encoder.states(skeletons, batch_size=FEATURE_BATCH, verbose=0, callbacks=[progress])
            return np.asarray(found, dtype="float32")
        # Straight into their place: `predict` would hold gigabytes in pieces and then once more in one.
        ages = np.empty((*skeletons.shape[:2], encoder.AXES * encoder.units), "float32")
        starts = range(0, len(skeletons), FEATURE_BATCH)
        callbacks = keras.callbacks.CallbackList([progress], model=encoder, steps=len(starts))
        callbacks.on_predict_begin()
        for number, start in enumerate(starts):
            rows = slice(start, start + FEATURE_BATCH)
            ages[rows] = encoder.predict_on_batch(skeletons[rows])["ages"]
            callbacks.on_predict_batch_end(number)
        callbacks.on_predict_end()
        return ages

    def windows(self, dataset: DataSet, part: str, stride: int | None = None) -> Windows:
        """Windows of a part of a data set as the run's models are to see them, see `DataSet.windows`."""
        return dataset.windows(part, self.normalization, self.settings.frames, stride)

    def training_windows(self, dataset: DataSet) -> Windows:
        """The windows that the run's models learn from."""
        return self.settings.training_windows(dataset, self.normalization)

    def check_split(self, training: Windows) -> None:
        """Makes sure that the training walks are still those that the run was trained on.

        Raises:
            ValueError: They are not, so that walks trained on could be among those of a test.
        """
        then, now = set(self.record["data"]["split"]["train"]), set(training.walks)
        if then != now:
            raise ValueError(
                f"{self.settings.dataset}: expected the {len(then)} training walks that {self.folder} was trained on, "
                f"found {len(now - then)} others ({_some(now - then)}) and {len(then - now)} gone "
                f"({_some(then - now)}): train a new run."
            )

    def save_record(self) -> None:
        """Writes run.json, whole or not at all."""
        write_aside(self.folder / "run.json", json.dumps(self.record, indent=2))

    def save_model(self, name: str, model: keras.Model) -> None:
        """Writes `name.keras`, whole or not at all; without the optimizer's state, which nobody needs any more.

        In float32, whatever it was trained in: of AGEs in bfloat16 whitening would make the rounding large.
        """
        clone = type(model).from_config({**model.get_config(), "dtype": "float32"})
        clone.build_from_config(model.get_build_config())
        clone.set_weights(model.get_weights())
        aside = self.folder / f".partial.{name}.keras"
        clone.save(aside)
        aside.replace(self.folder / f"{name}.keras")

    def load_model(self, name: str) -> Any:
        """The model in `name.keras`, read anew.

        Raises:
            ValueError: It is not there yet.
        """
        if not (self.folder / f"{name}.keras").exists():
            raise ValueError(
                f"{self.folder}: expected {name}.keras, found none: the training has not come to its end. The same "
                "`agegait train` command takes it up again."
            )
        return keras.models.load_model(self.folder / f"{name}.keras")


def load(folder: str | PathLike) -> Run:
    """The run of a folder.

    Raises:
        ValueError: No run there, or one of another format.
    """
    return Run(folder)


def _some(names: set[str]) -> str:
    return ", ".join(sorted(names)[:3]) + (", ..." if len(names) > 3 else "") or "none"


def write_aside(path: Path, text: str) -> None:
    """Writes a file under another name first, so that nothing half-written ever has the name."""
    aside = path.with_name(f".{path.name}.partial")
    try:
        aside.write_text(text)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
