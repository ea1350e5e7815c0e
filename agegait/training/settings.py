import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any

from agegait import datasets
from agegait.data import WalkFormat
from agegait.datasets import DataSet, Windows
from agegait.layers import ReverseDecoder, SkeletonNormalization
from agegait.models import GaitEncoder, GaitRecognizer
from agegait.training.recipes import Recipe

PRECISIONS = ("float32", "mixed_bfloat16")
FEATURES = ("ages", "states")


@dataclass(frozen=True)
class Settings:
    """The settings of a run; two runs of equal settings on one machine's CPU are equal.

    Attributes:
        dataset: Name of the data set, or your own folder.
        attention: `"LA"`, `"BA"` or `"MBAS"`.
        manner: `"ap"` or `"sc"`.
        feed: What the decoder is fed, see `agegait.layers.ReverseDecoder`.
        direction: `"reverse"` or `"forward"`, the order in which windows are reconstructed.
        features: What people are recognized by: `"ages"`, or `"states"` for the encoder's outputs, which AGEs are made
            of. The paper compares the two; only AGEs are exported.
        frames: Frames f of a window.
        precision: Keras dtype policy that encoder and recognizer are trained in; they are kept in float32.
        seed: Of first weights, orders and dropout.
        strangers: Number of a division of the people, see `agegait.data.divide_persons`: those to be tested are left
            out of the whole training. None trains on everybody.
        calibration_share: Share of the people who are left out to calibrate the embedder on, by the seed. None for
            nobody but those whom `strangers` leaves out.
        preset: Name of the recipe that `recipe` was made from.
        recipe: How both networks are trained.
        walk_format: How the files of your own folder are read.

    Raises:
        ValueError: An unknown name, or a number that makes no sense.
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
    strangers: int | None = None
    calibration_share: float | None = None
    preset: str = "paper"
    recipe: Recipe = dataclasses.field(default_factory=Recipe)
    walk_format: WalkFormat = dataclasses.field(default_factory=WalkFormat)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dataset", datasets.whole_name(self.dataset))
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
        if self.strangers is not None and self.strangers < 0:
            raise ValueError(f"strangers: expected at least 0 or none, received {self.strangers}.")
        if self.calibration_share is not None:
            if self.strangers is not None:
                raise ValueError("calibration_share: expected none with strangers, of whom some are calibrated on.")
            if not 0 < self.calibration_share < 1:
                raise ValueError(
                    f"calibration_share: expected a share between 0 and 1, received {self.calibration_share}."
                )

    def load(
        self,
        data_dir: str | PathLike | None = None,
        manual_dir: str | PathLike | None = None,
        check_limbs: bool = True,
        known: Mapping[str, str] | None = None,
        frame_rate: float | None = None,
    ) -> DataSet:
        """The data set, see `agegait.datasets.load`, without the people whom the settings leave out."""
        dataset = datasets.load(self.dataset, data_dir, manual_dir, self.walk_format, check_limbs, known, frame_rate)
        try:
            if self.strangers is not None:
                return dataset.without_strangers(self.strangers)
            if self.calibration_share is not None:
                return dataset.without_calibrated(self.calibration_share, self.seed)
        except ValueError as error:
            name = "calibration_share" if self.strangers is None else "strangers"
            raise ValueError(f"{name}: {error}") from None
        return dataset

    @property
    def seen(self) -> tuple[Any, ...]:
        """What windows depend on besides the data set: equal for runs that learn from and see the same ones."""
        return self.frames, self.recipe.stride, self.recipe.mirror

    def normalization(self) -> SkeletonNormalization:
        """What is done to skeletons before a model sees them."""
        return SkeletonNormalization(name="normalization")

    def training_windows(self, dataset: DataSet, normalization: SkeletonNormalization) -> Windows:
        """The windows of the data set to learn from, cut and mirrored as the recipe has it."""
        windows = dataset.windows("train", normalization, self.frames, self.recipe.stride)
        return windows.with_mirrored() if self.recipe.mirror else windows
