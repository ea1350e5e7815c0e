from typing import Any

import keras
import numpy as np
from keras import ops

from agegait.layers.adaptation import gather
from agegait.layers.tensors import Shape, Tensor


@keras.saving.register_keras_serializable(package="agegait")
class Whitening(keras.layers.Layer):
    """Standardises features and takes the correlation out of them, by what `adapt` has seen of the training data.

    The LSTM states that AGEs are made of are nearly collinear: a few directions carry most of the variance and little
    of who somebody is. After whitening every direction counts the same, and a network learns in a few passes what takes
    it hundreds otherwise.

    Args:
        epsilon: Added to the variance of each direction, as a share of a standardised feature's: directions far below
            it are noise and stay small.

    Call arguments:
        inputs: `[..., D]`.

    Returns:
        The same shape. Until `adapt`, the inputs themselves.

    Raises:
        ValueError: Fewer than two samples to adapt to, or samples that are not finite.

    Example:
        >>> ages = np.random.default_rng(0).normal(5, 2, (100, 6, 8))
        >>> whitening = agegait.layers.Whitening()
        >>> whitening.adapt(ages)
        >>> np.cov(np.reshape(whitening(ages), (-1, 8)).T).round(2)[0, :2] + 0.0  # near the identity
        array([1., 0.])
    """

    def __init__(self, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if epsilon <= 0:
            raise ValueError(f"epsilon: expected a positive number, received {epsilon}.")
        self.epsilon = epsilon
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        size = input_shape[-1]
        options = {"trainable": False, "autocast": False}
        self.mean = self.add_weight(name="mean", shape=(size,), initializer="zeros", **options)
        self.kernel = self.add_weight(name="kernel", shape=(size, size), initializer="identity", **options)

    def adapt(self, data: Any) -> None:
        """Takes mean and covariance from samples `[..., D]`: an array, or batches such as a `tf.data.Dataset`."""
        data = gather(data)
        data = np.reshape(data, (-1, data.shape[-1]))
        if len(data) < 2 or not np.isfinite(data).all():
            raise ValueError(f"data: expected at least two finite samples, received {len(data)} of {data.dtype}.")
        if not self.built:
            self.build(data.shape)
        mean = data.mean(axis=0, dtype="float64")
        covariance = _covariance(data, mean)
        scale = np.sqrt(np.maximum(np.diag(covariance), 0))
        # A feature that never changes says nothing, and would be divided by zero.
        scale = np.where(scale > 1e-12 * max(scale.max(), 1e-12), scale, np.inf)
        variances, directions = np.linalg.eigh(covariance / np.outer(scale, scale))
        kernel = directions / np.sqrt(np.maximum(variances, 0) + self.epsilon)
        self.mean.assign(mean)
        self.kernel.assign(kernel / scale[:, None])

    @property
    def adapted(self) -> bool:
        """Whether the weights are other than those a layer starts with."""
        return self.built and bool(ops.any(self.mean != 0) or ops.any(self.kernel != ops.eye(self.mean.shape[0])))

    def call(self, inputs: Tensor) -> Tensor:
        # The mean goes first, in the variables' dtype: what is left of the small directions would drown in it.
        centred = ops.cast(inputs, self.variable_dtype) - self.mean
        return ops.cast(ops.matmul(centred, self.kernel), self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "epsilon": self.epsilon}


def _covariance(data: np.ndarray, mean: np.ndarray, rows: int = 65536) -> np.ndarray:
    """In float64 some rows at a time: the AGEs of a whole data set would not fit in that precision."""
    total = np.zeros((data.shape[1], data.shape[1]))
    for start in range(0, len(data), rows):
        part = data[start : start + rows] - mean
        total += part.T @ part
    return total / len(data)
