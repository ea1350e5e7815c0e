"""Training recipes by name: the published one, and the best we know."""

import math
from dataclasses import dataclass, field, fields, replace
from typing import Any

PUBLISHED_BATCH = 128
"""The batch over which the published code sums its losses."""


def _option(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class Recipe:
    """How the encoder and the recognizer are trained; the defaults are the published code's.

    Each field is also an option of `agegait train`, described by its `metadata["help"]`.

    Raises:
        ValueError: A number that makes no sense, by its name.
    """

    epochs: int = _option(400, "passes over the training windows for the encoder")
    recognizer_epochs: int = _option(300, "passes over the training AGEs for the recognizer")
    least_steps: int = _option(0, "batches that a training has at least: for few windows it takes more epochs")
    batch_size: int = _option(PUBLISHED_BATCH, "windows of an encoder's batch")
    recognizer_batch_size: int = _option(PUBLISHED_BATCH, "frames (ap) or windows (sc) of a recognizer's batch")
    learning_rate: float = _option(5e-4, "the encoder's, Adam's at the start")
    recognizer_learning_rate: float = _option(5e-4, "the recognizer's, Adam's at the start")
    warmup_steps: int = _option(0, "batches over which the encoder's learning rate rises first")
    beta_2: float = _option(0.999, "the encoder's, Adam's decay of mean squared gradients")
    l2: float = _option(0.02 / PUBLISHED_BATCH, "weight of half the sum of the encoder's squared weights")
    decay: bool = _option(False, "let learning rates fall to zero along a cosine")
    units: int = _option(256, "units k of the encoder")
    num_layers: int = _option(2, "LSTM layers of the encoder, and of its decoder")
    sigma: float = _option(0.0, "width of the locality in frames; 0 for half the window")
    locality_weight: float = _option(1.0, "weight of the locality loss")
    recognizer_units: int = _option(256, "hidden units of the recognizer")
    dropout: float = _option(0.0, "share of the recognizer's hidden units dropped in training")
    standardize: bool = _option(False, "standardise AGEs over the training set in the recognizer")
    whiten: bool = _option(False, "take the correlation out of AGEs as well, by the training set, in the recognizer")
    label_smoothing: float = _option(0.0, "share of a label that the recognizer's training spreads over all people")
    initial_scale: float = _option(1.0, "recognizer's first weights are N(0, this); 0 for Glorot's uniform ones")
    window_recognizer_epochs: int = _option(
        0,
        "passes over the training windows for a second recognizer, of windows themselves, that answers too; 0 for none",
    )
    stride: int = _option(0, "frames from a training window to the next; 0 as the papers cut the data set")
    mirror: bool = _option(False, "train on mirror images of the training windows as well")
    early_stopping: int = _option(0, "epochs without a better validation after which a training ends; 0 for none")

    def __post_init__(self) -> None:
        for name in (
            "epochs",
            "window_recognizer_epochs",
            "stride",
            "early_stopping",
            "least_steps",
            "warmup_steps",
            "beta_2",
            "initial_scale",
            "dropout",
            "l2",
            "sigma",
            "locality_weight",
            "label_smoothing",
        ):
            self._check(name, getattr(self, name) >= 0, "at least 0")
        for name in (
            "recognizer_epochs",
            "batch_size",
            "recognizer_batch_size",
            "units",
            "num_layers",
            "recognizer_units",
        ):
            self._check(name, getattr(self, name) >= 1, "at least 1")
        for name in ("learning_rate", "recognizer_learning_rate"):
            self._check(name, getattr(self, name) > 0, "more than 0")
        for name in ("dropout", "beta_2", "label_smoothing"):
            self._check(name, getattr(self, name) < 1, "less than 1")

    def passes(self, epochs: int, rows: int, batch_size: int) -> int:
        """Epochs of a training over so many rows: those asked for, or more where `least_steps` asks for more.

        None stay none.
        """
        return max(epochs, math.ceil(self.least_steps / math.ceil(rows / batch_size))) if epochs else 0

    def _check(self, name, holds, expected):
        if not holds:
            raise ValueError(f"{name}: expected {expected}, received {getattr(self, name)}.")


PRESETS = {
    "paper": Recipe(),
    "best": Recipe(
        epochs=1,
        recognizer_epochs=6,
        window_recognizer_epochs=20,
        least_steps=600,
        batch_size=256,
        recognizer_batch_size=512,
        learning_rate=4e-3,
        recognizer_learning_rate=1e-3,
        warmup_steps=20,
        beta_2=0.99,
        l2=1e-6,
        decay=True,
        recognizer_units=2048,
        dropout=0.5,
        whiten=True,
        label_smoothing=0.1,
        initial_scale=0.0,
        stride=3,
        mirror=True,
    ),
}
"""Recipes by name."""

PAPER_KGBD_RECOGNIZER_EPOCHS = 150
"""The published code trains KGBD's recognizer for half as long as the others."""


def recipe(preset: str = "paper", dataset: str | None = None, **changes: Any) -> Recipe:
    """A recipe by name, some of its fields changed.

    Args:
        preset: `"paper"` or `"best"`.
        dataset: The data set it is for; the published recipe is another for KGBD.
        **changes: Fields of `Recipe`; None leaves a field as it is. Epochs that are asked for are not added to: with
            them, `least_steps` is 0 unless it is asked for too. No epochs at all are a training left out.

    Raises:
        ValueError: An unknown preset or field, or a value that makes no sense.
    """
    if preset not in PRESETS:
        raise ValueError(f"preset: expected one of {', '.join(PRESETS)}, received {preset!r}.")
    unknown = set(changes) - {field.name for field in fields(Recipe)}
    if unknown:
        raise ValueError(f"recipe: expected fields of Recipe, received {', '.join(sorted(unknown))}.")
    changes = {name: value for name, value in changes.items() if value is not None}
    if preset == "paper" and dataset == "kgbd":
        changes = {"recognizer_epochs": PAPER_KGBD_RECOGNIZER_EPOCHS} | changes
    if any(name.endswith("epochs") and value for name, value in changes.items()):
        changes = {"least_steps": 0} | changes
    return replace(PRESETS[preset], **changes)
