from typing import Any

import numpy as np
from keras import ops

from agegait.layers.lstm_cell import LSTMCell
from agegait.layers.tensors import State

FEW_ROWS = 16
"""Most rows of a batch that is said to have few of them, where its size is known."""


class FewRowsLSTMCell(LSTMCell):
    """An `LSTMCell` in the order of computation that is fastest for a batch of a few rows.

    There, reading the weights takes the time. They are used as they lie in memory: laying them out by gates would copy
    them all, at each call. The inputs of all steps have one product, so a step reads the recurrent kernel alone.

    Arguments are those of an `LSTMCell`.
    """

    def __init__(self, kernel: Any, recurrent_kernel: Any, bias: Any, forget_bias: float, state_dtype: str) -> None:
        units = recurrent_kernel.shape[0]
        self.kernel, self.recurrent_kernel = kernel, recurrent_kernel
        self.bias = bias + ops.cast(np.repeat(np.array([0, forget_bias, 0, 0], "float32"), units), bias.dtype)
        self.state_dtype = state_dtype

    def over(self, window: Any, state: State | None) -> tuple[Any, State]:
        """As of `LSTMCell`."""
        frames, size = window.shape[1:]
        rows = ops.reshape(ops.transpose(window, (1, 0, 2)), (-1, size))  # frame by frame
        states: list[State] = []
        for gates in ops.split(ops.matmul(rows, self.kernel) + self.bias, frames, axis=0):
            before = states[-1] if states else state
            if before is not None:
                gates = ops.matmul(before[0], self.recurrent_kernel) + gates
            states.append(self._stepped(self._activated(gates), before))
        return ops.stack([h for h, _ in states], axis=1), states[-1]

    def __call__(self, inputs: Any | None, state: State | None) -> State:
        """As of `LSTMCell`."""
        products = [] if inputs is None else [ops.matmul(inputs, self.kernel)]
        if state is not None:
            products.append(ops.matmul(state[0], self.recurrent_kernel))
        # Bias last: TensorFlow's product with a bias is slower for a single row.
        product = products[0] if len(products) == 1 else products[0] + products[1]
        return self._stepped(self._activated(product + self.bias), state)

    def _activated(self, gates: Any) -> Any:
        # One sigmoid for all, though the cell's gate does not need it: an operation costs more than a few rows in it.
        units = self.recurrent_kernel.shape[0]
        i, f, _, o = ops.split(ops.sigmoid(gates), 4, axis=-1)
        return i, f, ops.tanh(gates[:, 2 * units : 3 * units]), o
