from typing import Any, Self

import keras
from keras import ops

from agegait.layers.tensors import Shape, Tensor


@keras.saving.register_keras_serializable(package="agegait")
class FrameEncodings(keras.layers.Layer):
    """The AGEs of each frame of a walk, as features beside others.

    The walk is cut into windows as the encoder reads them, one after another from its first frame, each centred on a
    joint. Frames that fill no window have no AGEs: the mask that this layer gives leaves them out.

    Args:
        encoder: A trained `agegait.GaitEncoder`. It is not trained here; set its `trainable` to do so.
        center: Index of the joint at the origin, as in the encoder's training; None leaves frames where they are.

    Call arguments:
        inputs: Walks `[B, T, J, 3]`, metres.
        mask: Optional `[B, T]`, whether a frame is one of the walk.

    Returns:
        `[B, T, 3 k]`. `compute_mask` gives `[B, T]`, whether a frame is one of a window without masked frames.

    Raises:
        ValueError: Inputs that are not walks of the encoder's joints.

    Example:
        >>> encodings = agegait.layers.FrameEncodings(agegait.GaitEncoder(units=8))
        >>> tuple(encodings(np.zeros((2, 30, 20, 3), "float32")).shape)
        (2, 30, 24)
    """

    def __init__(self, encoder: Any, center: int | None = 0, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.encoder = encoder
        self.encoder.trainable = False
        self.center = center
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        self._check(input_shape)
        if not self.encoder.built:
            self.encoder.build((None, self.encoder.frames, self.encoder.joints, 3))

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        del mask
        self._check(inputs.shape)
        f, joints = self.encoder.frames, self.encoder.joints
        batch, frames = ops.shape(inputs)[:2]
        walks = ops.take(ops.cast(inputs, self.variable_dtype), self._positions(frames), axis=1)
        if self.center is not None:
            walks = walks - walks[:, :, self.center : self.center + 1]
        ages = self.encoder(ops.reshape(walks, (-1, f, joints, 3)))["ages"]  # [B W, f, 3 k]
        size = self.encoder.AXES * self.encoder.units
        return ops.cast(ops.reshape(ages, (batch, -1, size))[:, :frames], self.compute_dtype)

    def _positions(self, frames: int | Tensor) -> Tensor:
        """The frames of all windows; the last one is repeated until it fills a window."""
        whole = (frames + self.encoder.frames - 1) // self.encoder.frames * self.encoder.frames
        return ops.minimum(ops.arange(whole), frames - 1)

    def compute_mask(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor | None:
        # By sums alone, so that the number of frames may be unknown.
        f = self.encoder.frames
        mask = ops.ones_like(inputs[..., 0, 0], dtype="int32") if mask is None else ops.cast(mask, "int32")
        frame = ops.cumsum(ops.ones_like(mask), axis=1) - 1
        first = frame - frame % f
        last = ops.minimum(first + f - 1, ops.max(frame, axis=1, keepdims=True))
        so_far = ops.cumsum(mask, axis=1)
        upto = ops.take_along_axis(so_far, last, axis=1)
        before = ops.take_along_axis(so_far - mask, first, axis=1)
        return ops.equal(upto - before, f)

    def _check(self, shape: Shape) -> None:
        joints = self.encoder.joints
        if len(shape) != 4 or tuple(shape[2:]) != (joints, 3):
            raise ValueError(f"inputs: expected walks [B, T, {joints}, 3], received a shape of {tuple(shape)}.")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        self._check(input_shape)
        return (*input_shape[:2], self.encoder.AXES * self.encoder.units)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "center": self.center,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**{**config, "encoder": keras.saving.deserialize_keras_object(config["encoder"])})
