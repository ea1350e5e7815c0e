from dataclasses import dataclass
from typing import Any, ClassVar

import keras

from agegait.data import Walks
from agegait.models import ContrastiveGaitEncoder, GaitEncoder, WalkEncodings
from agegait.training import optimizers
from agegait.training.recipes import PRESETS, Recipe

LEARNING = ("reconstruction", "cage")
"""What an encoder may learn by."""

CAGE_TEMPERATURE = 0.5
"""The published code's temperature for KGBD."""

_ENCODER = ("units", "num_layers", "sigma", "locality_weight", "l2")
"""Fields of a recipe that are arguments of an encoder."""


@dataclass(frozen=True)
class EncodingTraining:
    """The training of an encoder of windows whose features then stand for whole walks; no label of a person is read.

    | learning | loss |
    |---|---|
    | `"reconstruction"` | windows rebuilt in reverse, the paper's AGEs |
    | `"cage"` | the same, and contrast between windows that follow each other: the contrastive AGEs of its successor |

    Both are trained on windows that do not overlap. Those of `"cage"` come in the order of their
    walks, since a batch contrasts neighbours.

    Attributes:
        learning: One of the two.
        recipe: How the encoder is trained.
        temperature: Of the contrast.
        seed: Of first weights and orders.

    Example:
        >>> encodings = agegait.training.EncodingTraining("cage").fit(walks)
        >>> encodings.embed(others)
    """

    LEARNING: ClassVar = LEARNING

    learning: str = "reconstruction"
    recipe: Recipe = PRESETS["best"]
    temperature: float = CAGE_TEMPERATURE
    seed: int = 0

    def __post_init__(self) -> None:
        if self.learning not in LEARNING:
            known = ", ".join(LEARNING)
            raise ValueError(f"learning: expected one of {known}, received {self.learning!r}.")

    def fit(self, walks: Walks) -> WalkEncodings:
        """Trains an encoder, and takes what its AGEs are whitened by from the same walks.

        Args:
            walks: Training walks; their people are not read.

        Raises:
            ValueError: No walk is as long as a window.
        """
        keras.utils.set_random_seed(self.seed)
        recipe = self.recipe
        options: dict[str, Any] = {name: getattr(recipe, name) for name in _ENCODER}
        options["joints"] = walks.skeletons[0].shape[1]
        if self.learning == "cage":
            encoder: GaitEncoder = ContrastiveGaitEncoder(temperature=self.temperature, **options)
        else:
            encoder = GaitEncoder(**options)
        windows, numbers = walks.windows(encoder.frames)
        windows = windows - windows[:, :, :1]  # around the hip
        encoder.build((None, *windows.shape[1:]))
        if epochs := recipe.passes(recipe.epochs, len(windows), recipe.batch_size):
            steps = epochs * -(-len(windows) // recipe.batch_size)
            encoder.compile(optimizers.encoder_optimizer(recipe, steps))
            encoder.fit(windows, numbers, batch_size=recipe.batch_size, epochs=epochs, verbose=0)
        encodings = WalkEncodings(_uncompiled(encoder))
        encodings.adapt(walks.skeletons)
        return encodings


def _uncompiled(encoder: GaitEncoder) -> GaitEncoder:
    """The same encoder without its optimizer, whose state nobody needs any more."""
    clone = type(encoder).from_config(encoder.get_config())
    clone.build((None, encoder.frames, encoder.joints, 3))
    clone.set_weights(encoder.get_weights())
    return clone
