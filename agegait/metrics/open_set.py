"""Open-set identification: people who were never enrolled come too."""

import numpy as np
from numpy.typing import ArrayLike

from agegait.metrics.arguments import recognition


def detection_identification_rate(scores: ArrayLike, labels: ArrayLike, threshold: float) -> float:
    """Share of enrolled people who are both detected as such and named rightly (DIR).

    Args:
        scores: [B, N], a score for each of N enrolled people, higher is better.
        labels: [B], integers in 0..N-1, the right person of each sample.
        threshold: The score from which on somebody is named; else they are taken for a stranger.

    Returns:
        The share of samples whose right person scores at least the threshold and more than everybody else.

    Raises:
        ValueError: An argument is empty, of the wrong shape or type, not finite or out of range.

    Example:
        >>> detection_identification_rate([[0.9, 0.1], [0.4, 0.3], [0.8, 0.7]], [0, 0, 1], 0.5)
        0.3333333333333333
    """
    values, people = recognition(scores, labels)
    right = np.take_along_axis(values, people[:, None], axis=1)
    first = np.count_nonzero(values >= right, axis=1) == 1
    return float(np.mean(first & (right[:, 0] >= threshold)))
