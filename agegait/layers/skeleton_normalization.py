from typing import Any, ClassVar

import keras
from keras import ops

from agegait.layers.tensors import Shape, Tensor


@keras.saving.register_keras_serializable(package="agegait")
class SkeletonNormalization(keras.layers.Layer):
    """Puts a joint of every frame at the origin and coordinates into metres.

    Where a person is in the room says nothing of who they are, so each frame is centred on the hip.

    Args:
        center: Index of the joint at the origin, 0 for the canonical HipCenter; None leaves frames where they are.
        unit: Unit of the coordinates that come: `"m"`, `"cm"` or `"mm"`.

    Call arguments:
        inputs: `[..., J, 3]`, any number of leading dimensions, floats or integers.

    Returns:
        The same shape, in metres.

    Raises:
        ValueError: An unknown unit, a negative centre, or inputs that do not end in three coordinates of enough joints.

    Example:
        >>> frame = np.array([[100.0, 900.0, 3000.0], [100.0, 1400.0, 3000.0]], "float32")  # hip and neck, millimetres
        >>> np.asarray(agegait.layers.SkeletonNormalization(unit="mm")(frame))
        array([[0. , 0. , 0. ],
               [0. , 0.5, 0. ]], dtype=float32)
    """

    UNITS: ClassVar = {"m": 1.0, "cm": 0.01, "mm": 0.001}

    def __init__(self, center: int | None = 0, unit: str = "m", **kwargs: Any) -> None:
        # No autocast: metres from the camera in bfloat16 would be centimetres off before the hip is taken away.
        super().__init__(autocast=False, **kwargs)
        if unit not in self.UNITS:
            raise ValueError(f"unit: expected one of {', '.join(self.UNITS)}, received {unit!r}.")
        if center is not None and center < 0:
            raise ValueError(f"center: expected the index of a joint or None, received {center}.")
        self.center = center
        self.unit = unit

    def build(self, input_shape: Shape) -> None:
        center = 0 if self.center is None else self.center
        if len(input_shape) < 2 or input_shape[-1] != 3 or (input_shape[-2] or center + 1) <= center:
            raise ValueError(
                f"inputs: expected [..., J, 3] with a joint {center}, received a shape of {tuple(input_shape)}."
            )

    def call(self, inputs: Tensor) -> Tensor:
        inputs = ops.convert_to_tensor(inputs)
        if not keras.backend.is_float_dtype(inputs.dtype):
            inputs = ops.cast(inputs, "float32")
        if self.center is not None:
            inputs = inputs - inputs[..., self.center : self.center + 1, :]
        scale = self.UNITS[self.unit]
        return ops.cast(inputs if scale == 1 else inputs * scale, self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "center": self.center, "unit": self.unit}
