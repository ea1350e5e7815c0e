from collections.abc import Sequence
from typing import Any

from keras import ops

from agegait.layers.tensors import State


class LSTMCell:
    """One axis of an `AxisLSTM` at work, its weights laid out once for all steps.

    Each gate has a product of its own and not a quarter of a wide one: a backend can then take bias and activation
    along with the product, as TensorFlow does on CPUs, and no gate has to be cut out of its neighbours.

    Args:
        kernel: `[D, 4k]`, gates in the order input, forget, cell, output.
        recurrent_kernel: `[k, 4k]`.
        bias: `[4k]`.
        forget_bias: Added to the forget gate before its sigmoid.
        state_dtype: What c is kept in, whatever the kernels' dtype: it must not lose what it adds up.
    """

    def __init__(self, kernel: Any, recurrent_kernel: Any, bias: Any, forget_bias: float, state_dtype: str) -> None:
        i, f, g, o = ops.split(bias, 4)
        self.biases = i, f + forget_bias, g, o
        self.kernels = ops.split(kernel, 4, axis=-1)
        self.recurrent_kernels = ops.split(recurrent_kernel, 4, axis=-1)
        self.both_kernels = [
            ops.concatenate(pair, axis=0) for pair in zip(self.kernels, self.recurrent_kernels, strict=True)
        ]
        self.state_dtype = state_dtype

    def over(self, window: Any, state: State | None) -> tuple[Any, State]:
        """The outputs `[B, T, k]` of frames `[B, T, D]` one after another, and the state after them."""
        states: list[State] = []
        for frame in ops.unstack(window, window.shape[1], axis=1):
            states.append(self(frame, states[-1] if states else state))
        return ops.stack([h for h, _ in states], axis=1), states[-1]

    def __call__(self, inputs: Any | None, state: State | None) -> State:
        """The state `(h, c)` after a step, `[B, k]` each.

        Args:
            inputs: x, `[B, D]`. None is zeros, without the products.
            state: `(h, c)` before the step. None is zeros, too; not both.
        """
        if state is None:
            kernels = self.kernels
        elif inputs is None:
            inputs, kernels = state[0], self.recurrent_kernels
        else:
            inputs, kernels = ops.concatenate([inputs, state[0]], axis=-1), self.both_kernels
        i, f, g, o = (ops.matmul(inputs, kernel) + bias for kernel, bias in zip(kernels, self.biases, strict=True))
        return self._stepped((ops.sigmoid(i), ops.sigmoid(f), ops.tanh(g), ops.sigmoid(o)), state)

    def _stepped(self, gates: Sequence[Any], state: State | None) -> State:
        """The state after a step, from its gates."""
        i, f, g, o = gates
        c = ops.cast(i * g, self.state_dtype)
        if state is not None:
            c = ops.cast(f, self.state_dtype) * state[1] + c
        return o * ops.cast(ops.tanh(c), o.dtype), c
