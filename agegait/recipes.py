"""Training recipes by name: the published one, and the best we know."""

from dataclasses import dataclass

import keras

PUBLISHED_BATCH = 128
"""The batch over which the published code sums its losses."""


@dataclass(frozen=True)
class Recipe:
    """How the encoder and the recognizer are trained.

    Attributes:
        epochs: Passes over the training windows for the encoder.
        recognizer_epochs: Passes over the training AGEs for the recognizer.
        batch_size: Windows of an encoder's batch.
        recognizer_batch_size: Rows of a recognizer's batch: frames with manner `"ap"`, windows with `"sc"`.
        learning_rate: The encoder's; Adam's first.
        recognizer_learning_rate: The recognizer's.
        decay: Whether learning rates fall to zero along a cosine.
        units: Units k of the encoder.
        recognizer_units: Hidden units of the recognizer, a number for each layer.
        dropout: Share of the recognizer's hidden units dropped in training.
        standardize: Whether the recognizer standardises AGEs over the training set.
        kernel_initializer: Of the recognizer.
        stride: Frames from a training window to the next; the window's length where None: no overlap.
    """

    epochs: int
    recognizer_epochs: int
    batch_size: int = PUBLISHED_BATCH
    recognizer_batch_size: int = PUBLISHED_BATCH
    learning_rate: float = 5e-4
    recognizer_learning_rate: float = 5e-4
    decay: bool = False
    units: int = 256
    recognizer_units: tuple[int, ...] = (256,)
    dropout: float = 0.0
    standardize: bool = False
    kernel_initializer: str = "random_normal_1"
    stride: int | None = None


def paper_optimizer() -> keras.optimizers.Optimizer:
    """The published encoder's optimizer: Adam at 5e-4, gradients clipped elementwise to [-5, 5].

    Our losses are the published sums over a batch divided by 128; so are the gradients, the clipping and epsilon here,
    and the steps are the published ones.
    """
    return keras.optimizers.Adam(5e-4, epsilon=1e-8 / PUBLISHED_BATCH, clipvalue=5 / PUBLISHED_BATCH)
