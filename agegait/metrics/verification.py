"""Verification: somebody claims to be somebody."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agegait.metrics.arguments import score_vector, vector


class Roc(NamedTuple):
    """Receiver operating characteristic: what happens at each threshold, from one that nobody reaches down.

    Attributes:
        false_accept_rate: [K], rising from 0 to 1, share of impostors who score at least the threshold.
        true_accept_rate: [K], rising from 0 to 1, share of genuine claims that do.
        threshold: [K], falling; the first is infinite.
    """

    false_accept_rate: NDArray[np.float64]
    true_accept_rate: NDArray[np.float64]
    threshold: NDArray[np.float64]


class EqualError(NamedTuple):
    """Where as great a share of genuine claims is refused as of impostors is let pass.

    Attributes:
        rate: That share, in 0..1.
        threshold: The score at which the two shares come nearest to each other.
    """

    rate: float
    threshold: float


def roc(scores: ArrayLike, genuine: ArrayLike) -> Roc:
    """False and true accepts at every threshold, by scikit-learn's `roc_curve`.

    Args:
        scores: [C], of claims to be somebody, higher is better.
        genuine: [C], bool, whether somebody is who they claim to be; both kinds must occur.

    Returns:
        The curve, with a point for each score that occurs.

    Raises:
        ValueError: An argument is empty, of the wrong shape or type or not finite; only one kind of claims.

    Example:
        >>> roc([0.9, 0.7, 0.4], [True, False, True]).true_accept_rate
        array([0. , 0.5, 0.5, 1. ])
    """
    from sklearn.metrics import roc_curve  # a second to import

    values, kinds = _claims(scores, genuine)
    return Roc(*roc_curve(kinds, values, drop_intermediate=False))


def equal_error(scores: ArrayLike, genuine: ArrayLike) -> EqualError:
    """Equal error rate (EER): the ROC curve, its points joined by lines, where false accepts equal false refusals.

    Args:
        scores: [C], of claims to be somebody, higher is better.
        genuine: [C], bool, whether somebody is who they claim to be; both kinds must occur.

    Returns:
        The rate, 0 if all genuine claims score above all others, 0.5 for guessing; and the threshold nearest to it.

    Raises:
        ValueError: As for `roc`.

    Example:
        >>> equal_error([0.9, 0.8, 0.7, 0.6], [True, False, True, False]).rate
        0.5
    """
    false, true, threshold = roc(scores, genuine)
    balance = 1 - true - false  # falls from 1 to -1
    after = int(np.argmax(balance <= 0))
    share = balance[after - 1] / (balance[after - 1] - balance[after])
    rate = false[after - 1] + share * (false[after] - false[after - 1])
    nearest = 1 + int(np.argmin(np.abs(balance[1:])))  # the first threshold is infinite
    return EqualError(float(rate), float(threshold[nearest]))


def true_accept_rate(scores: ArrayLike, genuine: ArrayLike, false_accept_rate: float) -> float:
    """Share of genuine claims let pass (TAR) where no more than a share of impostors is (FAR).

    Nothing is interpolated: the threshold is `acceptance_threshold`'s, which keeps to the requested rate. The rate is
    best read with the number of impostors beside it: of 50, none may pass at 1 %.

    Args:
        scores: [C], of claims to be somebody, higher is better.
        genuine: [C], bool, whether somebody is who they claim to be; both kinds must occur.
        false_accept_rate: In 0..1.

    Raises:
        ValueError: As for `roc`; the rate is out of range.

    Example:
        >>> true_accept_rate([0.9, 0.8, 0.7, 0.6], [True, False, True, False], 0.1)
        0.5
    """
    values, kinds = _claims(scores, genuine)
    threshold = acceptance_threshold(values[~kinds], false_accept_rate)
    return float(np.mean(values[kinds] >= threshold))


def acceptance_threshold(impostors: ArrayLike, rate: float) -> float:
    """The lowest threshold that no more than a share of impostors reaches.

    Args:
        impostors: [I], scores of those who are not to pass, higher is better.
        rate: The share of them, in 0..1, that may pass all the same.

    Returns:
        The next number above the highest score that must not pass; minus infinity if all may.

    Raises:
        ValueError: No impostors, scores of the wrong shape or type or not finite, or a rate out of range.

    Example:
        >>> threshold = acceptance_threshold([0.1, 0.2, 0.3, 0.4], 0.25)
        >>> 0.3 < threshold < 0.4
        True
    """
    values = score_vector("impostors", impostors)
    if isinstance(rate, bool) or not isinstance(rate, int | float | np.number) or not 0 <= rate <= 1:
        raise ValueError(f"rate must be a number in 0..1; received {rate!r}")
    passing = int(rate * len(values) + 1e-9)  # 0.29 of 100 is 28.999999999999996
    if passing == len(values):
        return -np.inf
    kth = len(values) - 1 - passing
    return float(np.nextafter(np.partition(values, kth)[kth], np.inf))


def _claims(scores: ArrayLike, genuine: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values = score_vector("scores", scores)
    kinds = vector("genuine", genuine, len(values), "the scores")
    if kinds.dtype.kind != "b":
        raise ValueError(f"genuine must be bool; received dtype {kinds.dtype}")
    if kinds.all() or not kinds.any():
        raise ValueError(f"genuine must be true of some claims and false of others; received all {kinds[0]}")
    return values, kinds
