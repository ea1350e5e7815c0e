from collections.abc import Sequence

import numpy as np
import scipy.linalg
from keras import ops

from agegait.data.padding import padded
from agegait.models import GaitEmbedder
from agegait.training.last_layer import label_means, replace_last_layer

_AT_ONCE = 32


def whiten_within_persons(
    embedder: GaitEmbedder, walks: Sequence[np.ndarray], persons: np.ndarray, shrinkage: float = 1.0
) -> None:
    """Weights the directions of an embedder's space by how little one person's walks differ along them.

    An additive-margin softmax pulls a person's clips together, and still leaves directions along which walks of one
    person differ. What the last layer gives is multiplied by the inverse square root of the covariance of walks within
    people. No layer is added: the last layer's weights take it up.

    Args:
        embedder: A trained embedder.
        walks: Each `[T, J, 3]`, metres.
        persons: `[W]` each walk's person.
        shrinkage: Added to each variance within people, over the mean of all.

    Raises:
        ValueError: Nobody has two walks, or not one person for each walk.

    Example:
        >>> whiten_within_persons(embedder, walks.skeletons, walks.persons)

    Reference:
        Hatch et al., Within-Class Covariance Normalization for SVM-Based Speaker Recognition, Interspeech 2006.
    """
    people, labels = np.unique(np.asarray(persons), return_inverse=True)
    if len(labels) != len(walks):
        raise ValueError(f"persons: expected one for each of {len(walks)} walks, received {len(labels)}.")
    if len(people) == len(labels):
        raise ValueError("persons: expected two walks of somebody, received one walk of each person.")
    kernel, bias = _linear(embedder)
    outputs = _pooled(embedder, walks) @ kernel + bias
    within = np.cov((outputs - label_means(outputs, labels)[labels]).T)
    variances, directions = scipy.linalg.eigh(within + shrinkage * np.trace(within) / len(within) * np.eye(len(within)))
    whitening = directions / np.sqrt(variances) @ directions.T
    replace_last_layer(embedder, kernel @ whitening, (bias - outputs.mean(axis=0)) @ whitening)


def _linear(embedder: GaitEmbedder) -> tuple[np.ndarray, np.ndarray]:
    """The last layer and its batch normalization as one: a kernel and a bias."""
    kernel, bias = (np.asarray(weights, "float64") for weights in embedder.embedding.get_weights())
    offset, mean, variance = embedder.embedding_normalization.get_weights()
    scale = 1 / np.sqrt(variance.astype("float64") + embedder.embedding_normalization.epsilon)
    return kernel * scale, (bias - mean) * scale + offset


def _pooled(embedder: GaitEmbedder, walks: Sequence[np.ndarray]) -> np.ndarray:
    """What is pooled of each walk, the mean over its segments `[W, P]`."""
    found: list[np.ndarray] = [np.array([])] * len(walks)
    rows = np.argsort([len(walk) for walk in walks], kind="stable").tolist()
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        pooled, segments, _ = embedder.pool(padded([walks[row] for row in some]))
        pooled = ops.convert_to_numpy(pooled).astype("float64")
        inside = None if segments is None else ops.convert_to_numpy(segments)
        for number, row in enumerate(some):
            found[row] = pooled[number] if inside is None else pooled[number][inside[number]].mean(axis=0)
    return np.stack(found)
