from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Self

import keras
import numpy as np
from keras import ops

from agegait.layers import BodyCheck, SkeletonNormalization
from agegait.layers.body_check import FARTHEST
from agegait.layers.tensors import Inputs, Shape, Tensor
from agegait.models.embedding_recognizer import EmbeddingRecognizer
from agegait.models.gait_embedder import GaitEmbedder
from agegait.models.gait_encoder import GaitEncoder
from agegait.models.gait_recognizer import GaitRecognizer
from agegait.models.inputs import in_order, skeletons_of
from agegait.models.weighted_logits import weighted_logits
from agegait.recordings.frame_rates import FrameRates, checked_rate
from agegait.recordings.walks_at_rate import AnyWalks, walks_at_rate
from agegait.skeletons import JOINTS

WINDOWS_AT_ONCE = 1024
"""Windows that `identify` takes through the model in one go, as exported models do, of walks of one length or of one
long walk. An embedder sees the parts of a longer walk one by one."""

_PARTS = ("encoder", "recognizer", "normalization", "embedder", "embedding_recognizer")


class Identification(NamedTuple):
    """Who a walk's person is taken to be.

    Attributes:
        person: The name; None where the walk shows no body.
        score: The probability that the model gives it, 0 where there is no name.
        fault: Why the walk shows no body, empty where it shows one.
    """

    person: str | None
    score: float
    fault: str = ""


