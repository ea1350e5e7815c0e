from typing import Any

import keras
from keras import ops

from agegait.layers.initializers import glorot_uniform
from agegait.layers.tensors import Shape, Tensor


@keras.saving.register_keras_serializable(package="agegait")
class BasicAttention(keras.layers.Layer):
    """Luong's general attention over several axes side by side (BA).

    The score of step t for frame j is g_t . (W_m h_j); the weights a_t are its softmax over the frames, the context is
    c_t = sum_j a_t(j) h_j over the encoder's raw outputs.

    Args:
        units: Size k of a query.
        axes: Number A of axes.

    Call arguments:
        query: The decoder's outputs g, `[A, B, S, k]`.
        value: The encoder's outputs h, `[A, B, f, k]`.

    Returns:
        The contexts `[A, B, S, k]` and the weights `[A, B, S, f]`, each row of which sums to 1.

    Example:
        >>> query, value = np.ones((3, 2, 5, 8), "float32"), np.ones((3, 2, 6, 8), "float32")
        >>> contexts, weights = agegait.layers.BasicAttention(units=8)(query, value)
        >>> contexts.shape, weights.shape
        (TensorShape([3, 2, 5, 8]), TensorShape([3, 2, 5, 6]))

    Reference:
        Luong et al., Effective Approaches to Attention-based Neural Machine Translation, EMNLP 2015; Rao et al., IJCAI
        2020, equations 5 and 6.
    """

    def __init__(self, units: int, axes: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.axes = axes

    def build(self, query_shape: Shape, value_shape: Shape | None = None) -> None:
        size = (value_shape or query_shape)[-1]
        self.kernel = self.add_weight(
            name="kernel", shape=(self.axes, size, self.units), initializer=glorot_uniform(size, self.units)
        )

    def call(self, query: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        return self.attend(query, self.keys(value), value)

    def keys(self, value: Tensor) -> Tensor:
        """W_m h_j for every frame, `[A, B, f, k]`: the same at every step of the decoder."""
        axes, batch, frames, size = ops.shape(value)
        keys = ops.matmul(ops.reshape(value, (axes, batch * frames, size)), self.kernel)
        return ops.reshape(keys, (axes, batch, frames, self.units))

    def attend(self, query: Tensor, keys: Tensor, value: Tensor, first: int = 0) -> tuple[Tensor, Tensor]:
        """The contexts and weights of some steps, from keys that are already there; `first` (from 0) begins them.

        All tensors are as those of a call, or all without the leading axis.
        """
        weights = ops.cast(self.weigh(query, keys, first), self.compute_dtype)
        return ops.matmul(weights, value), weights

    def weigh(self, query: Tensor, keys: Tensor, first: int = 0) -> Tensor:
        """The weights alone, in the variables' dtype; they do not depend on which steps they are of."""
        scores = ops.matmul(query, ops.swapaxes(keys, -1, -2))
        return ops.softmax(ops.cast(scores, self.variable_dtype), axis=-1)

    def compute_output_shape(self, query_shape: Shape, value_shape: Shape) -> tuple[Shape, Shape]:
        axes, batch, steps, _ = query_shape
        return (axes, batch, steps, value_shape[-1]), (axes, batch, steps, value_shape[2])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "axes": self.axes}
