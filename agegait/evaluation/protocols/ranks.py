"""The ranks that results name."""

import numpy as np

RANKS = (1, 5, 10)


def of_curve(cmc: np.ndarray) -> dict[int, float]:
    """Rank-k for each of `RANKS` that a CMC curve reaches."""
    return {k: float(cmc[k - 1]) for k in RANKS if k <= len(cmc)}
