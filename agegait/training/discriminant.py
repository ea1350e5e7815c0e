from collections.abc import Sequence

import numpy as np
import scipy.linalg
from keras import ops

from agegait.models import GaitEmbedder
from agegait.training.last_layer import label_means, replace_last_layer

_AT_ONCE = 256


def fit_discriminant(
    embedder: GaitEmbedder,
    walks: Sequence[np.ndarray],
    persons: np.ndarray,
    groups: np.ndarray | None = None,
    shrinkage: float = 0.5,
    group_share: float = 0.03,
) -> None:
    """Replaces an embedder's last layer by a linear discriminant analysis of what it pools.

    The analysis has few parameters and a closed form. Fitted on people whom the network was not trained on, it sees
    what the network takes for certain and is not. Each direction is weighted by the share of its variance that lies
    between people.

    Args:
        embedder: A trained embedder with segments.
        walks: Each `[T, J, 3]`, metres.
        persons: `[W]` each walk's person.
        groups: `[W]` what people are told apart within, as the sensor that recorded them. None for one group.
        shrinkage: Added to each variance within people, over that variance.
        group_share: Share of the groups' covariance that counts as one within people: it is not to be relied on.

    Raises:
        ValueError: Too few people for the embedding's size, or an embedder without segments.

    Reference:
        Fisher, The Use of Multiple Measurements in Taxonomic Problems, Annals of Eugenics 1936; on pooled statistics of
        a network: Snyder et al., X-Vectors, ICASSP 2018.
    """
    segment, size = embedder.pooling.segment, embedder.embedding_size
    if segment is None:
        raise ValueError("embedder: expected one with segments, received one that pools whole walks.")
    clips: list[np.ndarray] = []
    owners: list[int] = []
    for number, walk in enumerate(walks):
        starts = range(0, max(len(walk) - segment, 0) + 1, segment * 3 // 4)
        clips += [np.asarray(walk[start : start + segment], "float32") for start in starts if len(walk) >= segment]
        owners += [number] * (len(clips) - len(owners))
    parts = [np.stack(clips[start : start + _AT_ONCE]) for start in range(0, len(clips), _AT_ONCE)]
    pooled = np.concatenate([ops.convert_to_numpy(embedder.pool(part)[0])[:, 0] for part in parts]).astype("float64")
    people, labels = np.unique(np.asarray(persons)[owners], return_inverse=True)
    _, sites = np.unique(np.zeros(len(owners)) if groups is None else np.asarray(groups)[owners], return_inverse=True)
    if len(people) <= size:
        raise ValueError(f"persons: expected more people than the embedding's size, {size}, received {len(people)}.")

    means = label_means(pooled, labels)
    site = np.zeros(len(people), int)
    site[labels] = sites
    centers = label_means(means, site)
    within = np.cov((pooled - means[labels]).T)
    between = np.cov((means - centers[site]).T)
    if len(centers) > 1:
        within += group_share * np.cov(centers.T)
    # The second term is for units that are the same for everybody.
    within += shrinkage * np.diag(np.diag(within)) + 1e-4 * np.eye(len(within))
    ratios, directions = scipy.linalg.eigh(between, within, subset_by_index=[len(within) - size, len(within) - 1])
    ratios = np.maximum(ratios, 0)
    kernel = directions * np.sqrt(ratios / (1 + ratios))
    replace_last_layer(embedder, kernel, -centers.mean(axis=0) @ kernel)
