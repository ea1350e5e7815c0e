import copy

import keras
import numpy as np
from keras import ops

from agegait.layers.tensors import Tensor
from agegait.models.gait_embedder import GaitEmbedder
from agegait.recordings.frame_rates import checked_rate
from agegait.recordings.resampling import alike
from agegait.recordings.running_resampling import RunningResampler

_STEP = 32
"""Frames to whose multiples pieces are padded: a model is compiled anew for each length."""


class RunningEmbedding:
    """The embedding of a walk that is still going on.

    Frames are looked at once, and `embedding` costs the same after ten seconds as after ten minutes. It is what
    `GaitEmbedder.embed` gives for all frames so far. The network looks ahead by a few frames, 7 by default: until they
    have come, it takes the walk to end there, as `embed` does. So the latest frames are looked at again.

    Args:
        embedder: A trained `GaitEmbedder` with segments.
        frame_rate: Frames a second that come; those of another rate than the embedder's are resampled. None for the
            embedder's own.

    Raises:
        ValueError: An embedder that was not built, or without segments; or a rate that is none.

    Example:
        >>> walk = np.random.default_rng(0).normal(size=(200, 20, 3))
        >>> embedder = agegait.GaitEmbedder.from_preset("walkers")
        >>> running = agegait.models.RunningEmbedding(embedder)
        >>> for second in np.split(walk, [30, 60, 90]):
        ...     running.push(second)
        >>> bool(np.allclose(running.embedding(), embedder.embed(walk)[0], atol=1e-5))
        True
    """

    def __init__(self, embedder: GaitEmbedder, frame_rate: float | None = None) -> None:
        self._own_rate, self._rate = embedder.frame_rate, checked_rate(frame_rate) or embedder.frame_rate
        if not embedder.built:
            raise ValueError("embedder: expected a trained one, received one that was not built.")
        if embedder.pooling.segment is None:
            raise ValueError("embedder: expected one with segments, received one that pools whole walks.")
        encoder = embedder.frame_features.encoder
        self._joints = embedder.joints
        self._half = embedder.pooling.segment // 2
        self._window = 1 if encoder is None else encoder.frames
        self._ahead = sum(embedder.dilations) * (embedder.kernel_size // 2)
        self._embedding_size = embedder.embedding_size
        self._frame_outputs, self._segments = _FrameOutputs(embedder), _Segments(embedder)
        self._begin()

    def _begin(self) -> None:
        self._skeletons = np.zeros((0, self._joints, 3), "float32")  # those that may have to be looked at again
        self._first = 0  # the number of the first of them
        self._frames = 0
        self._pushed = 0
        self._resampler = None if alike(self._rate, self._own_rate) else RunningResampler(self._own_rate)
        self._halves = 0  # half segments that no later frame changes
        self._last_half: np.ndarray | None = None  # outputs of the last one
        self._sum = np.zeros(self._embedding_size)  # of embeddings of their segments

    def another(self) -> "RunningEmbedding":
        """That of another walk, by the same embedder, which need not be compiled again."""
        other = copy.copy(self)
        other._begin()
        return other

    @property
    def frames(self) -> int:
        """Frames so far, as they were pushed."""
        return self._pushed

    def push(self, frames: np.ndarray) -> None:
        """Takes the frames that come next, `[T, J, 3]` metres, any number of them.

        Raises:
            ValueError: Another shape, or values that are not finite.
        """
        frames = np.asarray(frames, "float32")
        if frames.shape[1:] != (self._joints, 3):
            raise ValueError(f"frames: expected [T, {self._joints}, 3], received {list(frames.shape)}.")
        if not np.isfinite(frames).all():
            raise ValueError("frames: expected finite coordinates, received NaN or infinity.")
        before, self._pushed = self._pushed, self._pushed + len(frames)
        if self._resampler:
            pushed = enumerate(frames, before)
            resampled = [own for number, frame in pushed for own in self._resampler.push(frame, number / self._rate)]
            frames = np.array(resampled, "float32").reshape(-1, self._joints, 3)
        self._skeletons = np.concatenate([self._skeletons, frames])
        self._frames += len(frames)
        settled = max(self._whole_windows() - self._ahead, 0) // self._half
        if settled > self._halves:
            outputs = self._outputs()[: (settled - self._halves) * self._half]
            joined = self._joined(outputs)
            if len(joined) > self._half:
                self._sum += self._segments.of(joined, self._half)
            self._last_half = joined[-self._half :]
            self._halves = settled
            self._forget()

    def embedding(self) -> np.ndarray:
        """The embedding `[D]` of the frames so far, of unit length; 0 where they make no window of AGEs.

        Raises:
            ValueError: There was no frame yet.
        """
        if not self._frames:
            raise ValueError("frames: expected at least one before an embedding, received none.")
        total = self._sum
        outputs = self._outputs()
        if len(outputs) or self._halves == 1:
            total = total + self._segments.of(self._joined(outputs), self._half)
        return (total / max(float(np.linalg.norm(total)), 1e-12)).astype("float32")

    def _whole_windows(self) -> int:
        """Frames that have all features."""
        return self._frames // self._window * self._window

    def _outputs(self) -> np.ndarray:
        """Outputs of frames behind the settled halves, as if the walk ended with the latest one."""
        start, end = self._halves * self._half - self._first, self._whole_windows() - self._first
        return self._frame_outputs.of(self._skeletons)[start:end] if end > start else np.zeros((0, 0), "float32")

    def _joined(self, outputs: np.ndarray) -> np.ndarray:
        """With the half before them, which makes a segment with the first of them."""
        kept = [part for part in (self._last_half, outputs) if part is not None and len(part)]
        return np.concatenate(kept) if kept else outputs

    def _forget(self) -> None:
        """Drops frames that nothing to come sees: one more behind than ahead, for velocities."""
        first = max(self._halves * self._half - self._ahead - 1, 0) // self._window * self._window
        self._skeletons, self._first = self._skeletons[first - self._first :].copy(), first


class _FrameOutputs(keras.Model):
    """An embedder's outputs of frames, compiled."""

    def __init__(self, embedder: GaitEmbedder) -> None:
        super().__init__(autocast=False, name="frame_outputs")
        self.embedder = embedder

    def call(self, inputs: dict[str, Tensor]) -> Tensor:
        return self.embedder.frame_outputs(inputs)[0]

    def of(self, skeletons: np.ndarray) -> np.ndarray:
        return self.predict_on_batch(_padded("skeleton", skeletons, _STEP))[0, : len(skeletons)]


class _Segments(keras.Model):
    """The sum of the embeddings of all segments of frames' outputs."""

    def __init__(self, embedder: GaitEmbedder) -> None:
        super().__init__(autocast=False, name="segments")
        self.embedder = embedder

    def call(self, inputs: dict[str, Tensor]) -> Tensor:
        frames = inputs["outputs"]
        mask = ops.arange(ops.shape(frames)[1]) < ops.expand_dims(inputs["length"], -1)
        pooling, normalization = self.embedder.pooling, self.embedder.pooled_normalization
        segments = pooling.compute_mask(frames, mask)
        pooled = normalization(pooling(frames, mask=mask), training=False, mask=segments)
        return ops.sum(self.embedder.segment_embeddings(pooled, segments), axis=1)

    def of(self, outputs: np.ndarray, half: int) -> np.ndarray:
        return self.predict_on_batch(_padded("outputs", outputs, half))[0].astype("float64")


def _padded(name: str, frames: np.ndarray, step: int) -> dict[str, np.ndarray]:
    """A batch of one, with zeros behind it up to a multiple of some frames."""
    more = -len(frames) % step
    padding = ((0, more), *[(0, 0)] * (frames.ndim - 1))
    return {name: np.pad(frames, padding)[None], "length": np.array([len(frames)], "int32")}
