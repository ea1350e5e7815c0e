"""Walks that seem to be of one person, found without a label."""

from collections.abc import Sequence

import numpy as np


def walk_clusters(
    embeddings: np.ndarray, halves: tuple[np.ndarray, np.ndarray] | None = None, distance: float | None = None
) -> np.ndarray:
    """Clusters of walks by the cosines of their embeddings: agglomerative, average linkage.

    The number of people is not known. How far apart walks of one person may be is read off walks themselves: each
    walk's two halves are of one person for sure. The threshold is twice the 0.9 quantile of their distances, since two
    walks differ by more than two halves of one.

    Args:
        embeddings: `[W, D]`, of unit length.
        halves: Embeddings of the first and of the second half of each walk, `[W, D]` each.
        distance: The threshold itself, 1 - cosine, in place of halves.

    Returns:
        `[W]` integers, the cluster of each walk.

    Raises:
        ValueError: Fewer than two walks, or neither halves nor a distance, or both.

    Example:
        >>> walk_clusters(np.array([[1.0, 0], [1, 0], [0, 1]]), distance=0.1)
        array([0, 0, 1])
    """
    from sklearn.cluster import AgglomerativeClustering  # a second to import

    if len(embeddings) < 2:
        raise ValueError(f"embeddings: expected those of at least two walks, received {len(embeddings)}.")
    if (halves is None) == (distance is None):
        raise ValueError("halves, distance: expected one of them, received both or none.")
    if distance is None:
        first, second = halves
        distance = 2 * float(np.quantile(1 - np.sum(first * second, axis=1), 0.9))
    apart = np.maximum(1 - embeddings @ embeddings.T, 0)
    model = AgglomerativeClustering(None, metric="precomputed", linkage="average", distance_threshold=distance)
    return model.fit_predict(apart)


def split_in_halves(walks: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The first and the second half of each walk."""
    return [walk[: len(walk) // 2] for walk in walks], [walk[len(walk) // 2 :] for walk in walks]
