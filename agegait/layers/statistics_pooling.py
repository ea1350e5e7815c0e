from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="agegait")
class StatisticsPooling(keras.layers.Layer):
    """Mean and standard deviation of each feature over the frames of a walk, whatever their number.

    Args:
        epsilon: Added to the variance before its root is taken: a root has no slope at zero.

    Call arguments:
        inputs: `[B, T, D]`.
        mask: Optional `[B, T]`, whether a frame is one of the walk; those that are not have no part in it.

    Returns:
        `[B, 2 D]`: means, then standard deviations. No mask. A walk without frames has means of 0.

    Raises:
        ValueError: Inputs of another rank, or an epsilon that is not positive.

    Example:
        >>> tuple(agegait.layers.StatisticsPooling()(np.zeros((8, 300, 256))).shape)
        (8, 512)

    Reference:
        Snyder et al., X-Vectors: Robust DNN Embeddings for Speaker Recognition, ICASSP 2018, section 2.1.
    """

    def __init__(self, epsilon: float = 1e-5, **kwargs: Any) -> None:
        # No autocast, and sums in the variables' dtype: hundreds of frames added up in bfloat16 would lose most of it.
        super().__init__(autocast=False, **kwargs)
        if not epsilon > 0:
            raise ValueError(f"epsilon: expected a positive number, received {epsilon}.")
        self.epsilon = epsilon
        self.supports_masking = True

    def call(self, inputs, mask=None):
        self._check(inputs.shape)
        values = ops.cast(inputs, self.variable_dtype)
        if mask is None:
            mean, variance = ops.mean(values, axis=1), ops.var(values, axis=1)
        else:
            inside = ops.expand_dims(ops.cast(mask, "bool"), -1)  # [B, T, 1]
            count = ops.maximum(ops.sum(ops.cast(inside, values.dtype), axis=1), 1.0)
            # where, not a product: padding may hold anything.
            mean = ops.sum(ops.where(inside, values, 0.0), axis=1) / count
            centred = ops.where(inside, values - ops.expand_dims(mean, 1), 0.0)
            variance = ops.sum(ops.square(centred), axis=1) / count
        deviation = ops.sqrt(variance + self.epsilon)
        return ops.cast(ops.concatenate([mean, deviation], axis=-1), self.compute_dtype)

    def compute_mask(self, inputs, mask=None):
        return None

    def _check(self, shape):
        if len(shape) != 3:
            raise ValueError(f"inputs: expected [B, T, D], received a shape of {tuple(shape)}.")

    def compute_output_shape(self, input_shape):
        self._check(input_shape)
        return input_shape[0], 2 * input_shape[2]

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
