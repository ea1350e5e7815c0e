from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="agegait")
class AxisLSTM(keras.layers.Layer):
    """An LSTM layer for several axes side by side: each axis has weights of its own and none sees another.

    The axes lead every tensor, so that a step is one batched matrix product instead of a product an axis. Gates are in
    Keras's order (input, forget, cell, output). States are kept in the variables' dtype, products are taken in the
    compute dtype: under `mixed_bfloat16` the cell does not lose what it adds up.

    Args:
        units: Size k of the state.
        axes: Number A of axes.
        forget_bias: Added to the forget gate before its sigmoid; a constant, not a weight, as in TensorFlow 1.

    Kernels start from U(-0.1, 0.1) and biases from zero, as in the published code.

    Call arguments:
        inputs: `[A, B, T, D]`.
        initial_state: Optional pair `(h, c)` of `[A, B, k]`; zeros where absent.

    Returns:
        The outputs `[A, B, T, k]` and the final state `(h, c)`.

    Raises:
        ValueError: The input has not four dimensions, or not `axes` axes.

    Reference:
        Hochreiter and Schmidhuber, Long Short-Term Memory, Neural Computation 1997.
    """

    def __init__(self, units: int, axes: int = 3, forget_bias: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.axes = axes
        self.forget_bias = forget_bias

    def build(self, input_shape):
        if len(input_shape) != 4 or input_shape[0] not in (None, self.axes):
            raise ValueError(f"inputs: expected [{self.axes}, B, T, D], received a shape of {tuple(input_shape)}.")

        def kernel(name, size):
            # An initializer of its own each: one instance gives kernels of equal shape equal values.
            return self.add_weight(
                name=name,
                shape=(self.axes, size, 4 * self.units),
                initializer=keras.initializers.RandomUniform(-0.1, 0.1),
            )

        self.kernel = kernel("kernel", input_shape[-1])
        self.recurrent_kernel = kernel("recurrent_kernel", self.units)
        self.bias = self.add_weight(name="bias", shape=(self.axes, 4 * self.units), initializer="zeros")

    def call(self, inputs, initial_state=None):
        _, batch, steps, size = ops.shape(inputs)
        # The input products of all steps are one product: only the recurrent ones have to wait for each other.
        projected = ops.matmul(ops.reshape(inputs, (self.axes, batch * steps, size)), self.kernel)
        projected = ops.reshape(projected, (self.axes, batch, steps, 4 * self.units))
        recurrent_kernel = ops.convert_to_tensor(self.recurrent_kernel)
        state = self.initial_state(batch) if initial_state is None else self.cast_state(initial_state)
        outputs = []
        for now in ops.unstack(projected, inputs.shape[2], axis=2):
            state = self.advance(now + ops.matmul(self.cast_product(state[0]), recurrent_kernel), state)
            outputs.append(self.cast_product(state[0]))
        return ops.stack(outputs, axis=2), tuple(self.cast_product(tensor) for tensor in state)

    def advance(self, products, state):
        """The next state from the sum of a step's products, `[A, B, 4k]`, and the state before it."""
        products = ops.cast(products, self.variable_dtype) + ops.expand_dims(self.float_bias(), 1)
        i, f, g, o = ops.split(products, 4, axis=-1)
        _, c = state
        c = ops.sigmoid(f + self.forget_bias) * c + ops.sigmoid(i) * ops.tanh(g)
        return ops.sigmoid(o) * ops.tanh(c), c

    def float_bias(self):
        """The bias in the variables' dtype, whatever the compute dtype."""
        return ops.cast(self.bias, self.variable_dtype)

    def initial_state(self, batch):
        """The state `(h, c)` of zeros, `[A, batch, k]` each."""
        zeros = ops.zeros((self.axes, batch, self.units), dtype=self.variable_dtype)
        return zeros, zeros

    def cast_state(self, state):
        """`(h, c)` in the dtype that states are kept in."""
        return tuple(ops.cast(tensor, self.variable_dtype) for tensor in state)

    def cast_product(self, tensor):
        """A tensor in the dtype that products are taken in."""
        return ops.cast(tensor, self.compute_dtype)

    def compute_output_shape(self, inputs_shape, initial_state_shape=None):
        axes, batch, steps, _ = inputs_shape
        state = (axes, batch, self.units)
        return (axes, batch, steps, self.units), (state, state)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "axes": self.axes,
            "forget_bias": self.forget_bias,
        }
