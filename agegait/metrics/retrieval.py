"""Retrieval: a probe is compared with every entry of a gallery."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agegait.metrics.arguments import matrix, rank, vector
from agegait.metrics.cmc_of_ranks import cmc_of_ranks


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
    return float(curve[rank(k, len(curve), "the size of the gallery") - 1])


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
    return cmc_of_ranks(found.first, np.shape(distances)[1])


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


def _positions(values: NDArray, probes: NDArray, gallery: NDArray) -> Iterator[NDArray[np.intp]]:
    """For each probe the ranks, from 1 and rising, of its person's entries; a tie puts the others first."""
    for row, person in zip(values, probes, strict=True):
        right = gallery == person
        own, others = np.sort(row[right]), np.sort(row[~right])
        yield np.arange(1, len(own) + 1) + np.searchsorted(others, own, side="right")


def _retrieval(
    distances: ArrayLike, probe_persons: ArrayLike, gallery_persons: ArrayLike, absent: str
) -> tuple[NDArray[np.float64], NDArray, NDArray]:
    if absent not in ("error", "exclude"):
        raise ValueError(f"absent must be 'error' or 'exclude'; received {absent!r}")
    values = matrix("distances", distances, "[P, G]: a row a probe, a column a gallery entry")
    probes = vector("probe_persons", probe_persons, values.shape[0], "the rows of distances")
    gallery = vector("gallery_persons", gallery_persons, values.shape[1], "the columns of distances")
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
