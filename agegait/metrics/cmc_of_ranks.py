import numpy as np
from numpy.typing import NDArray


def cmc_of_ranks(ranks: NDArray[np.intp], last: int) -> NDArray[np.float64]:
    """The CMC curve.

    Args:
        ranks: [B], the rank of the right person in each search, from 1.
        last: The largest possible rank.

    Returns:
        [last], element k-1 is the share of ranks up to k.
    """
    return np.cumsum(np.bincount(ranks, minlength=last + 1)[1:]) / len(ranks)
