"""Training recipes by name: the published one, and the best we know."""

import math
import operator
import types
from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any

from agegait.storage.records import is_of, words

PUBLISHED_BATCH = 128
"""The batch over which the published code sums its losses."""

LEARNING = ("persons", "walks", "contrast", "clusters")
"""What the training of an embedder may tell apart."""


def _option(default: Any, text: str, part: str, **about: Any) -> Any:
    """A field of a recipe, and all that is said of it.

    Args:
        default: The published value; None where there is none.
        text: What it is, for the command line.
        part: What it changes: the `"encoder"`, the `"recognizer"`, the `"embedder"`, or `"all"`.
        **about: Of numbers `at_least`, `more_than` and `less_than`, which bound it; of names the `choices`;
            `logarithmic` where the step from 1 to 2 is as long as that from 10 to 20; `epochs` where it is what a
            training costs; `search` is what a search varies by default.
    """
    return field(default=default, metadata={"help": text, "part": part, **about})


@dataclass(frozen=True)
class Recipe:
    """How the encoder and the recognizer are trained; the defaults are the published code's.

    Each field is also an option of `agegait train`. Its `metadata` says what it is, its bounds, its scale and the part
    of the training that it changes, see `_option`.

    Raises:
        ValueError: A value that is not of its field's type, or a number that makes no sense, by its name.
    """

    epochs: int = _option(400, "epochs of the encoder", "encoder", at_least=0, epochs=True)
    recognizer_epochs: int = _option(300, "epochs of the recognizer", "recognizer", at_least=1, epochs=True)
    least_steps: int = _option(
        0, "fewest steps of a training; small data sets get more epochs for it", "all", at_least=0, epochs=True
    )
    batch_size: int = _option(
        PUBLISHED_BATCH, "batch size of the encoder, in windows", "encoder", at_least=1, logarithmic=True
    )
    recognizer_batch_size: int = _option(
        PUBLISHED_BATCH,
        "batch size of the recognizer, in frames (ap) or windows (sc)",
        "recognizer",
        at_least=1,
        logarithmic=True,
    )
    learning_rate: float = _option(
        5e-4, "initial learning rate of the encoder", "encoder", more_than=0, logarithmic=True, search="1e-4:1e-2"
    )
    recognizer_learning_rate: float = _option(
        5e-4, "initial learning rate of the recognizer", "recognizer", more_than=0, logarithmic=True, search="1e-4:1e-2"
    )
    warmup_steps: int = _option(0, "warm-up steps of the encoder's learning rate", "encoder", at_least=0)
    beta_2: float = _option(0.999, "beta_2 of Adam for the encoder", "encoder", at_least=0, less_than=1)
    l2: float = _option(
        0.02 / PUBLISHED_BATCH,
        "weight of the encoder's L2 loss, half the sum of squared weights",
        "encoder",
        at_least=0,
        logarithmic=True,
        search="1e-6:1e-3",
    )
    decay: bool = _option(False, "cosine decay of learning rates to zero", "all")
    units: int = _option(256, "units k of the encoder", "encoder", at_least=1, logarithmic=True, search="32:512")
    num_layers: int = _option(2, "LSTM layers of the encoder and of the decoder", "encoder", at_least=1, search="1:3")
    sigma: float | None = _option(
        None,
        "width of the locality in frames; none for half the window",
        "encoder",
        more_than=0,
        logarithmic=True,
        search="1:6",
    )
    locality_weight: float = _option(
        1.0, "weight of the locality loss", "encoder", at_least=0, logarithmic=True, search="0.1:10"
    )
    recognizer_units: int = _option(
        256, "hidden units of the recognizer", "recognizer", at_least=1, logarithmic=True, search="128:2048"
    )
    dropout: float = _option(
        0.0,
        "dropout rate of the recognizer's hidden layer",
        "recognizer",
        at_least=0,
        less_than=1,
        search="0:0.7",
    )
    normalize: str | None = _option(
        None,
        "normalization of AGEs by the training set; whitening removes their correlation too",
        "recognizer",
        choices=("standardize", "whiten"),
        search="none,standardize,whiten",
    )
    label_smoothing: float = _option(
        0.0,
        "label smoothing of the recognizer",
        "recognizer",
        at_least=0,
        less_than=1,
    )
    initial_scale: float | None = _option(
        1.0,
        "standard deviation of the recognizer's initial weights; none for Glorot uniform",
        "recognizer",
        more_than=0,
    )
    embedder_epochs: int | None = _option(
        None,
        "epochs of an embedder, which identifies whole walks, and people who are not trained on; none to leave it out",
        "embedder",
        at_least=1,
        epochs=True,
    )
    embedder_learning: str = _option(
        "persons",
        "what the embedder tells apart: persons, or without labels walks, contrast (two clips of a walk) or clusters",
        "embedder",
        choices=LEARNING,
    )
    stride: int | None = _option(
        None, "frames from a training window to the next; none as in the papers", "all", at_least=1
    )
    mirror: bool = _option(False, "train on mirrored windows too", "all")
    early_stopping: int | None = _option(
        None, "stop after so many epochs without a better validation; none for never", "all", at_least=1
    )

    def __post_init__(self) -> None:
        for about in fields(self):
            value, metadata = getattr(self, about.name), about.metadata
            none = " or none" if optional(about) else ""
            if value is None and none:
                continue
            if "choices" not in metadata and not is_of(value, kind(about)):
                raise ValueError(f"{about.name}: expected {words(kind(about))}{none}, received {value!r}.")
            for name, expected, holds in _BOUNDS:
                if name in metadata and not holds(value, metadata[name]):
                    bound = ", ".join(metadata[name]) if name == "choices" else metadata[name]
                    raise ValueError(f"{about.name}: expected {expected} {bound}{none}, received {value}.")

    def passes(self, epochs: int | None, rows: int, batch_size: int) -> int:
        """Epochs of a training over so many rows: the recipe's, or more where `least_steps` needs more.

        None stay none.
        """
        return max(epochs, math.ceil(self.least_steps / math.ceil(rows / batch_size))) if epochs else 0


