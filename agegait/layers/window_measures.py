from typing import Any

import keras
import numpy as np
from keras import ops

from agegait.layers.tensors import Shape, Tensor

NOTHING = 1e-12
"""Below it a square counts as that: a root has no slope at zero."""


@keras.saving.register_keras_serializable(package="agegait")
class WindowMeasures(keras.layers.Layer):
    """What a window says by itself: where its joints are, and how far each is from every other.

    The mean of a distance over the frames says how the body is built, its deviation how it moves, wherever the person
    turns to.

    Call arguments:
        inputs: Windows `[B, f, J, 3]`, metres.

    Returns:
        `[B, 3 f J + J (J - 1)]` metres: the coordinates joined, the mean distance of each pair of joints, the standard
        deviation of each. Pairs are joint 0 with 1, 2 and so on, then joint 1 with 2.

    Raises:
        ValueError: Inputs of another rank, or that do not end in three coordinates.

    Example:
        >>> windows = np.random.default_rng(0).normal(size=(2, 6, 20, 3))
        >>> agegait.layers.WindowMeasures()(windows).shape  # 3 * 6 * 20 + 20 * 19
        TensorShape([2, 740])
    """

    def __init__(self, **kwargs: Any) -> None:
        # No autocast: in bfloat16 a forearm would be known to a millimetre and its deviation not at all.
        super().__init__(autocast=False, **kwargs)

    def call(self, inputs: Tensor) -> Tensor:
        self._check(inputs.shape)
        windows = ops.cast(inputs, self.variable_dtype)
        _, frames, joints, _ = windows.shape
        ones, others = np.triu_indices(joints, 1)
        apart = ops.take(windows, ones, axis=2) - ops.take(windows, others, axis=2)
        distances = ops.sqrt(ops.maximum(ops.sum(ops.square(apart), axis=-1), NOTHING))
        mean, variance = ops.mean(distances, axis=1), ops.var(distances, axis=1)
        deviation = ops.sqrt(ops.maximum(variance, NOTHING))
        coordinates = ops.reshape(windows, (-1, 3 * frames * joints))
        return ops.cast(ops.concatenate([coordinates, mean, deviation], axis=-1), self.compute_dtype)

    def _check(self, shape: Shape) -> None:
        if len(shape) != 4 or shape[3] != 3:
            raise ValueError(f"inputs: expected windows [B, f, J, 3], received a shape of {tuple(shape)}.")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        self._check(input_shape)
        batch, frames, joints, _ = input_shape
        return batch, 3 * frames * joints + joints * (joints - 1)
