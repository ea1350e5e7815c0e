"""Closed-set recognition: a classifier scores each of N known people."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agegait.metrics.arguments import rank, recognition
from agegait.metrics.cmc_of_ranks import cmc_of_ranks


def rank_k(scores: ArrayLike, labels: ArrayLike, k: int = 1) -> float:
    """Share of samples whose person is among the `k` highest scores.

    Args:
        scores: [B, N], a score for each of N people (logits or probabilities), higher is better.
        labels: [B], integers in 0..N-1, the right person of each sample.
        k: How many of the best scores count, 1..N. At `k = N` the answer is always 1.

    Returns:
        A fraction in 0..1. Equal scores are ranked before the right person's.

    Raises:
        ValueError: An argument is empty, of the wrong shape or type, not finite or out of range.

    Example:
        >>> rank_k([[0.1, 0.9], [0.8, 0.2]], [1, 1])
        0.5
    """
    curve = cmc(scores, labels)
    return float(curve[rank(k, len(curve), "the number of people") - 1])


def cmc(scores: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """Cumulative match characteristic: `rank_k` for every k from 1 to N.

    Args:
        scores: [B, N], a score for each of N people, higher is better.
        labels: [B], integers in 0..N-1, the right person of each sample.

    Returns:
        [N], never falling, ending in 1; element k-1 is Rank-k. Equal scores are ranked before the right person's.

    Raises:
        ValueError: An argument is empty, of the wrong shape or type, not finite or out of range.

    Example:
        >>> cmc([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2]], [0, 2])
        array([0.5, 0.5, 1. ])
    """
    values, people = recognition(scores, labels)
    right = np.take_along_axis(values, people[:, None], axis=1)
    ranks = np.count_nonzero(values >= right, axis=1)  # the right person's own score is one of them
    return cmc_of_ranks(ranks, values.shape[1])


def nauc_cmc(scores: ArrayLike, labels: ArrayLike) -> float:
    """Normalized area under the CMC curve: the mean of `cmc` over all ranks.

    This is nAUC as the paper's text describes it; the published code computes `nauc_roc` instead. Guessing scores
    (N + 1) / 2N, not one half: at rank N everybody is found.

    Args:
        scores: [B, N], a score for each of N people, higher is better.
        labels: [B], integers in 0..N-1, the right person of each sample.

    Returns:
        A fraction in 1/N..1.

    Raises:
        ValueError: An argument is empty, of the wrong shape or type, not finite or out of range.

    Example:
        >>> nauc_cmc([[0.6, 0.4], [0.6, 0.4]], [0, 1])  # the curve is (0.5, 1)
        0.75
    """
    return float(cmc(scores, labels).mean())


def nauc_roc(scores: ArrayLike, labels: ArrayLike) -> float:
    """Micro-averaged one-vs-rest ROC area: one ROC curve over all B*N scores.

    This is what the published code calls nAUC. Every score is a case of its own, positive where it is the right
    person's, so scores of different samples are compared with each other: adding a constant to one sample's logits
    changes the result. The published figures take logits averaged over a window's frames. A tie counts as one half
    here, as ROC areas have it: guessing scores 0.5, and so does the same score for everybody.

    Args:
        scores: [B, N], N at least 2, a score for each person, higher is better.
        labels: [B], integers in 0..N-1, the right person of each sample.

    Returns:
        A fraction in 0..1.

    Raises:
        ValueError: An argument is empty, of the wrong shape or type, not finite or out of range; N is 1.

    Example:
        >>> nauc_roc([[0.9, 0.1], [0.6, 0.4]], [0, 1])  # of 2 x 2 pairs, 0.4 loses to 0.6
        0.75

    Reference:
        Rao et al., Self-Supervised Gait Encoding with Locality-Aware Attention for Person Re-Identification,
        IJCAI 2020, its published code.
    """
    from sklearn.metrics import roc_auc_score  # a second to import, and only this function needs it

    values, people = recognition(scores, labels)
    if values.shape[1] < 2:
        raise ValueError(
            f"scores must be for at least 2 people, or there is no ROC curve; received shape {values.shape}"
        )
    one_hot = people[:, None] == np.arange(values.shape[1])
    return float(roc_auc_score(one_hot.ravel(), values.ravel()))
