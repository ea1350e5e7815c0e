"""What arguments must be: each function gives an array as it should be, or a `ValueError` that names the argument."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def recognition(scores: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Scores `[B, N]` and labels `[B]` of recognition."""
    values = matrix("scores", scores, "[B, N]: a row a sample, a column a person")
    people = vector("labels", labels, len(values), "the rows of scores")
    if people.dtype.kind not in "iu":
        raise ValueError(f"labels must be integers, the columns of scores; received dtype {people.dtype}")
    wrong = np.flatnonzero((people < 0) | (people >= values.shape[1]))
    if wrong.size:
        raise ValueError(
            f"labels must be in 0..{values.shape[1] - 1}, the columns of scores; "
            f"received {people[wrong[0]]} at index {wrong[0]}"
        )
    return values, people.astype(np.intp)


def score_vector(name: str, given: ArrayLike) -> NDArray[np.float64]:
    """One-dimensional, finite and not empty, in float64."""
    values = _real(name, given, "a score each")
    if values.ndim != 1 or not values.size:
        raise ValueError(f"{name} must be a score each, at least one; received shape {values.shape}")
    return _finite(name, values)


def matrix(name: str, given: ArrayLike, meaning: str) -> NDArray[np.float64]:
    """Two-dimensional, finite and not empty, in float64, or a `ValueError` that names the argument."""
    values = _real(name, given, meaning)
    if values.ndim != 2 or values.size == 0:
        raise ValueError(f"{name} must be {meaning}, at least one of each; received shape {values.shape}")
    return _finite(name, values)


def _real(name: str, given: ArrayLike, meaning: str) -> NDArray[np.float64]:
    values = _array(name, given, meaning)
    if values.dtype.kind in "cmMOSU":
        raise ValueError(f"{name} must be real numbers, {meaning}; received dtype {values.dtype}")
    return values.astype(np.float64, copy=False)  # exact for every narrower float: no tie is made or undone


def _finite(name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        raise ValueError(f"{name} must be finite; received {values[tuple(bad[0])]} at index {tuple(map(int, bad[0]))}")
    return values


def vector(name: str, given: ArrayLike, length: int, of: str) -> NDArray:
    """One value for each of so many others."""
    values = _array(name, given, f"one value for each of {of}")
    if values.dtype.kind == "O":  # a data frame's column of strings
        values = _array(name, values.tolist(), f"one value for each of {of}")
    if values.shape != (length,):
        raise ValueError(f"{name} must have shape ({length},), {of}; received shape {values.shape}")
    return values


def _array(name: str, given: ArrayLike, meaning: str) -> NDArray:
    try:
        return np.asarray(given)
    except ValueError as error:  # rows of unequal length
        raise ValueError(f"{name} must be {meaning}; received a ragged {type(given).__name__}") from error


def rank(k: int, last: int, meaning: str) -> int:
    """A rank in 1..last."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= last:
        raise ValueError(f"k must be an integer in 1..{last}, {meaning}; received {k!r}")
    return int(k)
