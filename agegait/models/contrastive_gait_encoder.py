from typing import Any

import keras
from keras import ops

from agegait.layers.tensors import Inputs, Shape, Tensor
from agegait.losses import ConsecutiveContrast
from agegait.models.gait_encoder import GaitEncoder
from agegait.models.inputs import skeletons_of

PUBLISHED_BATCH = 128
"""The batch over which the published code sums the reconstruction, and not the contrast."""


@keras.saving.register_keras_serializable(package="agegait")
class ContrastiveGaitEncoder(GaitEncoder):
    """A `GaitEncoder` that also learns to tell windows that follow each other in a walk from others.

    Its AGEs are the contrastive AGEs (CAGEs) of the paper's successor. On each axis, a head of two dense layers
    projects a window's AGEs, all of its frames joined, and `agegait.losses.ConsecutiveContrast` contrasts what it
    gives. The head is for training alone.

    What the published code says, and is so here: the head (k units, ReLU, then k units), its first weights N(0, 1),
    the loss of an axis, its weight of 1 beside sums over a batch of 128, batches in the order of the recordings, and
    that features are the AGEs, not the projections. Our own choice: windows of different walks are never a pair.

    `fit` takes windows in the order of their walks, and the number of each window's walk in place of labels.

    Args:
        contrast_weight: Weight of the contrastive loss, beside means over the batch of all other losses.
        temperature: Of the contrastive loss, more than 0; the published code has 0.1, and 0.5 for KGBD.
        **kwargs: As of `GaitEncoder`.

    Call arguments:
        inputs: As of `GaitEncoder`.
        few: As of `GaitEncoder`.

    Returns:
        As `GaitEncoder`, and `"projections"`: `[B, 3, k]`, what is contrasted on each axis.

    Raises:
        ValueError: As `GaitEncoder`; a negative weight, or a temperature that is not positive.

    Example:
        >>> windows = np.random.default_rng(0).normal(size=(8, 6, 20, 3))
        >>> encoder = agegait.ContrastiveGaitEncoder(units=8, num_layers=1)
        >>> encoder.compile(optimizer="adam")
        >>> history = encoder.fit(windows, np.array([0, 0, 0, 0, 1, 1, 1, 1]), verbose=0)
        >>> encoder.predict(windows, verbose=0)["ages"].shape
        (8, 6, 24)

    Reference:
        Rao et al., A Self-Supervised Gait Encoding Approach with Locality-Awareness for 3D Skeleton Based Person
        Re-Identification, TPAMI 2021, and its code.
    """

    def __init__(self, contrast_weight: float = 1 / PUBLISHED_BATCH, temperature: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if contrast_weight < 0:
            raise ValueError(f"contrast_weight: expected at least 0, received {contrast_weight}.")
        self.contrast_weight = contrast_weight
        self.temperature = temperature
        self.contrast = ConsecutiveContrast(temperature)
        self.contrast_tracker = keras.metrics.Mean(name="contrast_loss")

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        drawn = keras.initializers.RandomNormal(stddev=1.0)
        joined = self.frames * self.units
        self.head = [
            self.add_weight(shape=shape, initializer=first, name=name)
            for name, shape, first in (
                ("head_kernel", (self.AXES, joined, self.units), drawn),
                ("head_bias", (self.AXES, 1, self.units), "zeros"),
                ("projection_kernel", (self.AXES, self.units, self.units), drawn),
                ("projection_bias", (self.AXES, 1, self.units), "zeros"),
            )
        ]

    def call(self, inputs: Inputs, few: bool | None = None) -> dict[str, Tensor]:
        found = super().call(inputs, few=few)
        ages = ops.cast(found["ages"], self.variable_dtype)
        by_axis = ops.transpose(ops.reshape(ages, (-1, self.frames, self.AXES, self.units)), (2, 0, 1, 3))
        joined = ops.reshape(by_axis, (self.AXES, -1, self.frames * self.units))
        kernel, bias, projection, offset = self.head
        hidden = ops.relu(ops.matmul(joined, kernel) + bias)
        projections = ops.matmul(hidden, projection) + offset  # [3, B, k]
        return {**found, "projections": ops.transpose(projections, (1, 0, 2))}

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """As of `GaitEncoder`, and the contrast between windows; `y` is the number of each window's walk, `[B]`."""
        if y is None:
            raise ValueError("y: expected the number of each window's walk, received none.")
        losses = super().compute_loss(x, None, y_pred, sample_weight, training)
        projections = y_pred["projections"]
        contrast = sum(self.contrast(y, projections[:, axis]) for axis in range(self.AXES))
        self.contrast_tracker.update_state(contrast)
        return losses + self.contrast_weight * contrast

    def fit(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, **kwargs: Any
    ) -> keras.callbacks.History:
        """As `keras.Model.fit`, on windows in the order of their walks, never shuffled, and the walks' numbers."""
        if kwargs.setdefault("shuffle", False):
            raise ValueError("shuffle: expected False, as windows are contrasted in the order of their walks.")
        return keras.Model.fit(self, skeletons_of(x), y, batch_size=batch_size, **kwargs)

    def evaluate(self, x: Any = None, y: Any = None, batch_size: int | None = None, **kwargs: Any) -> Any:
        """As `keras.Model.evaluate`, on what `fit` takes."""
        return keras.Model.evaluate(self, skeletons_of(x), y, batch_size=batch_size, **kwargs)

    def compute_output_shape(self, input_shape: Shape) -> dict[str, Shape]:
        shapes = super().compute_output_shape(input_shape)
        return {**shapes, "projections": (skeletons_of(input_shape)[0], self.AXES, self.units)}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "contrast_weight": self.contrast_weight,
            "temperature": self.temperature,
        }
