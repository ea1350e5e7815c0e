from typing import Any

import keras

from agegait.layers.axis_lstm import AxisLSTM
from agegait.layers.tensors import Shape, State, Tensor


@keras.saving.register_keras_serializable(package="agegait")
class SkeletonEncoder(keras.layers.Layer):
    """The gait encoder: LSTM layers over the frames of a window, one stack for each axis.

    Args:
        units: Size k of every layer.
        num_layers: LSTM layers, 2 in the paper.
        axes: Number A of axes, 3 for x, y and z.

    Call arguments:
        inputs: `[A, B, f, J]`, the coordinates of one axis after another, in metres.
        few: Whether the batch has few rows, see `AxisLSTM`.

    Returns:
        The last layer's outputs h_1..h_f, `[A, B, f, k]`, and the final state `(h, c)` of each layer, first layer
        first, `[A, B, k]` each.

    Raises:
        ValueError: `num_layers` below 1.

    Example:
        >>> outputs, states = agegait.layers.SkeletonEncoder(units=8)(np.ones((3, 2, 6, 20), "float32"))
        >>> outputs.shape, len(states)
        (TensorShape([3, 2, 6, 8]), 2)

    Reference:
        Rao et al., Self-Supervised Gait Encoding with Locality-Aware Attention, IJCAI 2020, equation 1.
    """

    def __init__(self, units: int, num_layers: int = 2, axes: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if num_layers < 1:
            raise ValueError(f"num_layers: expected at least 1, received {num_layers}.")
        self.units = units
        self.num_layers = num_layers
        self.axes = axes
        self.lstms = [
            AxisLSTM(units, axes, name=f"lstm_{number}", dtype=self.dtype_policy) for number in range(num_layers)
        ]

    def build(self, input_shape: Shape) -> None:
        for lstm in self.lstms:
            lstm.build(input_shape)
            input_shape, _ = lstm.compute_output_shape(input_shape)

    def call(self, inputs: Tensor, few: bool | None = None) -> tuple[Tensor, list[State]]:
        states = []
        for lstm in self.lstms:
            inputs, state = lstm(inputs, few=few)
            states.append(state)
        return inputs, states

    def compute_output_shape(self, input_shape: Shape) -> tuple[Shape, list[tuple[Shape, Shape]]]:
        axes, batch, frames, _ = input_shape
        state = (axes, batch, self.units)
        return (axes, batch, frames, self.units), [(state, state)] * self.num_layers

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "num_layers": self.num_layers, "axes": self.axes}
