"""What a model for the edge computes: one function, without what only TensorFlow has."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from agegait.layers import BodyCheck
from agegait.skeletons import JOINTS, STANDING

from .edge_metadata import EdgeMetadata
from .embedder_endpoints import checked_embeddings

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class EdgeGraph:
    """A function of `skeletons [B, T, J, 3]` and `lengths [B]`, for any B and T.

    There is no text, no assertion and no loop in it, so that every runtime has what it needs. A walk that has fewer
    frames than it must have is a fault, as one that shows no body is.

    Attributes:
        function: From tensors to tensors by name.
        signature: What it takes.
        metadata: What goes with it.
        metres: How many metres a unit of its coordinates is.
    """

    function: Callable[..., dict[str, tf.Tensor]]
    signature: tuple[tf.TensorSpec, tf.TensorSpec]
    metadata: EdgeMetadata
    metres: float = 1.0

    @classmethod
    def of_embedder(cls, embedder: Any) -> "EdgeGraph":
        """`embeddings [B, D]` of unit length and `fault [B]`; an embedding is 0 where there is a fault."""
        joints = embedder.joints
        body_check = BodyCheck(finite_only=joints != len(JOINTS))

        def embed(skeletons: tf.Tensor, lengths: tf.Tensor) -> dict[str, tf.Tensor]:
            embeddings, faults = checked_embeddings(embedder, body_check, skeletons, lengths)
            faults = tf.where(lengths < 1, len(BodyCheck.FAULTS), faults)
            return {"embeddings": tf.where((faults == 0)[:, None], embeddings, 0.0), "fault": faults}

        metadata = EdgeMetadata(
            "embedder",
            _joints(joints),
            "m",
            1,
            embedder.frame_rate,
            _faults(1),
            fingerprint=embedder.fingerprint(),
            embedding_size=embedder.embedding_size,
        )
        return cls(embed, _signature(joints), metadata)

    @classmethod
    def of_identifier(cls, identifier: Any, frame_rate: float | None = None) -> "EdgeGraph":
        """`logits` and `probabilities [B, N]`, both 0 where there is a fault, and `fault [B]`."""
        frames, joints = identifier.encoder.frames, identifier.encoder.joints
        normalization = identifier.normalization

        def identify(skeletons: tf.Tensor, lengths: tf.Tensor) -> dict[str, tf.Tensor]:
            found = identifier(skeletons, lengths=lengths)
            faults = tf.where(lengths < frames, len(BodyCheck.FAULTS), found["fault"])
            seen = (faults == 0)[:, None]
            return {name: tf.where(seen, found[name], 0.0) for name in ("logits", "probabilities")} | {"fault": faults}

        metadata = EdgeMetadata(
            "identifier",
            _joints(joints),
            normalization.unit,
            frames,
            frame_rate,
            _faults(frames),
            persons=list(identifier.persons),
        )
        return cls(identify, _signature(joints), metadata, normalization.UNITS[normalization.unit])

    def samples(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Walks by which a file is compared with Keras: of several lengths, padded ones, and one without a body.

        They are made up: a body that walks towards the sensor while its joints swing. Nobody's walk is needed.
        """
        least = self.metadata.least_frames
        found = [self._walks(1, least + more) for more in (0, 1, 16, 63, 64, 150)]
        walks, lengths = self._walks(4, least + 80)
        lengths = np.array([least + 80, least + 33, least, least + 50], np.int32)
        for walk, length in zip(walks, lengths, strict=True):
            walk[length:] = np.nan
        walks[3] = np.nan
        return [*found, (walks, lengths)]

    def _walks(self, batch: int, frames: int) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng((batch, frames))
        joints = self.signature[0].shape[2]
        body = STANDING if joints == len(JOINTS) else random.normal(0, 0.5, (joints, 3))
        seconds = np.arange(frames)[:, None, None] / 30
        swing = random.normal(0, 0.03, (batch, 1, joints, 3))
        walks = body + swing * np.sin(2 * np.pi * (seconds + random.random((batch, 1, joints, 3))))
        walks = walks + random.normal(0, 0.01, walks.shape) + (4 - 1.2 * seconds) * np.array([0, 0, 1])
        return (walks / self.metres).astype(np.float32), np.full(batch, frames, np.int32)


def _signature(joints: int) -> tuple[tf.TensorSpec, tf.TensorSpec]:
    return tf.TensorSpec([None, None, joints, 3], tf.float32, "skeletons"), tf.TensorSpec([None], tf.int32, "lengths")


def _joints(joints: int) -> list[str] | int:
    return list(JOINTS) if joints == len(JOINTS) else joints


def _faults(least: int) -> list[str]:
    return [*BodyCheck.FAULTS, f"expected at least {least} frame{'s' if least > 1 else ''}"]
