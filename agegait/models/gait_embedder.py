import zipfile
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Self

import keras
import numpy as np
from keras import ops

from agegait.data.padding import padded
from agegait.layers import CosineClassifier, FrameFeatures, StatisticsPooling, TemporalBlock
from agegait.layers.body_coordinates import HIPS
from agegait.layers.tensors import Inputs, Shape, Tensor
from agegait.models.fingerprint import fingerprint
from agegait.models.inputs import skeletons_of
from agegait.recordings.frame_rates import FrameRates
from agegait.recordings.walks_at_rate import AnyWalks, walks_at_rate

FRAMES_AT_ONCE = 20_000
"""Frames, padding included, that `embed` takes through the model in one go: some hundred megabytes."""

_STEP = 32
"""Frames to whose multiples batches are padded, as each length is another compilation; below, to powers of two."""

_PRESETS = Path(__file__).parent / "presets"

_LAYERS = ("features", "frame_rate", "center", "hips")
"""Arguments that are those of `FrameFeatures`."""


@keras.saving.register_keras_serializable(package="agegait")
class GaitEmbedder(keras.Model):
    """Turns walks of any length into embeddings by which people are compared whom nobody has trained on.

    Features of each frame are chosen by name. Dilated convolutions look at a frame and its neighbours. The means and
    standard deviations over the frames of a segment, of the features and of what the convolutions make of them, become
    an embedding of unit length. A walk's embedding is the mean of its segments', brought to unit length again: the
    inner product of two embeddings is their cosine.

    `fit` takes integer labels, and a loss that reads embeddings, as `agegait.losses.SupervisedContrastive` does. For
    `agegait.losses.AdditiveMarginSoftmax`, which reads cosines to classes, fit its `classifier`. Labels may be people,
    or walks or clusters of walks, for which nobody has to be named, see `agegait.training.EmbedderTraining`.

    Args:
        embedding_size: Size D of an embedding.
        features: Names of frame features, see `agegait.layers.FrameFeatures`.
        units: Units of each convolution.
        dilations: Frames from each that a convolution sees to the next, one for each convolution.
        kernel_size: Frames that a convolution sees.
        frame_dropout: Share of frame features dropped in training.
        dropout: Share of pooled features dropped in training.
        segment: Frames of a segment, an even number, about as many as clips have in training. None for whole walks.
        frame_rate: Frames a second of the walks that it is trained on, for velocities. A call takes walks of that rate;
            `embed` resamples others.
        center: Index of the joint at the origin.
        hips: Indices of the left and the right hip.
        encoder: A trained `GaitEncoder`, for the feature `"ages"`.

    Call arguments:
        inputs: Walks `[B, T, J, 3]` in metres, or a dict that holds them as `"skeleton"` and perhaps `"length"`.
        lengths: Optional `[B]` integers, the true lengths of walks that are padded to T: what is beyond is not seen.
        mask: Optional `[B, T]`, whether a frame is one of the walk; lost ones may be left out too.
        training: Whether dropout is at work, and batch normalization goes by the batch.

    Returns:
        Embeddings `[B, D]` of unit length, in the variables' dtype. Those of walks without a frame are 0.

    Raises:
        ValueError: Walks of another shape, or an argument out of range.

    Example:
        >>> random = np.random.default_rng(0)
        >>> walks = [random.normal(size=(frames, 20, 3)) for frames in (40, 60, 50, 70)]
        >>> embedder = agegait.GaitEmbedder(units=8, embedding_size=4)
        >>> embedder.adapt(walks)
        >>> classifier = embedder.classifier(num_classes=2)
        >>> classifier.compile("adam", agegait.losses.AdditiveMarginSoftmax())
        >>> history = classifier.fit(agegait.data.BalancedClips(walks, [0, 0, 1, 1], batches=2), verbose=0)
        >>> cosines = embedder.embed(walks) @ embedder.embed(walks).T
        >>> cosines.shape
        (4, 4)

    Reference:
        Snyder et al., X-Vectors: Robust DNN Embeddings for Speaker Recognition, ICASSP 2018, for its architecture.
    """

    PRESETS: ClassVar = ("walkers",)
    """Trained embedders that come with this package, for `from_preset`."""

    def __init__(
        self,
        embedding_size: int = 192,
        features: Sequence[str] = ("coordinates", "distances", "velocities"),
        units: int = 256,
        dilations: Sequence[int] = (1, 2, 4),
        kernel_size: int = 3,
        frame_dropout: float = 0.1,
        dropout: float = 0.3,
        segment: int | None = 64,
        frame_rate: float = 30.0,
        center: int = 0,
        hips: Sequence[int] = HIPS,
        encoder: Any = None,
        **kwargs: Any,
    ) -> None:
        # No autocast: metres from the camera in bfloat16 would be centimetres off.
        super().__init__(autocast=False, **kwargs)
        for name, size in (("embedding_size", embedding_size), ("units", units)):
            if size < 1:
                raise ValueError(f"{name}: expected at least 1, received {size}.")
        self.embedding_size = embedding_size
        self.units = units
        self.dilations = tuple(dilations)
        self.kernel_size = kernel_size
        self.frame_dropout = frame_dropout
        self.dropout = dropout
        options = {"dtype": self.dtype_policy}
        self.frame_features = FrameFeatures(
            features, frame_rate, center, hips, encoder, name="frame_features", **options
        )
        self.drop_features = keras.layers.Dropout(frame_dropout, name="drop_features", **options)
        self.projection = keras.layers.Dense(units, name="projection", **options)
        self.normalization = keras.layers.BatchNormalization(name="normalization", **options)
        self.blocks = [
            TemporalBlock(units, kernel_size, dilation, name=f"block_{number}", **options)
            for number, dilation in enumerate(self.dilations)
        ]
        self.pooling = StatisticsPooling(segment, name="pooling", **options)
        self.pooled_normalization = keras.layers.BatchNormalization(name="pooled_normalization", **options)
        self.drop_pooled = keras.layers.Dropout(dropout, name="drop_pooled", **options)
        self.embedding = keras.layers.Dense(embedding_size, name="embedding", **options)
        self.embedding_normalization = keras.layers.BatchNormalization(
            scale=False, name="embedding_normalization", **options
        )

    def adapt(self, walks: Sequence[np.ndarray]) -> None:
        """Takes what features are standardised by from training walks `[T, J, 3]` of any lengths, without labels."""
        self.frame_features.adapt(walks)
        if not self.built:
            self.build((None, None, *np.shape(walks[0])[1:]))

    @property
    def frame_rate(self) -> float:
        """Frames a second of the walks that it takes."""
        return self.frame_features.frame_rate

    def build(self, input_shape: Shape) -> None:
        shape = skeletons_of(input_shape)
        self._check(shape)
        self.joints = shape[2]
        if not self.frame_features.built:
            self.frame_features.build(shape)
        features = self.frame_features.compute_output_shape(shape)
        self.projection.build(features)
        hidden = (*features[:2], self.units)
        for layer in (self.normalization, *self.blocks):
            layer.build(hidden)
        pooled = self.pooling.compute_output_shape((*features[:2], self.units + features[-1]))
        self.pooled_normalization.build(pooled)
        self.embedding.build(pooled)
        self.embedding_normalization.build((*pooled[:-1], self.embedding_size))

    def call(self, inputs: Inputs, lengths: Tensor | None = None, mask: Any = None, training: bool = False) -> Tensor:
        pooled, segments, mask = self.pool(inputs, lengths, mask, training)
        embeddings = self.segment_embeddings(pooled, segments, training)
        if segments is not None:
            embeddings = ops.normalize(ops.sum(embeddings, axis=1), axis=-1)
        if mask is None:
            return embeddings
        return ops.where(ops.any(mask, axis=1, keepdims=True), embeddings, 0.0)

    def pool(
        self, inputs: Inputs, lengths: Tensor | None = None, mask: Any = None, training: bool = False
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """What embeddings are made of, with the arguments of a call.

        Returns:
            Normalised statistics of each segment `[B, S, P]`, or `[B, P]` of whole walks; whether a segment is one of
            the walk `[B, S]`, or None; whether a frame is one of the walk `[B, T]`, or None.
        """
        frames, mask = self.frame_outputs(inputs, lengths, mask, training)
        pooled, segments = self.pooling(frames, mask=mask), self.pooling.compute_mask(frames, mask)
        pooled = self.pooled_normalization(pooled, training=training, mask=segments)
        return pooled, segments, mask

    def frame_outputs(
        self, inputs: Inputs, lengths: Tensor | None = None, mask: Any = None, training: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """What is pooled, with the arguments of a call.

        Returns:
            Of each frame what the convolutions make of it and its features `[B, T, units + F]`; whether a frame is one
            of the walk `[B, T]`, or None.
        """
        skeletons, mask = self._walks(inputs, lengths, mask)
        features = self.frame_features(skeletons, mask=mask)
        mask = self.frame_features.compute_mask(skeletons, mask)
        hidden = self.projection(self.drop_features(features, training=training))
        hidden = ops.relu(self.normalization(hidden, training=training, mask=mask))
        for block in self.blocks:
            hidden = block(hidden, mask=mask, training=training)
        return ops.concatenate([hidden, features], axis=-1), mask

    def segment_embeddings(self, pooled: Tensor, segments: Tensor | None = None, training: bool = False) -> Tensor:
        """Embeddings of unit length of what `pool` gives, 0 for what is no segment."""
        embeddings = self.embedding(self.drop_pooled(pooled, training=training))
        embeddings = self.embedding_normalization(embeddings, training=training, mask=segments)
        embeddings = ops.normalize(ops.cast(embeddings, self.variable_dtype), axis=-1)
        return embeddings if segments is None else ops.where(ops.expand_dims(segments, -1), embeddings, 0.0)

    def _walks(self, inputs: Inputs, lengths: Tensor | None, mask: Any) -> tuple[Tensor, Tensor | None]:
        """Skeletons without what is no frame of theirs, and the mask `[B, T]` of those that are, None for all."""
        if isinstance(inputs, dict):
            lengths = inputs.get("length") if lengths is None else lengths
            mask = mask.get("skeleton") if isinstance(mask, dict) else mask
        skeletons = ops.convert_to_tensor(skeletons_of(inputs))
        self._check(skeletons.shape)
        skeletons = ops.cast(skeletons, self.variable_dtype)
        if mask is not None:
            mask = ops.cast(mask, "bool")
        if lengths is not None:
            inside = ops.arange(ops.shape(skeletons)[1]) < ops.reshape(ops.cast(lengths, "int32"), (-1, 1))
            mask = inside if mask is None else ops.logical_and(mask, inside)
        if mask is not None:  # padding may hold anything, NaN too
            skeletons = ops.where(ops.expand_dims(ops.expand_dims(mask, -1), -1), skeletons, 0.0)
        return skeletons, mask

    def _check(self, shape: Shape) -> None:
        joints = self.joints if self.built else "J"
        if len(shape) != 4 or shape[3] != 3 or shape[1] == 0 or (self.built and shape[2] != joints):
            raise ValueError(f"inputs: expected walks [B, T, {joints}, 3], received a shape of {tuple(shape)}.")

    def compute_mask(self, inputs: Inputs, mask: Any = None) -> None:
        return None

    def fit(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, **kwargs: Any
    ) -> keras.callbacks.History:
        """As `keras.Model.fit`, on walks as a call takes them and integer labels."""
        if hasattr(x, "element_spec"):
            kwargs.setdefault("shuffle", False)  # Keras would warn that it does not shuffle data sets
        return super().fit(x, y, batch_size=batch_size, **kwargs)

    def classifier(self, num_classes: int) -> keras.Model:
        """A model of cosines between this embedder's embeddings and classes, to train it with labels.

        What it learns is this embedder's, but for the directions of the classes. These are templates of those who are
        trained on, and are not saved with the embedder.

        Args:
            num_classes: Classes N: people, walks or clusters of walks.

        Returns:
            A functional model from `{"skeleton": [B, T, J, 3], "length": [B]}` to cosines `[B, N]`.

        Raises:
            ValueError: The embedder knows no walks yet: neither `adapt` nor a call came before.
        """
        if not self.built:
            raise ValueError("classifier: expected an embedder after `adapt` or a call, received one before both.")
        inputs = {
            "skeleton": keras.Input((None, self.joints, 3), name="skeleton"),
            "length": keras.Input((), dtype="int32", name="length"),
        }
        cosines = CosineClassifier(num_classes, name="classes", dtype=self.variable_dtype)(self(inputs))
        return keras.Model(inputs, cosines, name=f"{self.name}_classifier")

    def embed(self, walks: AnyWalks, frame_rate: FrameRates = None) -> np.ndarray:
        """Embeddings of walks of any lengths.

        Walks of about one length go through the model together, up to `FRAMES_AT_ONCE`; a longer walk goes alone.

        Args:
            walks: One walk `[T, J, 3]`, walks of one length `[B, T, J, 3]`, or a sequence of walks of any lengths;
                arrays, or `agegait.data.Walk`.
            frame_rate: Frames a second of walks that do not say it themselves, one of all or one of each; the
                embedder's own where absent. Walks whose rate is another by more than a tenth are resampled.

        Returns:
            `[B, D]`, float32, a NumPy array.

        Raises:
            ValueError: A walk of another shape, without a frame, or with values that are not finite; a frame rate that
                is none.
        """
        walks = walks_at_rate(walks, frame_rate, self.frame_rate)
        for number, walk in enumerate(walks):
            if walk.ndim != 3 or walk.shape[2] != 3 or not len(walk):
                raise ValueError(f"walks: expected [T, J, 3], received {list(walk.shape)} for walk {number}.")
            if self.built and walk.shape[1] != self.joints:
                raise ValueError(f"walks: expected {self.joints} joints, received {walk.shape[1]} for walk {number}.")
            if not np.isfinite(walk).all():
                raise ValueError(f"walks: expected finite coordinates, received NaN or infinity in walk {number}.")
        found = np.empty((len(walks), self.embedding_size), "float32")
        for rows, frames in _batches([len(walk) for walk in walks]):
            found[rows] = self.predict_on_batch(padded([walks[row] for row in rows], frames))
        return found

    def fingerprint(self) -> str:
        """The digest of its config and weights: embeddings can be compared if their embedders have the same."""
        return fingerprint(self)

    @classmethod
    def from_preset(cls, preset: str | PathLike) -> "GaitEmbedder":
        """An embedder that was trained before.

        `"walkers"` was trained on generated people alone, see `agegait.training.starter`. Nobody's biometrics are in
        it. It reads the 20 canonical joints, in metres, at 25 to 30 frames a second.

        Args:
            preset: One of `PRESETS`, or the path of an embedder that was saved as a `.keras` file.

        Raises:
            ValueError: Neither of them.

        Example:
            >>> embedder = agegait.GaitEmbedder.from_preset("walkers")
            >>> embedder.embed(np.random.default_rng(0).normal(size=(90, 20, 3))).shape
            (1, 128)
        """
        path = _PRESETS / f"{preset}.keras" if preset in cls.PRESETS else Path(preset)
        if not path.is_file():
            or_file = " or a file" if path.suffix == ".keras" else ""
            raise ValueError(f"preset: expected one of {', '.join(cls.PRESETS)}{or_file}, received {str(preset)!r}.")
        try:
            embedder = keras.saving.load_model(path)
        except (TypeError, KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
            raise ValueError(f"preset: expected a saved {cls.__name__}, received another file, {path}.") from error
        if not isinstance(embedder, cls):
            raise ValueError(
                f"preset: expected a saved {cls.__name__}, received a {type(embedder).__name__} in {path}."
            )
        return embedder

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return skeletons_of(input_shape)[0], self.embedding_size

    def get_config(self) -> dict[str, Any]:
        features = self.frame_features.get_config()
        return {
            **super().get_config(),
            **{name: features[name] for name in (*_LAYERS, "encoder")},
            "embedding_size": self.embedding_size,
            "units": self.units,
            "dilations": self.dilations,
            "kernel_size": self.kernel_size,
            "frame_dropout": self.frame_dropout,
            "dropout": self.dropout,
            "segment": self.pooling.segment,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Self:
        encoder = config.get("encoder")
        loaded = encoder and keras.saving.deserialize_keras_object(encoder, custom_objects=custom_objects)
        return cls(**{**config, "encoder": loaded})


def _whole(frames: int) -> int:
    """What so many frames are padded to: a power of two where they are few, so that windows are not mostly padding."""
    return min(1 << (frames - 1).bit_length(), -(-frames // _STEP) * _STEP)


def _batches(lengths: Sequence[int]) -> Iterator[tuple[list[int], int]]:
    """Places of walks of about one length, and the frames to pad them to."""
    rows: list[int] = []
    frames = 0
    for row in np.argsort(lengths, kind="stable").tolist():
        longest = _whole(lengths[row])
        if rows and (len(rows) + 1) * longest > FRAMES_AT_ONCE:
            yield rows, frames
            rows = []
        rows, frames = [*rows, row], longest
    if rows:
        yield rows, frames