@keras.saving.register_keras_serializable(package="agegait")
class GaitIdentifier(keras.Model):
    """Names the person of a walk of any length, from raw skeletons.

    The walk is normalized, cut into windows, each window encoded and recognized; the walk's logits are the mean of its
    windows' logits. Frames at the end that fill no window are left out.

    An embedder answers too, where there is one. It sees the walk as a whole, all frames that show a body. Its logits
    are averaged with those of each window, and so with the walk's. The more frames it saw, the more they count, see
    `agegait.models.weighted_logits`.

    Any numbers would be taken for somebody. So windows that show no body, see `agegait.layers.BodyCheck`, have no say,
    and a walk of which more than half of the windows show none is nobody's: its logits and probabilities are 0.

    Args:
        encoder: A trained `GaitEncoder`.
        recognizer: A `GaitRecognizer` trained on its AGEs.
        normalization: What was done to the skeletons the encoder was trained on; hip-centring where absent.
        stride: Frames from the start of a window to the next; the window's length where absent: no overlap.
        persons: Names of the N people, in the order of the recognizer's labels; their numbers where absent.
        embedder: A trained `GaitEmbedder`, if it is to answer too. It takes metres, whatever unit the walks have.
        embedding_recognizer: An `EmbeddingRecognizer` of its embeddings of the same people.
        check_body: Whether windows have to show a body. Of joints that are not the 20 canonical ones, as in
            `agegait.skeletons`, and without the check, coordinates have to be finite and no more.
        frame_rate: Frames a second of the walks that the parts were trained on; None where that is not known. A call
            takes walks of that rate; `identify` resamples others.

    Call arguments:
        inputs: Skeletons `[B, T, J, 3]`, any T of at least the encoder's frames, or a dict that holds them as
            `"skeleton"`.
        lengths: Optional `[B]` integers, the true lengths of walks that are padded to T: what is beyond is not seen.
            A walk shorter than a window has logits of zero: nothing speaks for anybody.

    Returns:
        A dict of `"logits"` and `"probabilities"`, `[B, N]` each, `"fault"` `[B]`, `"window_logits"` `[B, W, N]` and
        `"window_fault"` `[B, W]`. Faults are indices into `BodyCheck.FAULTS`, 0 where there is a body.

    Raises:
        ValueError: Walks of another shape or shorter than a window; parts that do not fit each other.

    Example:
        >>> encoder, recognizer = agegait.GaitEncoder(units=8), agegait.GaitRecognizer(num_persons=2, units=8)
        >>> identifier = agegait.GaitIdentifier(encoder, recognizer, persons=["ann", "bob"])
        >>> identifier.identify(np.zeros((13, 20, 3)))  # a walk of 13 frames, all joints at one place
        [Identification(person=None, score=0.0, fault='expected a body of 0.8 to 2.2 m, received a smaller one')]
    """

    def __init__(
        self,
        encoder: GaitEncoder,
        recognizer: GaitRecognizer,
        normalization: SkeletonNormalization | None = None,
        stride: int | None = None,
        persons: Sequence[str] | None = None,
        embedder: GaitEmbedder | None = None,
        embedding_recognizer: EmbeddingRecognizer | None = None,
        check_body: bool = True,
        frame_rate: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        num_persons = recognizer.num_persons
        persons = [str(number) for number in range(num_persons)] if persons is None else list(persons)
        if len(persons) != num_persons:
            raise ValueError(f"persons: expected {num_persons} names, as the recognizer has, received {len(persons)}.")
        if (embedder is None) != (embedding_recognizer is None):
            raise ValueError("embedding_recognizer: expected one with an embedder, and none without it.")
        if embedding_recognizer is not None and embedding_recognizer.num_persons != num_persons:
            raise ValueError(
                f"embedding_recognizer: expected {num_persons} people, as the recognizer has, received "
                f"{embedding_recognizer.num_persons}."
            )
        if stride is not None and stride < 1:
            raise ValueError(f"stride: expected at least one frame, received {stride}.")
        self.encoder = encoder
        self.recognizer = recognizer
        self.embedder = embedder
        self.embedding_recognizer = embedding_recognizer
        self.normalization = SkeletonNormalization(name="normalization") if normalization is None else normalization
        self.stride = encoder.frames if stride is None else stride
        self.persons = persons
        self.check_body = check_body
        self.frame_rate = checked_rate(frame_rate)
        self.body_check = BodyCheck(finite_only=not check_body or encoder.joints != len(JOINTS), name="body_check")

    def build(self, input_shape: Shape) -> None:
        frames, joints = self.encoder.frames, self.encoder.joints
        window = (None, frames, joints, 3)
        self._check_walks(tuple(skeletons_of(input_shape)))  # before a part refuses them in its own words
        self.normalization.build(skeletons_of(input_shape))
        self.body_check.build(window)
        if not self.encoder.built:
            self.encoder.build(window)
        if not self.recognizer.built:
            self.recognizer.build(self.encoder.compute_output_shape(window)["ages"])
        if self.embedder is not None and self.embedding_recognizer is not None:
            if not self.embedder.built:
                self.embedder.build((None, None, joints, 3))
            if not self.embedding_recognizer.built:
                self.embedding_recognizer.build((None, self.embedder.embedding_size))
            if self.embedder.joints != joints:
                raise ValueError(
                    f"embedder: expected {joints} joints, as the encoder has, received {self.embedder.joints}."
                )

    def call(self, inputs: Inputs, lengths: Tensor | None = None) -> dict[str, Tensor]:
        skeletons = self._walks(skeletons_of(inputs))
        frames, joints = self.encoder.frames, self.encoder.joints
        windows = self._windows(skeletons)
        batch, count = ops.shape(windows)[:2]
        of_walks = None
        if self.embedder is not None:
            of_walks = self.recognize_walks(skeletons, lengths)
            of_walks = {name: ops.repeat(values, count, axis=0) for name, values in of_walks.items()}
        answers = self.recognize_windows(ops.reshape(windows, (-1, frames, joints, 3)), of_walks)
        logits = ops.reshape(answers["logits"], (batch, count, self.recognizer.num_persons))
        faults = ops.reshape(answers["fault"], (batch, count))
        counts = ops.equal(ops.expand_dims(faults, -1), np.arange(len(BodyCheck.FAULTS), dtype="int32"))
        counts = ops.cast(counts, "int32")  # not one_hot, of which tf2onnx converts that of vectors alone
        if lengths is not None:
            inside = ops.expand_dims(ops.arange(count) < ops.expand_dims(self.window_count(lengths), 1), 2)
            counts = ops.where(inside, counts, 0)
        total = ops.sum(ops.where(counts[..., :1] > 0, logits, 0.0), axis=1)
        return {
            **self.conclude(total, ops.sum(counts, axis=1)),
            "window_logits": logits,
            "window_fault": faults,
        }

    def recognize_windows(self, windows: Tensor, of_walks: dict[str, Tensor] | None = None) -> dict[str, Tensor]:
        """What is said of windows.

        Args:
            windows: `[M, f, J, 3]`, not normalized.
            of_walks: What `recognize_walks` says of each window's walk, a row for each; None without an embedder.

        Returns:
            A dict of `"logits"` `[M, N]`, 0 where a window shows no body, and `"fault"` `[M]`, which says whether.
        """
        windows = self.normalization(windows)
        faults = self.body_check(windows)
        # Half of a window's frames make a body, but one without numbers would leave its logits without any.
        known = ops.all(ops.abs(windows) <= FARTHEST, axis=(1, 2, 3))
        faults = ops.where(ops.logical_or(known, faults != 0), faults, BodyCheck.NOT_FINITE)
        windows = ops.where(ops.reshape(faults == 0, (-1, 1, 1, 1)), windows, 0.0)
        logits = ops.cast(self.recognizer(self.encoder(windows)["ages"]), "float32")
        if of_walks is not None:
            seen = ops.expand_dims(of_walks["frames"], 1)
            logits = weighted_logits(logits, of_walks["logits"], seen, self.encoder.frames)
        # where, not a product: what is no body may hold anything, and nothing of it may come through.
        return {"logits": ops.where(ops.expand_dims(faults == 0, 1), logits, 0.0), "fault": faults}

    def recognize_walks(self, skeletons: Tensor, lengths: Tensor | None = None) -> dict[str, Tensor]:
        """What the embedder says of walks as a whole.

        Args:
            skeletons: `[B, T, J, 3]`, not normalized.
            lengths: Optional `[B]`, as of a call.

        Returns:
            A dict of `"logits"` `[B, N]`, 0 of walks without a frame that shows a body, and `"frames"` `[B]`, how many
            show one.

        Raises:
            ValueError: There is no embedder.
        """
        if self.embedder is None or self.embedding_recognizer is None:
            raise ValueError("embedder: expected one, received none.")
        walks = self.normalization(skeletons)
        seen = ops.equal(self.body_check.frame_faults(walks), 0)
        if lengths is not None:
            inside = ops.arange(ops.shape(seen)[1]) < ops.reshape(ops.cast(lengths, "int32"), (-1, 1))
            seen = ops.logical_and(seen, inside)
        return {
            "logits": ops.cast(self.embedding_recognizer(self.embedder(walks, mask=seen)), "float32"),
            "frames": ops.sum(ops.cast(seen, "float32"), axis=1),
        }

    def conclude(self, logits: Tensor, counts: Tensor) -> dict[str, Tensor]:
        """What is said of walks by their windows.

        Args:
            logits: `[B, N]`, the sum over each walk's windows.
            counts: `[B, len(BodyCheck.FAULTS)]` integers, how many of them have each fault, those that show a body
                first.

        Returns:
            A dict of `"logits"` and `"probabilities"` `[B, N]`, and `"fault"` `[B]`, as those of a call.
        """
        faults = BodyCheck.most_common(counts)
        body = ops.expand_dims(faults == 0, 1)
        mean = ops.where(body, logits / ops.cast(ops.maximum(counts[:, :1], 1), "float32"), 0.0)
        return {
            "logits": mean,
            "probabilities": ops.where(body, ops.softmax(mean, axis=-1), 0.0),
            "fault": faults,
        }

    def window_count(self, lengths: Any) -> Tensor:
        """How many windows a walk of so many frames has: a tensor of integers, as `lengths` may be."""
        lengths = ops.cast(lengths, "int32")
        return ops.maximum((lengths - self.encoder.frames) // self.stride + 1, 0)

    def _walks(self, skeletons: Tensor) -> Tensor:
        skeletons = ops.convert_to_tensor(skeletons)
        self._check_walks(tuple(skeletons.shape))
        return skeletons

    def _check_walks(self, shape: Shape) -> None:
        frames, joints = self.encoder.frames, self.encoder.joints
        if len(shape) != 4 or shape[2:] != (joints, 3) or (shape[1] is not None and shape[1] < frames):
            raise ValueError(
                f"inputs: expected walks [B, T, {joints}, 3] with T of at least {frames}, received a shape of {shape}."
            )

    def _windows(self, skeletons: Tensor) -> Tensor:
        """`[B, T, J, 3]` to `[B, W, f, J, 3]`, gathered, so that T may be known at run time alone."""
        frames = self.encoder.frames
        count = (ops.shape(skeletons)[1] - frames) // self.stride + 1
        starts = ops.arange(count) * self.stride
        return ops.take(skeletons, ops.expand_dims(starts, 1) + ops.arange(frames), axis=1)

    def predict(self, x: Any, batch_size: int | None = None, **kwargs: Any) -> Any:
        """As `keras.Model.predict`, on walks of one length as a call takes them."""
        return super().predict(in_order(x, batch_size), batch_size=batch_size, **kwargs)

    def identify(self, skeletons: AnyWalks, frame_rate: FrameRates = None) -> list[Identification]:
        """The person of each walk.

        Walks of one length go through the model together, up to `WINDOWS_AT_ONCE` windows, and longer ones in parts, so
        that memory does not grow with them. The model is compiled for the first one, and once more for the first of
        another length, which takes seconds.

        Args:
            skeletons: One walk `[T, J, 3]`, walks of one length `[B, T, J, 3]`, or a sequence of walks of any lengths;
                arrays, or `agegait.data.Walk`.
            frame_rate: Frames a second of walks that do not say it themselves, one of all or one of each; the model's
                own where absent. Walks whose rate is another by more than a tenth are resampled.

        Returns:
            For each walk a person and a score in 0..1, or what is wrong with a walk that shows no body.

        Raises:
            ValueError: A walk of another shape, shorter than a window, or with values that are not finite; a frame rate
                that is none, or of a model that does not know its own.
        """
        walks = walks_at_rate(skeletons, frame_rate, self.frame_rate)
        for number, walk in enumerate(walks):
            if not np.isfinite(walk).all():
                raise ValueError(f"skeletons: expected finite coordinates, received NaN or infinity in walk {number}.")
            self._check_walks((1, *walk.shape))
        sums = np.zeros((len(walks), self.recognizer.num_persons))
        counts = np.zeros((len(walks), len(BodyCheck.FAULTS)), "int32")
        for numbers, parts in self._parts(walks):
            answers = self.predict_on_batch(np.stack(parts))
            for number, logits, faults in zip(numbers, answers["window_logits"], answers["window_fault"], strict=True):
                sums[number] += logits.sum(axis=0, dtype="float64")
                counts[number] += np.bincount(faults, minlength=counts.shape[1]).astype("int32")
        return [self._identification(*row) for row in zip(*self._conclusions(sums, counts), strict=True)]

    def _parts(self, walks: Sequence[np.ndarray]) -> Iterator[Iterator[tuple[Any, ...]]]:
        """Numbers of walks, and as much of each as makes up to `WINDOWS_AT_ONCE` windows in all, of one length."""
        by_length: dict[int, list[tuple[int, np.ndarray]]] = {}
        step = WINDOWS_AT_ONCE * self.stride
        for number, walk in enumerate(walks):
            for start in range(0, len(walk) - self.encoder.frames + 1, step):
                part = walk[start : start + step - self.stride + self.encoder.frames]
                by_length.setdefault(len(part), []).append((number, part))
        for length, parts in by_length.items():
            size = max(1, WINDOWS_AT_ONCE // ((length - self.encoder.frames) // self.stride + 1))
            for start in range(0, len(parts), size):
                yield zip(*parts[start : start + size], strict=True)

    def _conclusions(self, sums: np.ndarray, counts: np.ndarray) -> Iterator[np.ndarray]:
        found = self.conclude(ops.convert_to_tensor(sums, "float32"), ops.convert_to_tensor(counts))
        return (ops.convert_to_numpy(found[name]) for name in ("probabilities", "fault"))

    def _identification(self, probabilities: np.ndarray, fault: int) -> Identification:
        if fault:
            return Identification(None, 0.0, BodyCheck.FAULTS[fault])
        best = int(probabilities.argmax())
        return Identification(self.persons[best], float(probabilities[best]))

    def compute_output_shape(self, input_shape: Shape) -> dict[str, Shape]:
        batch, length = skeletons_of(input_shape)[:2]
        people = self.recognizer.num_persons
        count = None if length is None else (length - self.encoder.frames) // self.stride + 1
        return {
            "logits": (batch, people),
            "probabilities": (batch, people),
            "fault": (batch,),
            "window_logits": (batch, count, people),
            "window_fault": (batch, count),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **{name: keras.saving.serialize_keras_object(getattr(self, name)) for name in _PARTS},
            "stride": self.stride,
            "persons": self.persons,
            "check_body": self.check_body,
            "frame_rate": self.frame_rate,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Self:
        config = dict(config)
        if config.pop("window_recognizer", None) is not None:
            raise ValueError("window_recognizer: expected none, received one: an embedder has its place, train again.")
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects=custom_objects)
            for name in _PARTS
            if config.get(name) is not None
        }
        return cls(**{**config, **parts})
