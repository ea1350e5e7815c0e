from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from agegait.layers import SkeletonNormalization
from agegait.models.gait_encoder import GaitEncoder
from agegait.models.gait_recognizer import GaitRecognizer
from agegait.models.inputs import in_order, skeletons_of
from agegait.models.window_recognizer import WindowRecognizer

WINDOWS_AT_ONCE = 2048
"""Windows that `identify` encodes in one go, of walks of one length."""

_PARTS = ("encoder", "recognizer", "normalization", "window_recognizer")


class Identification(NamedTuple):
    """Who a walk's person is taken to be, and the probability that the model gives it."""

    person: str
    score: float


@keras.saving.register_keras_serializable(package="agegait")
class GaitIdentifier(keras.Model):
    """Names the person of a walk of any length, from raw skeletons.

    The walk is normalized, cut into windows, each window encoded and recognized; the walk's logits are the mean of its
    windows' logits. Frames at the end that fill no window are left out. With a recognizer of windows themselves, a
    window's logits are the mean of both recognizers'.

    Args:
        encoder: A trained `GaitEncoder`.
        recognizer: A `GaitRecognizer` trained on its AGEs.
        normalization: What was done to the skeletons the encoder was trained on; hip-centring where absent.
        stride: Frames from the start of a window to the next; the window's length where absent: no overlap.
        persons: Names of the N people, in the order of the recognizer's labels; their numbers where absent.
        window_recognizer: A `WindowRecognizer` trained on the same windows and labels, if it is to have a say.

    Call arguments:
        inputs: Skeletons `[B, T, J, 3]`, any T of at least the encoder's frames, or a dict that holds them as
            `"skeleton"`.
        lengths: Optional `[B]` integers, the true lengths of walks that are padded to T: what is beyond is not seen.
            A walk shorter than a window has logits of zero: nothing speaks for anybody.

    Returns:
        A dict of `"logits"` and `"probabilities"`, `[B, N]` each, and `"window_logits"`, `[B, W, N]`.

    Raises:
        ValueError: Walks of another shape or shorter than a window; parts that do not fit each other.

    Example:
        >>> identifier = agegait.GaitIdentifier(encoder, recognizer, persons=["ann", "bob"])
        >>> identifier.identify(walk)
        [Identification(person='bob', score=0.93)]
    """

    def __init__(
        self,
        encoder: GaitEncoder,
        recognizer: GaitRecognizer,
        normalization: SkeletonNormalization | None = None,
        stride: int | None = None,
        persons: Sequence[str] | None = None,
        window_recognizer: WindowRecognizer | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        num_persons = recognizer.num_persons
        persons = [str(number) for number in range(num_persons)] if persons is None else list(persons)
        if len(persons) != num_persons:
            raise ValueError(f"persons: expected {num_persons} names, as the recognizer has, received {len(persons)}.")
        if window_recognizer is not None and window_recognizer.num_persons != num_persons:
            raise ValueError(
                f"window_recognizer: expected {num_persons} people, as the recognizer has, received "
                f"{window_recognizer.num_persons}."
            )
        if stride is not None and stride < 1:
            raise ValueError(f"stride: expected at least one frame, received {stride}.")
        self.encoder = encoder
        self.recognizer = recognizer
        self.window_recognizer = window_recognizer
        self.normalization = SkeletonNormalization(name="normalization") if normalization is None else normalization
        self.stride = encoder.frames if stride is None else stride
        self.persons = persons

    def build(self, input_shape):
        frames, joints = self.encoder.frames, self.encoder.joints
        window = (None, frames, joints, 3)
        self.normalization.build(skeletons_of(input_shape))
        if not self.encoder.built:
            self.encoder.build(window)
        if not self.recognizer.built:
            self.recognizer.build(self.encoder.compute_output_shape(window)["ages"])
        if self.window_recognizer is not None and not self.window_recognizer.built:
            self.window_recognizer.build(window)

    def call(self, inputs, lengths=None):
        skeletons = self._walks(skeletons_of(inputs))
        frames, joints = self.encoder.frames, self.encoder.joints
        windows = self._windows(self.normalization(skeletons))
        batch, count = ops.shape(windows)[:2]
        windows = ops.reshape(windows, (-1, frames, joints, 3))
        logits = ops.cast(self.recognizer(self.encoder(windows)["ages"]), "float32")
        if self.window_recognizer is not None:
            logits = (logits + ops.cast(self.window_recognizer(windows), "float32")) / 2
        logits = ops.reshape(logits, (batch, count, self.recognizer.num_persons))
        if lengths is None:
            mean = ops.mean(logits, axis=1)
        else:
            seen = ops.clip((ops.cast(lengths, "int32") - frames) // self.stride + 1, 0, count)
            inside = ops.expand_dims(ops.arange(count) < ops.expand_dims(seen, 1), 2)
            # where, not a product: padding may hold anything, and nothing of it may come through.
            total = ops.sum(ops.where(inside, logits, 0.0), axis=1)
            mean = total / ops.cast(ops.expand_dims(ops.maximum(seen, 1), 1), "float32")
        return {"logits": mean, "probabilities": ops.softmax(mean, axis=-1), "window_logits": logits}

    def _walks(self, skeletons):
        skeletons = ops.convert_to_tensor(skeletons)
        self._check_walks(tuple(skeletons.shape))
        return skeletons

    def _check_walks(self, shape):
        frames, joints = self.encoder.frames, self.encoder.joints
        if len(shape) != 4 or shape[2:] != (joints, 3) or (shape[1] is not None and shape[1] < frames):
            raise ValueError(
                f"inputs: expected walks [B, T, {joints}, 3] with T of at least {frames}, received a shape of {shape}."
            )

    def _windows(self, skeletons):
        """`[B, T, J, 3]` to `[B, W, f, J, 3]`, gathered, so that T may be known at run time alone."""
        frames = self.encoder.frames
        count = (ops.shape(skeletons)[1] - frames) // self.stride + 1
        starts = ops.arange(count) * self.stride
        return ops.take(skeletons, ops.expand_dims(starts, 1) + ops.arange(frames), axis=1)

    def predict(self, x, batch_size=None, **kwargs):
        """As `keras.Model.predict`, on walks of one length as a call takes them."""
        return super().predict(in_order(x, batch_size), batch_size=batch_size, **kwargs)

    def identify(self, skeletons: np.ndarray | Sequence[np.ndarray]) -> list[Identification]:
        """The person of each walk.

        Walks of one length go through the model together, up to `WINDOWS_AT_ONCE` windows. The model is compiled for
        the first one, and once more for the first of another length, which takes seconds.

        Args:
            skeletons: One walk `[T, J, 3]`, walks of one length `[B, T, J, 3]`, or a sequence of walks of any lengths.

        Returns:
            A person and a score in 0..1 for each walk.

        Raises:
            ValueError: A walk of another shape, shorter than a window, or with values that are not finite.
        """
        walks = skeletons if isinstance(skeletons, Sequence) else np.asarray(skeletons)
        if isinstance(walks, np.ndarray) and walks.ndim == 3:
            walks = walks[None]
        walks = [np.asarray(walk, dtype="float32") for walk in walks]
        by_length: dict[int, list[int]] = {}
        for number, walk in enumerate(walks):
            if not np.isfinite(walk).all():
                raise ValueError(f"skeletons: expected finite coordinates, received NaN or infinity in walk {number}.")
            self._check_walks((1, *walk.shape))
            by_length.setdefault(len(walk), []).append(number)
        found: dict[int, Identification] = {}
        for length, numbers in by_length.items():
            windows = (length - self.encoder.frames) // self.stride + 1
            size = max(1, WINDOWS_AT_ONCE // windows)
            for start in range(0, len(numbers), size):
                some = numbers[start : start + size]
                probabilities = self.predict_on_batch(np.stack([walks[number] for number in some]))["probabilities"]
                for number, row in zip(some, probabilities, strict=True):
                    best = int(row.argmax())
                    found[number] = Identification(self.persons[best], float(row[best]))
        return [found[number] for number in range(len(walks))]

    def set_weights(self, weights):
        super().set_weights(weights)
        for part in (self.recognizer, self.window_recognizer):
            if part is not None:
                part.set_weights(part.get_weights())  # else they standardise as before

    def compute_output_shape(self, input_shape):
        batch, length = skeletons_of(input_shape)[:2]
        people = self.recognizer.num_persons
        count = None if length is None else (length - self.encoder.frames) // self.stride + 1
        return {
            "logits": (batch, people),
            "probabilities": (batch, people),
            "window_logits": (batch, count, people),
        }

    def get_config(self):
        return {
            **super().get_config(),
            **{name: keras.saving.serialize_keras_object(getattr(self, name)) for name in _PARTS},
            "stride": self.stride,
            "persons": self.persons,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects=custom_objects)
            for name in _PARTS
            if config.get(name) is not None
        }
        return cls(**{**config, **parts})
