from typing import Any

import keras
from keras import ops

from agegait.layers.tensors import Shape, Tensor


@keras.saving.register_keras_serializable(package="agegait")
class TemporalBlock(keras.layers.Layer):
    """A dilated convolution over frames with a way around it: x + ReLU(BatchNormalization(Conv(x))).

    Frames that are masked are zero to the convolution, as what lies beyond a walk's ends is. So a walk gives the same
    alone and padded, in a batch with longer ones.

    Args:
        units: Features D of a frame, those that come and those that go.
        kernel_size: Frames that the convolution sees, an odd number.
        dilation: Frames from each that it sees to the next.

    Call arguments:
        inputs: `[B, T, D]`.
        mask: Optional `[B, T]`, whether a frame is one of the walk.
        training: Whether batch normalization goes by the batch.

    Returns:
        The same shape. The mask passes unchanged.

    Raises:
        ValueError: Inputs of another rank or size, or a kernel of an even number of frames.

    Example:
        >>> tuple(agegait.layers.TemporalBlock(256, dilation=2)(np.zeros((8, 300, 256))).shape)
        (8, 300, 256)

    Reference:
        Waibel et al., Phoneme Recognition Using Time-Delay Neural Networks, IEEE TASSP 1989; He et al., Deep Residual
        Learning for Image Recognition, CVPR 2016, equation 1.
    """

    def __init__(self, units: int, kernel_size: int = 3, dilation: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"kernel_size: expected an odd number of frames, received {kernel_size}.")
        self.units = units
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.supports_masking = True
        options = {"dtype": self.dtype_policy}
        self.convolution = keras.layers.Conv1D(
            units, kernel_size, dilation_rate=dilation, padding="same", name="convolution", **options
        )
        self.normalization = keras.layers.BatchNormalization(name="normalization", **options)

    def build(self, input_shape: Shape) -> None:
        self._check(input_shape)
        self.convolution.build(input_shape)
        self.normalization.build(input_shape)

    def call(self, inputs: Tensor, mask: Tensor | None = None, training: bool = False) -> Tensor:
        self._check(inputs.shape)
        seen = inputs if mask is None else ops.where(ops.expand_dims(ops.cast(mask, "bool"), -1), inputs, 0.0)
        hidden = self.normalization(self.convolution(seen), training=training, mask=mask)
        return inputs + ops.relu(hidden)

    def _check(self, shape: Shape) -> None:
        if len(shape) != 3 or shape[2] != self.units:
            raise ValueError(f"inputs: expected [B, T, {self.units}], received a shape of {tuple(shape)}.")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        self._check(input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_size": self.kernel_size,
            "dilation": self.dilation,
        }
