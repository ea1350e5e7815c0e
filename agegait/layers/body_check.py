from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from agegait.layers.tensors import Shape, Tensor
from agegait.skeletons import BONES, JOINTS, limbs

_STARTS, _ENDS = np.transpose(BONES)
_LEAST, _MOST = np.transpose([limbs.limb_range(limb) for limb in limbs.LIMBS]).astype("float32")
_HEAD, _HIPS, *_ANKLES = (JOINTS.index(joint) for joint in ("Head", "HipCenter", "AnkleLeft", "AnkleRight"))

FARTHEST = 1e6
"""Metres; what is farther away is as good as infinite, and its square still a number."""

_STRANGE_LIMBS = 3
"""So many limbs of a frame may be wrong: a sensor often loses an arm, or a leg from the knee down."""


@keras.saving.register_keras_serializable(package="agegait")
class BodyCheck(keras.layers.Layer):
    """Tells which windows show a body that stands upright, and what is wrong with the others.

    The constants are those of `agegait.skeletons.limbs`, by which walks are checked before a training. A frame shows a
    body if its coordinates are finite, its farthest joints as far apart as a body's, all limbs but three as long as a
    body of that size has them, and the head above the hips and these above the feet, along y. A window shows a body if
    at least half of its frames do, so that a sensor may fail in single ones.

    Not found is what leaves lengths and the vertical as they are, such as mirrored bodies.

    Args:
        finite_only: Whether only finite coordinates are required: of joints that are not the canonical ones nothing
            else is known.

    Call arguments:
        inputs: `[..., f, J, 3]` in metres, y upwards, any number of leading dimensions.
        mask: Optional `[..., f]`, whether a frame counts.

    Returns:
        `[...]`, int32, indices into `FAULTS`: 0 where it is a body, else what is wrong with most frames.

    Raises:
        ValueError: Inputs of other joints than the canonical ones, unless `finite_only`.

    Example:
        >>> windows = np.zeros((1, 6, 20, 3))  # all joints at one place
        >>> faults = agegait.layers.BodyCheck()(windows)
        >>> agegait.layers.BodyCheck.FAULTS[int(faults[0])]
        'expected a body of 0.8 to 2.2 m, received a smaller one'
    """

    FAULTS: ClassVar = (
        "",
        "expected finite coordinates",
        "expected a body of {} to {} m, received a smaller one".format(*limbs.BODY_SIZE),
        "expected a body of {} to {} m, received a larger one".format(*limbs.BODY_SIZE),
        "expected limbs as bodies have them, received other lengths",
        "expected y upwards, the head above the hips and these above the feet",
    )

    NOT_FINITE: ClassVar = 1
    """The fault of coordinates that are no numbers."""

    def __init__(self, finite_only: bool = False, **kwargs: Any) -> None:
        # No autocast: bfloat16 knows a forearm to a millimetre, and nothing of it three metres away.
        super().__init__(autocast=False, **kwargs)
        self.finite_only = finite_only
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        joints = input_shape[-2] if self.finite_only else len(JOINTS)
        if len(input_shape) < 3 or tuple(input_shape[-2:]) != (joints, 3):
            raise ValueError(f"inputs: expected [..., f, {joints}, 3], received a shape of {tuple(input_shape)}.")

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        faults = self.frame_faults(inputs)
        # Not one_hot, of which tf2onnx converts that of vectors alone.
        counts = ops.cast(ops.equal(ops.expand_dims(faults, -1), np.arange(len(self.FAULTS), dtype="int32")), "int32")
        if mask is not None:
            counts = counts * ops.cast(ops.expand_dims(mask, -1), "int32")
        return self.most_common(ops.sum(counts, axis=-2))

    def compute_mask(self, inputs: Tensor, mask: Tensor | None = None) -> None:
        return None

    @classmethod
    def most_common(cls, counts: Tensor) -> Tensor:
        """What holds of the whole, by how often each fault was found in its parts.

        Args:
            counts: `[..., len(FAULTS)]`, of how many frames or windows each of `FAULTS` was said.

        Returns:
            `[...]`, int32: 0 where at least half of the parts are bodies, else the commonest fault.
        """
        bodies = 2 * counts[..., 0] >= ops.sum(counts, axis=-1)
        return ops.cast(ops.where(bodies, 0, 1 + ops.argmax(counts[..., 1:], axis=-1)), "int32")

    def frame_faults(self, joints: Tensor) -> Tensor:
        """`[..., f, J, 3]` to `[..., f]`, int32: the first of `FAULTS` that each frame has."""
        joints = ops.cast(joints, "float32")
        known = ops.all(ops.abs(joints) <= FARTHEST, axis=(-2, -1), keepdims=True)  # NaN is not
        tests = [known[..., 0, 0]]
        if not self.finite_only:
            joints = ops.where(known, joints, 0.0)
            tests += self._body_tests(joints - joints[..., _HIPS : _HIPS + 1, :])
        passed = ops.stack(tests, axis=-1)
        faults = ops.where(ops.all(passed, axis=-1), 0, 1 + ops.argmin(ops.cast(passed, "int32"), axis=-1))
        return ops.cast(faults, "int32")

    def _body_tests(self, joints: Tensor) -> list[Tensor]:
        squares = ops.sum(ops.square(joints), axis=-1)
        apart = ops.matmul(joints, ops.swapaxes(joints, -1, -2))
        apart = ops.expand_dims(squares, -1) + ops.expand_dims(squares, -2) - 2 * apart
        size = ops.sqrt(ops.maximum(ops.max(apart, axis=(-2, -1)), 0.0))
        bones = ops.take(joints, _ENDS, axis=-2) - ops.take(joints, _STARTS, axis=-2)
        lengths = ops.sqrt(ops.sum(ops.square(bones), axis=-1))
        body = ops.expand_dims(size, -1)
        strange = (lengths < _LEAST * body) | (lengths > _MOST * body)
        feet = (joints[..., _ANKLES[0], :] + joints[..., _ANKLES[1], :]) / 2
        least, most = limbs.BODY_SIZE
        return [
            size >= least,
            size <= most,
            ops.sum(ops.cast(strange, "int32"), axis=-1) <= _STRANGE_LIMBS,
            _rises(joints[..., _HEAD, :]) & _rises(-feet),
        ]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return tuple(input_shape[:-3])

    def compute_output_spec(self, inputs: Tensor, mask: Tensor | None = None) -> keras.KerasTensor:
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), "int32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "finite_only": self.finite_only}


def _rises(direction: Tensor) -> Tensor:
    length = ops.sqrt(ops.sum(ops.square(direction), axis=-1))
    return direction[..., 1] > limbs.UPRIGHT * length
