from typing import Any

import keras
import numpy as np
from keras import ops

from agegait.layers.tensors import Shape, Tensor
from agegait.layers.window_measures import NOTHING


@keras.saving.register_keras_serializable(package="agegait")
class JointDistances(keras.layers.Layer):
    """The distance of each pair of joints in each frame: how a body is built and bent, whichever way it turns.

    Call arguments:
        inputs: Walks `[..., J, 3]`, metres.

    Returns:
        `[..., J (J - 1) / 2]` metres: joint 0 to 1, 2 and so on, then joint 1 to 2. A mask of frames passes unchanged.

    Raises:
        ValueError: Inputs that do not end in three coordinates of at least two joints.

    Example:
        >>> walks = np.zeros((8, 300, 20, 3), "float32")
        >>> tuple(agegait.layers.JointDistances()(walks).shape)
        (8, 300, 190)
    """

    def __init__(self, **kwargs: Any) -> None:
        # No autocast: in bfloat16 a forearm would be known to a millimetre, and its changes not at all.
        super().__init__(autocast=False, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        self._check(inputs.shape)
        joints = ops.cast(inputs, self.variable_dtype)
        ones, others = np.triu_indices(joints.shape[-2], 1)
        apart = ops.take(joints, ones, axis=-2) - ops.take(joints, others, axis=-2)
        square = ops.sum(ops.square(apart), axis=-1)
        return ops.cast(ops.sqrt(ops.maximum(square, NOTHING)), self.compute_dtype)

    def _check(self, shape: Shape) -> None:
        if len(shape) < 2 or shape[-1] != 3 or shape[-2] is None or shape[-2] < 2:
            raise ValueError(f"inputs: expected [..., J, 3] of two joints or more, received a shape of {tuple(shape)}.")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        self._check(input_shape)
        joints = input_shape[-2]
        return (*input_shape[:-2], joints * (joints - 1) // 2)
