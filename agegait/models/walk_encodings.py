from collections.abc import Sequence
from typing import Any, Self

import keras
import numpy as np
from keras import ops

from agegait.layers import FrameFeatures
from agegait.layers.tensors import Inputs, Shape, Tensor
from agegait.models.gait_encoder import GaitEncoder
from agegait.models.inputs import skeletons_of

FRAMES_AT_ONCE = 20_000
"""Frames that `embed` takes through the model in one go."""


@keras.saving.register_keras_serializable(package="agegait")
class WalkEncodings(keras.Model):
    """Stands for a walk by the mean of its frames' AGEs, whitened by training walks.

    This is how an encoder of windows that was trained alone compares whole walks, without a label and without a
    network behind it.

    Args:
        encoder: A trained `agegait.GaitEncoder`.
        center: Index of the joint at the origin, as in the encoder's training.

    Call arguments:
        inputs: Walks `[B, T, J, 3]` in metres, or a dict that holds them as `"skeleton"`. All frames are a walk's own.

    Returns:
        `[B, 3 k]`. Frames behind the last whole window have no part in it.

    Raises:
        ValueError: Inputs that are not walks of the encoder's joints, or are shorter than its windows.

    Example:
        >>> walks = np.random.default_rng(0).normal(size=(4, 60, 20, 3))
        >>> encodings = agegait.models.WalkEncodings(agegait.GaitEncoder(units=8, num_layers=1))
        >>> encodings.adapt(walks)
        >>> encodings.embed([walks[0], walks[1, :40]]).shape
        (2, 24)
    """

    def __init__(self, encoder: GaitEncoder, center: int = 0, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.encoder = encoder
        self.center = center
        self.frame_features = FrameFeatures(("ages",), center=center, encoder=encoder, name="frame_features")

    def adapt(self, walks: Sequence[np.ndarray]) -> None:
        """Takes what AGEs are whitened by from training walks `[T, J, 3]` of any lengths."""
        self.frame_features.adapt(walks)
        if not self.built:
            self.build((None, None, *np.shape(walks[0])[1:]))

    def build(self, input_shape: Shape) -> None:
        self._check(skeletons_of(input_shape))
        if not self.frame_features.built:
            self.frame_features.build(skeletons_of(input_shape))

    def _check(self, shape: Shape) -> None:
        frames, joints = self.encoder.frames, self.encoder.joints
        if len(shape) != 4 or tuple(shape[2:]) != (joints, 3) or (shape[1] is not None and shape[1] < frames):
            raise ValueError(
                f"inputs: expected walks [B, T, {joints}, 3] with T of at least {frames}, received a shape of "
                f"{tuple(shape)}."
            )

    def call(self, inputs: Inputs) -> Tensor:
        walks = ops.convert_to_tensor(skeletons_of(inputs))
        self._check(walks.shape)
        features = ops.cast(self.frame_features(walks), self.variable_dtype)
        whole = ops.cast(self.frame_features.compute_mask(walks), features.dtype)
        frames = ops.maximum(ops.sum(whole, axis=1, keepdims=True), 1.0)
        return ops.sum(features * ops.expand_dims(whole, -1), axis=1) / frames

    def embed(self, walks: Sequence[np.ndarray]) -> np.ndarray:
        """Encodings `[W, 3 k]` of walks `[T, J, 3]` of any lengths.

        Raises:
            ValueError: A walk that is shorter than a window.
        """
        frames = self.encoder.frames
        if short := [len(walk) for walk in walks if len(walk) < frames]:
            raise ValueError(f"walks: expected at least {frames} frames, received one of {short[0]}.")
        lengths = np.array([len(walk) // frames * frames for walk in walks])
        found = np.empty((len(walks), GaitEncoder.AXES * self.encoder.units), "float32")
        for length in np.unique(lengths):
            rows = np.flatnonzero(lengths == length)
            for some in np.array_split(rows, -(-len(rows) * length // FRAMES_AT_ONCE)):
                batch = np.stack([np.asarray(walks[row][:length], "float32") for row in some])
                found[some] = ops.convert_to_numpy(self(batch))
        return found

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return skeletons_of(input_shape)[0], GaitEncoder.AXES * self.encoder.units

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "center": self.center,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Self:
        encoder = keras.saving.deserialize_keras_object(config["encoder"], custom_objects=custom_objects)
        return cls(**{**config, "encoder": encoder})
