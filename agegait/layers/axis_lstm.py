from typing import Any

import keras
from keras import ops

from agegait.layers.few_rows_lstm_cell import FEW_ROWS, FewRowsLSTMCell
from agegait.layers.lstm_cell import LSTMCell
from agegait.layers.tensors import Shape, State, Tensor


def has_few_rows(inputs: Any) -> bool:
    """Whether a batch `[A, B, ...]` is known to have few rows."""
    rows = inputs.shape[1]
    return rows is not None and rows <= FEW_ROWS


@keras.saving.register_keras_serializable(package="agegait")
class AxisLSTM(keras.layers.Layer):
    """An LSTM layer for several axes side by side: each axis has weights of its own and none sees another.

    The axes lead every tensor; inside, each has an `LSTMCell`, whose products are small enough to stay in a CPU's
    cache. Gates are in Keras's order (input, forget, cell, output). The cell's memory c is kept in the variables'
    dtype, all else in the compute dtype: under `mixed_bfloat16` it does not lose what it adds up.

    Args:
        units: Size k of the state.
        axes: Number A of axes.
        forget_bias: Added to the forget gate before its sigmoid; a constant, not a weight, as in TensorFlow 1.

    Kernels start from U(-0.1, 0.1) and biases from zero, as in the published code.

    Call arguments:
        inputs: `[A, B, T, D]`.
        initial_state: Optional pair `(h, c)` of `[A, B, k]`; zeros where absent.
        few: Whether the batch has few rows. Another order of computation is faster then; results differ by rounding
            alone. Where absent, a batch of known size has if it is at most 16.

    Returns:
        The outputs `[A, B, T, k]` and the final state `(h, c)`.

    Raises:
        ValueError: The input has not four dimensions, or not `axes` axes.

    Example:
        >>> windows = np.ones((3, 2, 6, 20), "float32")  # x, y and z of two windows of six frames
        >>> outputs, (h, c) = agegait.layers.AxisLSTM(units=8)(windows)
        >>> outputs.shape, h.shape
        (TensorShape([3, 2, 6, 8]), TensorShape([3, 2, 8]))

    Reference:
        Hochreiter and Schmidhuber, Long Short-Term Memory, Neural Computation 1997.
    """

    def __init__(self, units: int, axes: int = 3, forget_bias: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.axes = axes
        self.forget_bias = forget_bias

    def build(self, input_shape: Shape) -> None:
        if len(input_shape) != 4 or input_shape[0] not in (None, self.axes):
            raise ValueError(f"inputs: expected [{self.axes}, B, T, D], received a shape of {tuple(input_shape)}.")

        def kernel(name: str, size: int) -> keras.Variable:
            # An initializer of its own each: one instance gives kernels of equal shape equal values.
            return self.add_weight(
                name=name,
                shape=(self.axes, size, 4 * self.units),
                initializer=keras.initializers.RandomUniform(-0.1, 0.1),
            )

        self.kernel = kernel("kernel", input_shape[-1])
        self.recurrent_kernel = kernel("recurrent_kernel", self.units)
        self.bias = self.add_weight(name="bias", shape=(self.axes, 4 * self.units), initializer="zeros")

    def call(self, inputs: Tensor, initial_state: State | None = None, few: bool | None = None) -> tuple[Tensor, State]:
        begin = [None] * self.axes if initial_state is None else self.states_by_axis(initial_state)
        cells = self.cells(few=has_few_rows(inputs) if few is None else few)
        by_axis = zip(cells, ops.unstack(inputs, self.axes), begin, strict=True)
        outputs, states = zip(*(cell.over(window, state) for cell, window, state in by_axis), strict=True)
        h, c = (ops.stack(part) for part in zip(*states, strict=True))
        return ops.stack(outputs), (h, ops.cast(c, self.compute_dtype))

    def cells(self, unread: int = 0, few: bool = False) -> list[LSTMCell]:
        """A cell for each axis, without the kernel's first `unread` rows: those of inputs that are left out as zero.

        `few` is as in a call.
        """
        kind = FewRowsLSTMCell if few else LSTMCell
        kernels, recurrent_kernels, biases = (
            ops.unstack(ops.convert_to_tensor(weight), self.axes)
            for weight in (self.kernel, self.recurrent_kernel, self.bias)
        )
        return [
            kind(kernel[unread:], recurrent_kernel, bias, self.forget_bias, self.variable_dtype)
            for kernel, recurrent_kernel, bias in zip(kernels, recurrent_kernels, biases, strict=True)
        ]

    def states_by_axis(self, state: State) -> list[State]:
        """`(h, c)` of `[A, B, k]` each as a pair an axis, in the dtypes that cells keep them in."""
        h, c = state
        c = ops.cast(c, self.variable_dtype)
        return list(zip(ops.unstack(h, self.axes), ops.unstack(c, self.axes), strict=True))

    def compute_output_shape(
        self, inputs_shape: Shape, initial_state_shape: Any = None
    ) -> tuple[Shape, tuple[Shape, Shape]]:
        axes, batch, steps, _ = inputs_shape
        state = (axes, batch, self.units)
        return (axes, batch, steps, self.units), (state, state)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "axes": self.axes,
            "forget_bias": self.forget_bias,
        }
