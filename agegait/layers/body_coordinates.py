from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from agegait.layers.tensors import Shape, Tensor
from agegait.skeletons import JOINTS

HIPS = JOINTS.index("HipLeft"), JOINTS.index("HipRight")


@keras.saving.register_keras_serializable(package="agegait")
class BodyCoordinates(keras.layers.Layer):
    """The joints of each frame as the body has them: from its centre, turned so that the hips lie along x.

    Each frame is moved so that the centre is at the origin, and turned about y, the vertical, so that the line from the
    left hip to the right one, seen from above, points along x. Where somebody stands and walks to has no part in it. A
    frame whose hips lie upon each other, seen from above, is not turned.

    Args:
        center: Index of the joint at the origin; the canonical HipCenter where absent.
        hips: Indices of the left and the right hip; the canonical ones where absent.

    Call arguments:
        inputs: Walks `[..., J, 3]`, metres, y upwards or downwards.

    Returns:
        `[..., 3 J]` metres: x, y and z of joint 0, then of joint 1. A mask of frames passes unchanged.

    Raises:
        ValueError: Indices below 0, or inputs that do not end in three coordinates of enough joints.

    Example:
        >>> walks = np.zeros((8, 300, 20, 3), "float32")
        >>> tuple(agegait.layers.BodyCoordinates()(walks).shape)
        (8, 300, 60)
    """

    def __init__(self, center: int = 0, hips: Sequence[int] = HIPS, **kwargs: Any) -> None:
        # No autocast: metres from the camera in bfloat16 would be centimetres off before the centre is taken away.
        super().__init__(autocast=False, **kwargs)
        if len(hips) != 2 or min(center, *hips) < 0:
            raise ValueError(f"center, hips: expected indices of one and two joints, received {center} and {hips}.")
        self.center = center
        self.hips = tuple(hips)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        self._check(inputs.shape)
        x, y, z = ops.unstack(ops.cast(inputs, self.variable_dtype), 3, axis=-1)  # [..., J] each
        x, y, z = (axis - axis[..., self.center : self.center + 1] for axis in (x, y, z))
        left, right = self.hips
        across, along = (axis[..., right : right + 1] - axis[..., left : left + 1] for axis in (x, z))
        square = across * across + along * along
        seen = square > 1e-12
        length = ops.sqrt(ops.where(seen, square, 1.0))
        cosine, sine = ops.where(seen, across / length, 1.0), ops.where(seen, along / length, 0.0)
        turned = ops.stack([x * cosine + z * sine, y, z * cosine - x * sine], axis=-1)
        flat = ops.reshape(turned, (*ops.shape(turned)[:-2], 3 * turned.shape[-2]))
        return ops.cast(flat, self.compute_dtype)

    def _check(self, shape: Shape) -> None:
        least = max(self.center, *self.hips) + 1
        if len(shape) < 2 or shape[-1] != 3 or shape[-2] is None or shape[-2] < least:
            raise ValueError(
                f"inputs: expected [..., J, 3] with at least {least} joints, received a shape of {tuple(shape)}."
            )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        self._check(input_shape)
        return (*input_shape[:-2], 3 * input_shape[-2])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "center": self.center, "hips": self.hips}
