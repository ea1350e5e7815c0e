from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from agegait.layers.body_coordinates import HIPS, BodyCoordinates
from agegait.layers.tensors import Shape, Tensor


@keras.saving.register_keras_serializable(package="agegait")
class JointVelocities(keras.layers.Layer):
    """How fast each joint moves in the body's own coordinates, see `BodyCoordinates`.

    The velocity of frame t is frame_rate times the difference of its coordinates and those of frame t - 1. The first
    frame, and one after a frame that is masked, have a velocity of 0.

    Args:
        frame_rate: Frames a second.
        center: As of `BodyCoordinates`.
        hips: As of `BodyCoordinates`.

    Call arguments:
        inputs: Walks `[B, T, J, 3]`, metres.
        mask: Optional `[B, T]`, whether a frame is one of the walk.

    Returns:
        `[B, T, 3 J]` metres a second, in the order of `BodyCoordinates`. The mask passes unchanged.

    Raises:
        ValueError: A frame rate that is not positive, or inputs that are no walks.

    Example:
        >>> walks = np.zeros((8, 300, 20, 3), "float32")
        >>> tuple(agegait.layers.JointVelocities(frame_rate=30)(walks).shape)
        (8, 300, 60)
    """

    def __init__(self, frame_rate: float = 30.0, center: int = 0, hips: Sequence[int] = HIPS, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        if not frame_rate > 0:
            raise ValueError(f"frame_rate: expected a positive number of frames a second, received {frame_rate}.")
        self.frame_rate = frame_rate
        self.supports_masking = True
        # In the variables' dtype: differences between frames are small.
        self.coordinates = BodyCoordinates(center, hips, name="coordinates", dtype=self.variable_dtype)

    def build(self, input_shape: Shape) -> None:
        self._check(input_shape)
        self.coordinates.build(input_shape)

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        coordinates = self.coordinates(inputs)
        steps = self.frame_rate * (coordinates[:, 1:] - coordinates[:, :-1])
        if mask is not None:
            mask = ops.cast(mask, "bool")
            steps = ops.where(ops.expand_dims(ops.logical_and(mask[:, 1:], mask[:, :-1]), -1), steps, 0.0)
        return ops.cast(ops.concatenate([ops.zeros_like(coordinates[:, :1]), steps], axis=1), self.compute_dtype)

    def _check(self, shape: Shape) -> None:
        if len(shape) != 4:
            raise ValueError(f"inputs: expected walks [B, T, J, 3], received a shape of {tuple(shape)}.")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        self._check(input_shape)
        return self.coordinates.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "frame_rate": self.frame_rate,
            "center": self.coordinates.center,
            "hips": self.coordinates.hips,
        }
