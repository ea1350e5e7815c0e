from typing import Any

import keras
from keras import ops

from agegait.layers.tensors import Shape, Tensor


@keras.saving.register_keras_serializable(package="agegait")
class StatisticsPooling(keras.layers.Layer):
    """Mean and standard deviation of each feature over the frames of a walk, whatever their number.

    With `segment`, a walk is pooled in segments of so many frames, each half a segment after the one before. The last
    one may hold fewer frames, but more than half. A walk of up to half a segment is one segment.

    Args:
        segment: Frames of a segment, an even number; None pools the whole walk.
        epsilon: Added to the variance before its root is taken: a root has no slope at zero.

    Call arguments:
        inputs: `[B, T, D]`.
        mask: Optional `[B, T]`, whether a frame is one of the walk; those that are not have no part in it.

    Returns:
        `[B, 2 D]`: means, then standard deviations. With `segment` `[B, S, 2 D]`, for S segments as a walk of T frames
        has. A walk without frames has means of 0. `compute_mask` gives None, or with `segment` `[B, S]`, whether a
        segment is one of the walk.

    Raises:
        ValueError: Inputs of another rank, a segment that is not even, or an epsilon that is not positive; with
            `segment`, a functional model's input of an unknown number of frames.

    Example:
        >>> tuple(agegait.layers.StatisticsPooling()(np.zeros((8, 300, 256))).shape)
        (8, 512)
        >>> tuple(agegait.layers.StatisticsPooling(segment=100)(np.zeros((8, 300, 256))).shape)
        (8, 5, 512)

    Reference:
        Snyder et al., X-Vectors: Robust DNN Embeddings for Speaker Recognition, ICASSP 2018, section 2.1.
    """

    def __init__(self, segment: int | None = None, epsilon: float = 1e-5, **kwargs: Any) -> None:
        # No autocast, and sums in the variables' dtype: hundreds of frames added up in bfloat16 would lose most of it.
        super().__init__(autocast=False, **kwargs)
        if segment is not None and (segment < 2 or segment % 2):
            raise ValueError(f"segment: expected an even number of frames or None, received {segment}.")
        if not epsilon > 0:
            raise ValueError(f"epsilon: expected a positive number, received {epsilon}.")
        self.segment = segment
        self.epsilon = epsilon
        self.supports_masking = True

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        self._check(inputs.shape)
        values = ops.cast(inputs, self.variable_dtype)
        inside = ops.ones_like(values[..., 0], dtype="bool") if mask is None else ops.cast(mask, "bool")
        if self.segment is None:
            _, mean, variance = self._moments(ops.expand_dims(values, 1), ops.expand_dims(inside, 1))
            mean, variance = mean[:, 0], variance[:, 0]
        else:
            mean, variance = self._segments(
                *self._moments(self._halves(values, self.segment), self._halves(inside, self.segment))
            )
        deviation = ops.sqrt(variance + self.epsilon)
        return ops.cast(ops.concatenate([mean, deviation], axis=-1), self.compute_dtype)

    @classmethod
    def _halves(cls, frames: Tensor, segment: int) -> Tensor:
        """`[B, T, ...]` cut into half segments, `[B, S + 1, segment / 2, ...]`, zeros behind the end."""
        half = segment // 2
        batch, length = ops.shape(frames)[:2]
        count = cls._count(length, segment) + 1
        positions = ops.arange(count * half)
        there = ops.reshape(positions < length, (1, -1, *[1] * (len(frames.shape) - 2)))
        padded = ops.take(frames, ops.minimum(positions, length - 1), axis=1)
        padded = ops.where(there, padded, ops.zeros_like(padded))
        return ops.reshape(padded, (batch, count, half, *frames.shape[2:]))

    @staticmethod
    def _count(length: Any, segment: int) -> Any:
        """Segments of so many frames, at least one."""
        half = segment // 2
        halves = (length + half - 1) // half - 1
        return max(halves, 1) if isinstance(halves, int) else ops.maximum(halves, 1)

    @staticmethod
    def _moments(values: Tensor, inside: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Frames, mean and variance over the second to last axis: `[B, S, 1]` and `[B, S, D]` twice."""
        inside = ops.expand_dims(inside, -1)
        frames = ops.sum(ops.cast(inside, values.dtype), axis=-2)
        count = ops.maximum(frames, 1.0)
        # where, not a product: padding may hold anything.
        mean = ops.sum(ops.where(inside, values, 0.0), axis=-2) / count
        centred = ops.where(inside, values - ops.expand_dims(mean, -2), 0.0)
        return frames, mean, ops.sum(ops.square(centred), axis=-2) / count

    @staticmethod
    def _segments(frames: Tensor, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of each two neighbouring halves, from those of the halves."""
        first, second = frames[:, :-1], frames[:, 1:]
        count = ops.maximum(first + second, 1.0)
        one, other = first / count, second / count
        joined = one * mean[:, :-1] + other * mean[:, 1:]
        within = one * variance[:, :-1] + other * variance[:, 1:]
        return joined, within + one * other * ops.square(mean[:, :-1] - mean[:, 1:])

    def compute_mask(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor | None:
        if self.segment is None:
            return None
        if isinstance(inputs, keras.KerasTensor) and inputs.shape[1] is None:
            raise ValueError(f"inputs: expected a known number of frames, since there are segments, received {inputs}.")
        inside = ops.ones_like(inputs[..., 0], dtype="bool") if mask is None else ops.cast(mask, "bool")
        filled = ops.any(self._halves(inside, self.segment), axis=-1)  # [B, S + 1]
        # The first one holds whatever there is, the others begin where more than half a segment is left.
        return ops.concatenate([ops.any(filled[:, :2], axis=1, keepdims=True), filled[:, 2:]], axis=1)

    def _check(self, shape: Shape) -> None:
        if len(shape) != 3:
            raise ValueError(f"inputs: expected [B, T, D], received a shape of {tuple(shape)}.")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        self._check(input_shape)
        batch, frames, size = input_shape
        if self.segment is None:
            return batch, 2 * size
        return batch, None if frames is None else self._count(frames, self.segment), 2 * size

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "segment": self.segment, "epsilon": self.epsilon}
