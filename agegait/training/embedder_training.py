import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np

from agegait.data import BalancedClips, Walks
from agegait.losses import AdditiveMarginSoftmax, SupervisedContrastive
from agegait.models import GaitEmbedder
from agegait.storage.whole_file import whole_file
from agegait.training.callbacks import TrainingCheckpoint
from agegait.training.recipes import LEARNING
from agegait.training.walk_clusters import walk_clusters, within_walk_distance
from agegait.training.within_person_whitening import whiten_within_persons

BATCHES_AN_EPOCH = 100
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EmbedderTraining:
    """The training of a `GaitEmbedder`, with or without labels of people.

    | learning | labels | loss |
    |---|---|---|
    | `"persons"` | people | additive-margin softmax |
    | `"walks"` | each walk a class; no label of a person | additive-margin softmax |
    | `"contrast"` | each walk a class; no label of a person | supervised contrastive |
    | `"clusters"` | clusters of walks, found anew in each round; no label of a person | additive-margin softmax |

    With `"persons"`, a last step whitens the embeddings by how walks of one person differ, see `whiten_within_persons`.
    Clusters begin from an embedder that was trained by `"contrast"`. In each round the embedder clusters the training
    walks, see `walk_clusters`, and is trained on with the clusters as classes.

    Attributes:
        learning: One of `LEARNING`.
        batches: Batches of the training, or of each round.
        rounds: Rounds of clustering.
        labels_per_batch: Labels of a batch.
        clips_per_label: Clips of each.
        frames: Least and most frames of a clip.
        mirror: Whether half of the clips are mirror images.
        jitter: Metres of noise on coordinates.
        learning_rate: AdamW's at its height, from which it falls along a cosine to a twentieth.
        warmup: Batches over which it rises first.
        weight_decay: AdamW's.
        margin: Of the additive-margin softmax.
        scale: Of the additive-margin softmax.
        temperature: Of the contrastive loss.
        seed: Of first weights, clips and dropout.
        embedder: Further arguments of `GaitEmbedder`.

    Example:
        >>> embedder = agegait.training.EmbedderTraining("persons").fit(walks)
        >>> embedder.embed(others)
    """

    LEARNING: ClassVar = LEARNING

    learning: str = "persons"
    batches: int = 800
    rounds: int = 2
    labels_per_batch: int = 32
    clips_per_label: int = 2
    frames: tuple[int, int] = (64, 64)
    mirror: bool = True
    jitter: float = 0.005
    learning_rate: float = 2e-3
    warmup: int = 100
    weight_decay: float = 0.02
    margin: float = 0.2
    scale: float = 30.0
    temperature: float = 0.1
    seed: int = 0
    embedder: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.learning not in LEARNING:
            raise ValueError(f"learning: expected one of {', '.join(LEARNING)}, received {self.learning!r}.")
        if min(self.batches, self.rounds) < 1:
            raise ValueError(f"batches, rounds: expected at least 1, received {self.batches} and {self.rounds}.")

    def fit(
        self,
        walks: Walks,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        checkpoints: str | PathLike[str] | None = None,
    ) -> GaitEmbedder:
        """Trains an embedder, or resumes its training.

        A resumed training ends with the same embedder as one that was never stopped.

        Args:
            walks: Training walks. Their people are read with `"persons"` alone.
            callbacks: Keras callbacks, to watch.
            checkpoints: A folder for the state after each epoch. A training that finds its state there resumes. None
                begins anew.

        Returns:
            The embedder. The directions of its classes are not kept.

        Raises:
            ValueError: Fewer than two classes to tell apart.
        """
        folder = None if checkpoints is None else Path(checkpoints)
        keras.utils.set_random_seed(self.seed)
        embedder = GaitEmbedder(**self.embedder)
        embedder.adapt(walks.skeletons)
        every_walk = np.arange(len(walks.names))
        if self.learning == "persons":
            _, persons = np.unique(walks.persons, return_inverse=True)
            self._fit_classes(embedder, walks, persons, callbacks, folder)
            if np.bincount(persons).max() > 1:
                whiten_within_persons(embedder, walks.skeletons, persons)
        elif self.learning == "walks":
            self._fit_classes(embedder, walks, every_walk, callbacks, folder)
        else:
            loss = SupervisedContrastive(self.temperature)
            self._fit(embedder, loss, walks, every_walk, callbacks, _phase(folder))
        if self.learning == "clusters":
            for number in range(self.rounds):
                clusters = self._clusters(embedder, walks, number, folder)
                # What was drawn in rounds before must have no say: a resumed training has not drawn it.
                keras.utils.set_random_seed(self.seed + number + 1)
                self._fit_classes(embedder, walks, clusters, callbacks, folder, number + 1)
        return embedder

    def epochs_done(self, checkpoints: str | PathLike[str]) -> int:
        """Epochs that a training has behind it whose state is in such a folder, of all rounds together."""
        rounds = range(self.rounds + 1 if self.learning == "clusters" else 1)
        phases = (_phase(Path(checkpoints), number) for number in rounds)
        return sum(phase.latest()[0] for phase in phases if phase is not None)

    def _clusters(self, embedder: GaitEmbedder, walks: Walks, number: int, folder: Path | None) -> np.ndarray:
        """The clusters of a round: those that it began with, where it is resumed."""
        file = None if folder is None else folder / f"clusters-{number + 1}.npy"
        if file is not None and file.exists():
            return np.load(file)
        first = embedder.embed([walk[: len(walk) // 2] for walk in walks.skeletons])
        second = embedder.embed([walk[len(walk) // 2 :] for walk in walks.skeletons])
        distance = within_walk_distance(first, second)
        clusters = walk_clusters(embedder.embed(walks.skeletons), distance)
        _log.info("round %d: %d walks in %d clusters", number + 1, len(clusters), clusters.max() + 1)
        if file is not None:
            with whole_file(file) as aside:
                np.save(aside, clusters)
        return clusters

    def _fit_classes(
        self,
        embedder: GaitEmbedder,
        walks: Walks,
        labels: np.ndarray,
        callbacks: Sequence[keras.callbacks.Callback],
        folder: Path | None,
        number: int = 0,
    ) -> None:
        classifier = embedder.classifier(int(labels.max()) + 1)
        loss = AdditiveMarginSoftmax(self.margin, self.scale)
        self._fit(classifier, loss, walks, labels, callbacks, _phase(folder, number), ["accuracy"])

    def _fit(
        self,
        model: keras.Model,
        loss: keras.losses.Loss,
        walks: Walks,
        labels: np.ndarray,
        callbacks: Sequence[keras.callbacks.Callback],
        checkpoint: TrainingCheckpoint | None,
        metrics: Sequence[str] | None = None,
    ) -> None:
        classes = len(np.unique(labels))
        if classes < 2:
            raise ValueError(f"walks: expected at least two classes to tell apart, received {classes}.")
        epochs = -(-self.batches // BATCHES_AN_EPOCH)
        clips = BalancedClips(
            walks.skeletons,
            labels,
            self.labels_per_batch,
            self.clips_per_label,
            self.frames,
            -(-self.batches // epochs),
            self.mirror,
            self.jitter,
            self.seed,
        )
        model.compile(self._optimizer(), loss, metrics=metrics)
        watching = list(callbacks)
        if checkpoint is not None:
            clips.epoch = checkpoint.restore(model)
            watching.append(checkpoint)  # the last one: what is in it, others have written down
        if clips.epoch < epochs:
            # Clips are drawn by their batch's number: Keras needs not shuffle these as well.
            model.fit(clips, initial_epoch=clips.epoch, epochs=epochs, shuffle=False, callbacks=watching, verbose=0)

    def _optimizer(self) -> keras.optimizers.Optimizer:
        warmup = min(self.warmup, self.batches - 1)
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, self.batches - warmup, alpha=0.05, warmup_target=self.learning_rate, warmup_steps=warmup
        )
        return keras.optimizers.AdamW(rate, weight_decay=self.weight_decay)


def _phase(folder: Path | None, number: int = 0) -> TrainingCheckpoint | None:
    """The checkpoint of the training before any clusters, or of a round with them."""
    if folder is None:
        return None
    return TrainingCheckpoint(folder, f"embedder_round_{number}" if number else "embedder")
