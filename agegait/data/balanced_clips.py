"""Training batches of clips, as many of each label."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from agegait.data.padding import padded
from agegait.skeletons import JOINTS, mirrored


class BalancedClips(keras.utils.PyDataset):
    """Batches of P labels with K clips each, cut from walks anew in each epoch.

    Labels take turns: one that was drawn waits until too few others are left to fill a batch. A label's clips come
    from as many of its walks as it has, so that one person's clips differ by more than the moment. Where and how long a
    clip is, is drawn evenly. A walk that is shorter than its clip comes whole.

    What is drawn depends on the seed, the epoch and the batch's number alone.

    Args:
        walks: Each `[T, J, 3]` metres.
        labels: `[W]` integers: of people, of clusters, or the walks' own numbers, for which nobody has to be named.
        labels_per_batch: Labels P of a batch; all, where there are fewer.
        clips_per_label: Clips K of each.
        frames: Least and most frames of a clip.
        batches: Batches of an epoch.
        mirror: Whether half of the clips are mirror images: sides are exchanged. Canonical joints only.
        jitter: Standard deviation, metres, of what is added to each coordinate of each frame.
        seed: Of all that is drawn.
        **kwargs: As of `keras.utils.PyDataset`.

    Returns:
        Item by item `({"skeleton": [P K, T, J, 3], "length": [P K]}, labels [P K])`, T the most frames.

    Raises:
        ValueError: Labels that are not one integer for each walk, lengths or numbers below 1, or a walk without frames.

    Example:
        >>> walks = [np.zeros((frames, 20, 3)) for frames in (100, 200, 150, 50)]
        >>> clips = agegait.data.BalancedClips(walks, [7, 7, 9, 9], clips_per_label=3, frames=(30, 96))
        >>> inputs, labels = clips[0]
        >>> inputs["skeleton"].shape, sorted(labels.tolist())
        ((6, 96, 20, 3), [7, 7, 7, 9, 9, 9])
    """

    def __init__(
        self,
        walks: Sequence[np.ndarray],
        labels: Any,
        labels_per_batch: int = 32,
        clips_per_label: int = 2,
        frames: tuple[int, int] = (32, 64),
        batches: int = 100,
        mirror: bool = True,
        jitter: float = 0.005,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._labels = np.asarray(labels)
        if self._labels.shape != (len(walks),) or self._labels.dtype.kind not in "iu":
            raise ValueError(
                f"labels: expected {len(walks)} integers, one for each walk, received {self._labels.dtype} of shape "
                f"{self._labels.shape}."
            )
        if not len(walks) or not all(len(walk) for walk in walks):
            raise ValueError("walks: expected at least one walk, and frames in each, received fewer.")
        if not 1 <= frames[0] <= frames[1]:
            raise ValueError(f"frames: expected the least, from 1, and the most, received {frames}.")
        if min(labels_per_batch, clips_per_label, batches) < 1:
            raise ValueError(
                "labels_per_batch, clips_per_label, batches: expected at least 1, received "
                f"{labels_per_batch}, {clips_per_label} and {batches}."
            )
        if mirror and np.shape(walks[0])[1] != len(JOINTS):
            raise ValueError(f"mirror: expected {len(JOINTS)} canonical joints, received {np.shape(walks[0])[1]}.")
        self._walks = walks
        self._frames = frames
        self._batches = batches
        self._mirror = mirror
        self._jitter = jitter
        self._seed = seed
        self._clips_per_label = clips_per_label
        self._walks_of = {label: np.flatnonzero(self._labels == label) for label in np.unique(self._labels)}
        self._labels_per_batch = min(labels_per_batch, len(self._walks_of))
        self.epoch = 0

    def __len__(self) -> int:
        """Batches of an epoch."""
        return self._batches

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """The batch of a number, in this epoch."""
        random = np.random.default_rng((self._seed, self.epoch, index))
        labels = np.repeat(self._drawn_labels(index), self._clips_per_label)
        walks = np.concatenate(
            [
                _in_turns(self._walks_of[label], self._clips_per_label, random)
                for label in labels[:: self._clips_per_label]
            ]
        )
        clips = padded([self._clip(self._walks[walk], random) for walk in walks], self._frames[1])
        return clips, labels.astype("int32")

    def on_epoch_end(self) -> None:
        """Moves on to the next epoch's clips."""
        self.epoch += 1

    def _drawn_labels(self, index: int) -> np.ndarray:
        """The labels of a batch: a part of a permutation of all labels, of which each batch is another."""
        size, labels = self._labels_per_batch, np.array(list(self._walks_of))
        turn, place = divmod(self.epoch * self._batches + index, len(labels) // size)
        order = np.random.default_rng((self._seed, turn)).permutation(labels)
        return order[place * size : (place + 1) * size]

    def _clip(self, walk: np.ndarray, random: np.random.Generator) -> np.ndarray:
        frames = min(int(random.integers(self._frames[0], self._frames[1], endpoint=True)), len(walk))
        start = int(random.integers(len(walk) - frames, endpoint=True))
        clip = np.asarray(walk[start : start + frames], "float32")
        if self._mirror and random.random() < 0.5:
            clip = mirrored(clip)
        if self._jitter:
            clip = clip + np.float32(self._jitter) * random.standard_normal(clip.shape, "float32")
        return clip


def _in_turns(walks: np.ndarray, clips: int, random: np.random.Generator) -> np.ndarray:
    """So many walks, each as often as any other, or once more."""
    rounds = -(-clips // len(walks))
    return np.concatenate([random.permutation(walks) for _ in range(rounds)])[:clips]
