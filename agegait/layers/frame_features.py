from collections.abc import Sequence
from typing import Any, ClassVar, Self

import keras
import numpy as np
from keras import ops

from agegait.layers.body_coordinates import HIPS, BodyCoordinates
from agegait.layers.frame_encodings import FrameEncodings
from agegait.layers.joint_distances import JointDistances
from agegait.layers.joint_velocities import JointVelocities
from agegait.layers.standardization import Standardization
from agegait.layers.tensors import Shape, Tensor
from agegait.layers.whitening import Whitening

FRAMES_TO_ADAPT_TO = 20_000
"""So many frames, evenly out of all, are enough to know means and deviations by."""


@keras.saving.register_keras_serializable(package="agegait")
class FrameFeatures(keras.layers.Layer):
    """Features of each frame of a walk, chosen by name, standardised and side by side.

    | name | layer | features a frame |
    |---|---|---|
    | `"coordinates"` | `BodyCoordinates` | 3 J |
    | `"distances"` | `JointDistances` | J (J - 1) / 2 |
    | `"velocities"` | `JointVelocities` | 3 J |
    | `"ages"` | `FrameEncodings` | 3 k |

    AGEs are whitened: they are nearly collinear. The others are standardised.

    Args:
        features: The names.
        frame_rate: Frames a second, of velocities.
        center: Index of the joint at the origin.
        hips: Indices of the left and the right hip.
        encoder: A trained `agegait.GaitEncoder`, of `"ages"`.

    Call arguments:
        inputs: Walks `[B, T, J, 3]`, metres.
        mask: Optional `[B, T]`, whether a frame is one of the walk.

    Returns:
        `[B, T, D]`. `compute_mask` gives `[B, T]`, the frames that have all features, or None where no mask came in
        and every frame has them.

    Raises:
        ValueError: An unknown name or one that comes twice, none at all, or `"ages"` without an encoder.

    Example:
        >>> features = agegait.layers.FrameFeatures(("coordinates", "velocities"))
        >>> walks = np.random.default_rng(0).normal(size=(8, 300, 20, 3))
        >>> features.adapt(walks)
        >>> tuple(features(walks).shape)
        (8, 300, 120)
    """

    NAMES: ClassVar = ("coordinates", "distances", "velocities", "ages")

    def __init__(
        self,
        features: Sequence[str] = ("coordinates", "distances", "velocities"),
        frame_rate: float = 30.0,
        center: int = 0,
        hips: Sequence[int] = HIPS,
        encoder: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        features = tuple(features)
        unknown = [name for name in features if name not in self.NAMES]
        if unknown or not features or len(set(features)) < len(features):
            raise ValueError(f"features: expected some of {', '.join(self.NAMES)}, each once, received {features}.")
        if ("ages" in features) != (encoder is not None):
            raise ValueError("encoder: expected a GaitEncoder with the feature 'ages', and none without it.")
        self.features = features
        self.frame_rate = frame_rate
        self.center = center
        self.hips = tuple(hips)
        self.encoder = encoder
        self.supports_masking = True
        # All in the variables' dtype until they are standardised: what differs between people is small.
        self.parts = [self._part(name) for name in features]
        self.normalizations = [
            (Whitening if name == "ages" else Standardization)(name=f"{name}_normalization", dtype=self.variable_dtype)
            for name in features
        ]

    def _part(self, name: str) -> keras.layers.Layer:
        options = {"name": name, "dtype": self.variable_dtype}
        body: dict[str, Any] = {"center": self.center, "hips": self.hips}
        if name == "coordinates":
            return BodyCoordinates(**body, **options)
        if name == "distances":
            return JointDistances(**options)
        if name == "velocities":
            return JointVelocities(self.frame_rate, **body, **options)
        return FrameEncodings(self.encoder, self.center, **options)

    def build(self, input_shape: Shape) -> None:
        for part, normalization in zip(self.parts, self.normalizations, strict=True):
            if not part.built:
                part.build(input_shape)
            if not normalization.built:
                normalization.build(part.compute_output_shape(input_shape))

    def adapt(self, walks: Sequence[np.ndarray]) -> None:
        """Takes what to standardise and whiten by from walks `[T, J, 3]` of any lengths, without labels."""
        walks = [np.asarray(walk, "float32")[None] for walk in walks]
        if not walks:
            raise ValueError("walks: expected at least one walk, received none.")
        if not self.built:
            self.build((None, None, *walks[0].shape[2:]))
        every = max(1, sum(walk.shape[1] for walk in walks) // FRAMES_TO_ADAPT_TO)
        for part, normalization in zip(self.parts, self.normalizations, strict=True):
            rows = []
            for walk in walks:
                values = ops.convert_to_numpy(part(walk))[0]
                mask = part.compute_mask(ops.convert_to_tensor(walk), None)
                rows.append((values if mask is None else values[ops.convert_to_numpy(mask)[0]])[::every])
            normalization.adapt(np.concatenate(rows))

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        found = [
            normalization(
                part(inputs, mask=mask) if isinstance(part, JointVelocities | FrameEncodings) else part(inputs)
            )
            for part, normalization in zip(self.parts, self.normalizations, strict=True)
        ]
        return ops.cast(ops.concatenate(found, axis=-1), self.compute_dtype)

    def compute_mask(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor | None:
        for part in self.parts:
            if isinstance(part, FrameEncodings):
                return part.compute_mask(inputs, mask)
        return mask

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        size = sum(part.compute_output_shape(input_shape)[-1] for part in self.parts)
        return (*input_shape[:2], size)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "features": self.features,
            "frame_rate": self.frame_rate,
            "center": self.center,
            "hips": self.hips,
            "encoder": None if self.encoder is None else keras.saving.serialize_keras_object(self.encoder),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        encoder = config.get("encoder")
        return cls(**{**config, "encoder": encoder and keras.saving.deserialize_keras_object(encoder)})
