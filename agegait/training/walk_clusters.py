"""Walks that seem to be of one person, found without a label."""

import numpy as np

QUANTILE = 0.75
"""Of the distances of halves. On KGBD's training people it gives clusters of which 90 % of pairs are of one person, and
82 % of a person's pairs are in one; at 0.9 it is 81 and 89 %, at twice the distance 29 and 96 %."""


def walk_clusters(embeddings: np.ndarray, distance: float) -> np.ndarray:
    """Clusters of walks by the cosines of their embeddings: agglomerative, average linkage.

    The number of people is not known, only how far apart walks of one person may be, see `within_walk_distance`.

    Args:
        embeddings: `[W, D]`, of unit length.
        distance: The distance, 1 - cosine, at which clusters are joined no more.

    Returns:
        `[W]` integers, the cluster of each walk.

    Raises:
        ValueError: Fewer than two walks.

    Example:
        >>> agegait.training.walk_clusters(np.array([[1.0, 0], [1, 0], [0, 1]]), distance=0.1).tolist()
        [0, 0, 1]
    """
    from sklearn.cluster import AgglomerativeClustering  # a second to import

    if len(embeddings) < 2:
        raise ValueError(f"embeddings: expected those of at least two walks, received {len(embeddings)}.")
    apart = np.maximum(1 - embeddings @ embeddings.T, 0)
    model = AgglomerativeClustering(None, metric="precomputed", linkage="average", distance_threshold=distance)
    return model.fit_predict(apart)


def within_walk_distance(first: np.ndarray, second: np.ndarray) -> float:
    """How far apart walks of one person may be, read off walks themselves: two halves of a walk are of one person.

    Args:
        first: `[W, D]`, embeddings of the first half of each walk, of unit length.
        second: `[W, D]`, of the second half.

    Returns:
        The 0.75 quantile of their distances, 1 - cosine.
    """
    return float(np.quantile(1 - np.sum(first * second, axis=1), QUANTILE))
