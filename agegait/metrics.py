"""How well people are named (recognition) or found again (retrieval). NumPy in, plain floats and arrays out.

Two protocols, never to be mixed in one table:

- **Recognition**: a classifier scores each of N known people; `scores` [B, N], higher is better, `labels` [B].
  `rank_k`, `cmc`, `nauc_cmc`, `nauc_roc`.
- **Retrieval**: a probe is compared with every gallery entry; `distances` [P, G], lower is better, and the person of
  each probe [P] and of each gallery entry [G]. `retrieval_rank_k`, `retrieval_cmc`, `mean_average_precision`,
  `mean_inverse_negative_penalty`.

Ties count against the method throughout: whoever scores the same as the right answer is ranked before it. A
classifier that gives everybody the same score thus has a Rank-1 of 0, not of 1 or of whatever a sort happens to do.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "cmc",
    "mean_average_precision",
    "mean_inverse_negative_penalty",
    "nauc_cmc",
    "nauc_roc",
    "rank_k",
    "retrieval_cmc",
    "retrieval_rank_k",
]


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
    return float(curve[_rank(k, len(curve), "the number of people") - 1])


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
    values, people = _recognition(scores, labels)
    right = np.take_along_axis(values, people[:, None], axis=1)
    ranks = np.count_nonzero(values >= right, axis=1)  # the right person's own score is one of them
    return _curve(ranks, values.shape[1])


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

    values, people = _recognition(scores, labels)
    if values.shape[1] < 2:
        raise ValueError(
            f"scores must be for at least 2 people, or there is no ROC curve; received shape {values.shape}"
        )
    one_hot = people[:, None] == np.arange(values.shape[1])
    return float(roc_auc_score(one_hot.ravel(), values.ravel()))


def retrieval_rank_k(
    distances: ArrayLike,
    probe_persons: ArrayLike,
    gallery_persons: ArrayLike,
    k: int = 1,
    *,
    absent: Literal["error", "exclude"] = "error",
) -> float:
    """Share of probes with an entry of their person among the `k` nearest of the gallery.

    Args:
        distances: [P, G], from each probe to each gallery entry, any unit, lower is nearer.
        probe_persons: [P], integers or strings, the person of each probe.
        gallery_persons: [G], of the same kind, the person of each gallery entry.
        k: How many of the nearest entries count, 1..G.
        absent: What becomes of a probe whose person is not in the gallery: `"error"`, or `"exclude"` it.

    Returns:
        A fraction in 0..1. Other people's entries at the same distance are ranked first.

    Raises:
        ValueError: An argument is empty, of the wrong shape or type, not finite or out of range; a probe's person is
            not in the gallery (with `absent="exclude"`: no probe's person is).

    Example:
        >>> retrieval_rank_k([[1.0, 2.0], [1.0, 2.0]], ["ann", "ben"], ["ann", "ben"])
        0.5
    """
    curve = retrieval_cmc(distances, probe_persons, gallery_persons, absent=absent)
    return float(curve[_rank(k, len(curve), "the size of the gallery") - 1])


def retrieval_cmc(
    distances: ArrayLike,
    probe_persons: ArrayLike,
    gallery_persons: ArrayLike,
    *,
    absent: Literal["error", "exclude"] = "error",
) -> NDArray[np.float64]:
    """Cumulative match characteristic of a search: `retrieval_rank_k` for every k from 1 to G.

    Ranks are counted in gallery entries, not in people: ten entries of one wrong person push the right one back by
    ten.

    Args:
        distances: [P, G], from each probe to each gallery entry, any unit, lower is nearer.
        probe_persons: [P], integers or strings, the person of each probe.
        gallery_persons: [G], of the same kind, the person of each gallery entry.
        absent: What becomes of a probe whose person is not in the gallery: `"error"`, or `"exclude"` it.

    Returns:
        [G], never falling, ending in 1; element k-1 is Rank-k.

    Raises:
        ValueError: As for `retrieval_rank_k`.

    Example:
        >>> retrieval_cmc([[1.0, 2.0, 3.0]], ["ben"], ["ann", "ben", "ben"])
        array([0., 1., 1.])
    """
    values, probes, gallery = _retrieval(distances, probe_persons, gallery_persons, absent)
    firsts = np.array([positions[0] for positions in _positions(values, probes, gallery)])
    return _curve(firsts, len(gallery))


def mean_average_precision(
    distances: ArrayLike,
    probe_persons: ArrayLike,
    gallery_persons: ArrayLike,
    *,
    absent: Literal["error", "exclude"] = "error",
) -> float:
    """Mean over probes of the average precision of their search through the gallery (mAP).

    Average precision: the mean, over the gallery entries of the probe's person, of the share of right entries among
    all those ranked no later. It is the uninterpolated one, as in scikit-learn's `average_precision_score`, from
    which it differs in ties alone: other people's entries at the same distance are ranked first.

    Args:
        distances: [P, G], from each probe to each gallery entry, any unit, lower is nearer.
        probe_persons: [P], integers or strings, the person of each probe.
        gallery_persons: [G], of the same kind, the person of each gallery entry.
        absent: What becomes of a probe whose person is not in the gallery: `"error"`, or `"exclude"` it.

    Returns:
        A fraction in 0..1.

    Raises:
        ValueError: As for `retrieval_rank_k`.

    Example:
        >>> mean_average_precision([[1.0, 2.0, 3.0, 4.0]], ["ann"], ["ann", "ben", "ben", "ann"])  # (1/1 + 2/4) / 2
        0.75
    """
    values, probes, gallery = _retrieval(distances, probe_persons, gallery_persons, absent)
    precisions = [
        np.mean(np.arange(1, len(positions) + 1) / positions) for positions in _positions(values, probes, gallery)
    ]
    return float(np.mean(precisions))


def mean_inverse_negative_penalty(
    distances: ArrayLike,
    probe_persons: ArrayLike,
    gallery_persons: ArrayLike,
    *,
    absent: Literal["error", "exclude"] = "error",
) -> float:
    """Mean over probes of how early their hardest match is found (mINP).

    For one probe: the number of gallery entries of its person, divided by the rank of the last of them. It is 1 only
    if all of them come before everybody else's.

    Args:
        distances: [P, G], from each probe to each gallery entry, any unit, lower is nearer.
        probe_persons: [P], integers or strings, the person of each probe.
        gallery_persons: [G], of the same kind, the person of each gallery entry.
        absent: What becomes of a probe whose person is not in the gallery: `"error"`, or `"exclude"` it.

    Returns:
        A fraction in 0..1.

    Raises:
        ValueError: As for `retrieval_rank_k`.

    Example:
        >>> mean_inverse_negative_penalty([[1.0, 2.0, 3.0, 4.0]], ["ann"], ["ann", "ben", "ben", "ann"])  # 2 / 4
        0.5

    Reference:
        Ye et al., Deep Learning for Person Re-Identification: A Survey and Outlook, TPAMI 2021.
    """
    values, probes, gallery = _retrieval(distances, probe_persons, gallery_persons, absent)
    return float(np.mean([len(positions) / positions[-1] for positions in _positions(values, probes, gallery)]))


def _curve(ranks: NDArray[np.intp], last: int) -> NDArray[np.float64]:
    return np.cumsum(np.bincount(ranks, minlength=last + 1)[1:]) / len(ranks)


def _positions(values: NDArray, probes: NDArray, gallery: NDArray) -> Iterator[NDArray[np.intp]]:
    """For each probe the ranks, from 1 and rising, of its person's entries; a tie puts the others first."""
    for row, person in zip(values, probes, strict=True):
        right = gallery == person
        own, others = np.sort(row[right]), np.sort(row[~right])
        yield np.arange(1, len(own) + 1) + np.searchsorted(others, own, side="right")


def _recognition(scores: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    values = _matrix("scores", scores, "[B, N]: a row a sample, a column a person")
    people = _vector("labels", labels, len(values), "the rows of scores")
    if people.dtype.kind not in "iu":
        raise ValueError(f"labels must be integers, the columns of scores; received dtype {people.dtype}")
    wrong = np.flatnonzero((people < 0) | (people >= values.shape[1]))
    if wrong.size:
        raise ValueError(
            f"labels must be in 0..{values.shape[1] - 1}, the columns of scores; "
            f"received {people[wrong[0]]} at index {wrong[0]}"
        )
    return values, people.astype(np.intp)


def _retrieval(
    distances: ArrayLike, probe_persons: ArrayLike, gallery_persons: ArrayLike, absent: str
) -> tuple[NDArray[np.float64], NDArray, NDArray]:
    if absent not in ("error", "exclude"):
        raise ValueError(f"absent must be 'error' or 'exclude'; received {absent!r}")
    values = _matrix("distances", distances, "[P, G]: a row a probe, a column a gallery entry")
    probes = _vector("probe_persons", probe_persons, values.shape[0], "the rows of distances")
    gallery = _vector("gallery_persons", gallery_persons, values.shape[1], "the columns of distances")
    for name, persons in (("probe_persons", probes), ("gallery_persons", gallery)):
        if persons.dtype.kind not in "iuU":
            raise ValueError(f"{name} must be integers or strings; received dtype {persons.dtype}")
    if (probes.dtype.kind == "U") != (gallery.dtype.kind == "U"):
        raise ValueError(
            "probe_persons and gallery_persons must both be integers or both strings, or none would ever match; "
            f"received dtypes {probes.dtype} and {gallery.dtype}"
        )
    present = np.isin(probes, gallery)
    if absent == "error" and not present.all():
        first = np.flatnonzero(~present)[0]
        raise ValueError(
            f"probe_persons must all be in gallery_persons, or be left out with absent='exclude'; "
            f"{(~present).sum()} of {len(probes)} are not, the first {probes[first].item()!r} at index {first}"
        )
    if not present.any():
        raise ValueError("probe_persons must have somebody who is in gallery_persons; received nobody who is")
    return values[present], probes[present], gallery


def _matrix(name: str, given: ArrayLike, meaning: str) -> NDArray[np.float64]:
    values = _array(name, given, meaning)
    if values.dtype.kind in "cmMOSU":
        raise ValueError(f"{name} must be real numbers, {meaning}; received dtype {values.dtype}")
    values = values.astype(np.float64, copy=False)  # exact for every narrower float: no tie is made or undone
    if values.ndim != 2 or values.size == 0:
        raise ValueError(f"{name} must be {meaning}, at least one of each; received shape {values.shape}")
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        raise ValueError(f"{name} must be finite; received {values[tuple(bad[0])]} at index {tuple(map(int, bad[0]))}")
    return values


def _vector(name: str, given: ArrayLike, length: int, of: str) -> NDArray:
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


def _rank(k: int, last: int, meaning: str) -> int:
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= last:
        raise ValueError(f"k must be an integer in 1..{last}, {meaning}; received {k!r}")
    return int(k)
