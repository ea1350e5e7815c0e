from typing import Any

import keras
import numpy as np
from keras import ops

from agegait.layers.adaptation import gather
from agegait.layers.tensors import Shape, Tensor


@keras.saving.register_keras_serializable(package="agegait")
class Standardization(keras.layers.Layer):
    """Brings each feature to mean 0 and variance 1 over the training data that `adapt` has read.

    Keras's `Normalization` does the same, but keeps a copy of its weights that `set_weights` does not renew.

    Call arguments:
        inputs: `[..., D]`.

    Returns:
        The same shape. Until `adapt`, the inputs themselves.

    Raises:
        ValueError: Data to adapt to that are not finite numbers.

    Example:
        >>> ages = np.random.default_rng(0).normal(5, 2, (100, 6, 8))
        >>> standardization = agegait.layers.Standardization()
        >>> standardization.adapt(ages)
        >>> float(abs(np.mean(standardization(ages)))) < 1e-4
        True
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        options = {"shape": (input_shape[-1],), "trainable": False, "autocast": False}
        self.mean = self.add_weight(name="mean", initializer="zeros", **options)
        self.variance = self.add_weight(name="variance", initializer="ones", **options)

    def adapt(self, data: Any) -> None:
        """Takes mean and variance from samples `[..., D]`: an array, or batches such as a `tf.data.Dataset`."""
        data = gather(data)
        data = np.reshape(data, (-1, data.shape[-1]))
        if not len(data) or not np.isfinite(data).all():
            raise ValueError(f"data: expected finite samples, received {len(data)} of {data.dtype}.")
        if not self.built:
            self.build(data.shape)
        self.mean.assign(np.mean(data, axis=0))
        self.variance.assign(np.var(data, axis=0))

    @property
    def adapted(self) -> bool:
        """Whether the weights are other than those a layer starts with."""
        return self.built and bool(ops.any(self.mean != 0) or ops.any(self.variance != 1))

    def call(self, inputs: Tensor) -> Tensor:
        centred = ops.cast(inputs, self.variable_dtype) - self.mean
        return ops.cast(centred / ops.maximum(ops.sqrt(self.variance), keras.config.epsilon()), self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape
