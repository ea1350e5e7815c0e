"""How well people are named, found again, or told from others. NumPy in, plain floats and arrays out.

Four protocols, never to be mixed in one table:

- **Recognition**: a classifier scores each of N known people; `scores` [B, N], higher is better, `labels` [B].
  `rank_k`, `cmc`, `nauc_cmc`, `nauc_roc`.
- **Retrieval**: a probe is compared with every gallery entry; `distances` [P, G], lower is better, and the person of
  each probe [P] and of each gallery entry [G]. `retrieval_rank_k`, `retrieval_cmc`, `mean_average_precision`,
  `mean_inverse_negative_penalty`; all of them probe by probe from `search`.
- **Verification**: somebody claims to be somebody; `scores` [C] of the claims, higher is better, and whether each is
  `genuine` [C]. `roc`, `equal_error`, `true_accept_rate`, `acceptance_threshold`.
- **Open set**: people who were never enrolled come too, and are to be named nobody. `acceptance_threshold` over their
  best scores, `detection_identification_rate` for those who were enrolled.

Ties count against the method wherever there are ranks: whoever scores the same as the right answer is ranked before
it. A classifier that gives everybody the same score thus has a Rank-1 of 0, not of 1 or of whatever a sort happens to
do. A threshold lets everybody pass who scores as high as it.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "EqualError",
    "Roc",
    "Search",
    "acceptance_threshold",
    "cmc",
    "detection_identification_rate",
    "equal_error",
    "mean_average_precision",
    "mean_inverse_negative_penalty",
    "nauc_cmc",
    "nauc_roc",
    "rank_k",
    "retrieval_cmc",
    "retrieval_rank_k",
    "roc",
    "search",
    "true_accept_rate",
]


class Search(NamedTuple):
    """What each probe's search through a gallery found.

    Attributes:
        first: [P], rank from 1 of the first entry of the probe's person.
        average_precision: [P], see `mean_average_precision`.
        inverse_negative_penalty: [P], see `mean_inverse_negative_penalty`.
    """

    first: NDArray[np.intp]
    average_precision: NDArray[np.float64]
    inverse_negative_penalty: NDArray[np.float64]


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
    found = search(distances, probe_persons, gallery_persons, absent=absent)
    return _curve(found.first, np.shape(distances)[1])


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
    return float(search(distances, probe_persons, gallery_persons, absent=absent).average_precision.mean())


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
    return float(search(distances, probe_persons, gallery_persons, absent=absent).inverse_negative_penalty.mean())


def search(
    distances: ArrayLike,
    probe_persons: ArrayLike,
    gallery_persons: ArrayLike,
    *,
    absent: Literal["error", "exclude"] = "error",
) -> Search:
    """Searches for each probe: what the figures of retrieval are means of, so that a large search can go in blocks.

    Args:
        distances: [P, G], from each probe to each gallery entry, any unit, lower is nearer.
        probe_persons: [P], integers or strings, the person of each probe.
        gallery_persons: [G], of the same kind, the person of each gallery entry.
        absent: What becomes of a probe whose person is not in the gallery: `"error"`, or `"exclude"` it.

    Raises:
        ValueError: As for `retrieval_rank_k`.

    Example:
        >>> search([[1.0, 2.0, 3.0, 4.0]], ["ben"], ["ann", "ben", "ann", "ben"])
        Search(first=array([2]), average_precision=array([0.5]), inverse_negative_penalty=array([0.5]))
    """
    values, probes, gallery = _retrieval(distances, probe_persons, gallery_persons, absent)
    found = [
        (positions[0], np.mean(np.arange(1, len(positions) + 1) / positions), len(positions) / positions[-1])
        for positions in _positions(values, probes, gallery)
    ]
    return Search(*(np.array(column) for column in zip(*found, strict=True)))


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

    Nothing is interpolated: the threshold is `acceptance_threshold`'s, which keeps to the rate asked for. The rate is
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
    values = _scores("impostors", impostors)
    if isinstance(rate, bool) or not isinstance(rate, int | float | np.number) or not 0 <= rate <= 1:
        raise ValueError(f"rate must be a number in 0..1; received {rate!r}")
    passing = int(rate * len(values) + 1e-9)  # 0.29 of 100 is 28.999999999999996
    if passing == len(values):
        return -np.inf
    kth = len(values) - 1 - passing
    return float(np.nextafter(np.partition(values, kth)[kth], np.inf))


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
    values, people = _recognition(scores, labels)
    right = np.take_along_axis(values, people[:, None], axis=1)
    first = np.count_nonzero(values >= right, axis=1) == 1
    return float(np.mean(first & (right[:, 0] >= threshold)))


def _curve(ranks: NDArray[np.intp], last: int) -> NDArray[np.float64]:
    return np.cumsum(np.bincount(ranks, minlength=last + 1)[1:]) / len(ranks)


def _positions(values: NDArray, probes: NDArray, gallery: NDArray) -> Iterator[NDArray[np.intp]]:
    """For each probe the ranks, from 1 and rising, of its person's entries; a tie puts the others first."""
    for row, person in zip(values, probes, strict=True):
        right = gallery == person
        own, others = np.sort(row[right]), np.sort(row[~right])
        yield np.arange(1, len(own) + 1) + np.searchsorted(others, own, side="right")


def _recognition(scores: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    values = matrix("scores", scores, "[B, N]: a row a sample, a column a person")
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
    values = matrix("distances", distances, "[P, G]: a row a probe, a column a gallery entry")
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


def _claims(scores: ArrayLike, genuine: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values = _scores("scores", scores)
    kinds = _vector("genuine", genuine, len(values), "the scores")
    if kinds.dtype.kind != "b":
        raise ValueError(f"genuine must be bool; received dtype {kinds.dtype}")
    if kinds.all() or not kinds.any():
        raise ValueError(f"genuine must be true of some claims and false of others; received all {kinds[0]}")
    return values, kinds


def _scores(name: str, given: ArrayLike) -> NDArray[np.float64]:
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