_BOUNDS: tuple[tuple[str, str, Callable[[Any, Any], bool]], ...] = (
    ("at_least", "at least", operator.ge),
    ("more_than", "more than", operator.gt),
    ("less_than", "less than", operator.lt),
    ("choices", "one of", lambda value, choices: value in choices),
)


def kind(about: Field) -> type:
    """The type of a field; of an optional one that of its values."""
    types_of_field: tuple[Any, ...] = getattr(about.type, "__args__", (about.type,))
    return next(one for one in types_of_field if one is not types.NoneType)


def optional(about: Field) -> bool:
    """Whether a field may be None."""
    return types.NoneType in getattr(about.type, "__args__", ())


PRESETS = {
    "paper": Recipe(),
    "best": Recipe(
        epochs=1,
        recognizer_epochs=6,
        embedder_epochs=8,
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
        normalize="whiten",
        label_smoothing=0.1,
        initial_scale=None,
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
        **changes: Fields of `Recipe`. Epochs given here are not increased: with them, `least_steps` is 0 unless
            it is given too. With 0 epochs nothing is trained.

    Raises:
        ValueError: An unknown preset or field, or a value that makes no sense.
    """
    if preset not in PRESETS:
        raise ValueError(f"preset: expected one of {', '.join(PRESETS)}, received {preset!r}.")
    unknown = set(changes) - {field.name for field in fields(Recipe)}
    if unknown:
        raise ValueError(f"recipe: expected fields of Recipe, received {', '.join(sorted(unknown))}.")
    if preset == "paper" and dataset == "kgbd":
        changes = {"recognizer_epochs": PAPER_KGBD_RECOGNIZER_EPOCHS} | changes
    if any(name.endswith("epochs") and value for name, value in changes.items()):
        changes = {"least_steps": 0} | changes
    return replace(PRESETS[preset], **changes)
