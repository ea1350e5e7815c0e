import numpy as np


def by_walk(values: np.ndarray, persons: np.ndarray, walks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of windows' values over each walk, and each walk's person.

    Args:
        values: `[M, ...]`, logits or features of windows.
        persons: `[M]` label of each window.
        walks: `[M]` number or name of the walk that each window is from.

    Returns:
        `[W, ...]` and `[W]`, in the order of the walks' numbers or names.
    """
    _, first, inverse = np.unique(walks, return_index=True, return_inverse=True)
    counts = np.bincount(inverse)
    total = np.zeros((len(first), *values.shape[1:]))
    np.add.at(total, inverse, values)
    return total / counts.reshape(-1, *[1] * (values.ndim - 1)), np.asarray(persons)[first]
