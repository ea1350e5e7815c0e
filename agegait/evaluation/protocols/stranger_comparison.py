"""One draw of probes beside a gallery, for any weights of its people: what the bootstrap asks for."""

from collections.abc import Sequence

import numpy as np

from agegait import metrics
from agegait.evaluation.protocols.ranks import RANKS


class StrangerComparison:
    """The comparison of some probes, one of a person, with a gallery.

    All figures may be had for weights of the people: how often each comes in a resample. A probe counts as often as
    its person. A claim of one person to be another counts as often as both together. The gallery that a probe is
    looked for in stays whole.

    Args:
        scores: `[P, G]`, how alike each probe is to each walk of the gallery: cosines, or what is made of them.
        persons: `[P]`, of the probes.
        gallery_persons: `[G]`; among them all of `persons`.
    """

    def __init__(self, scores: np.ndarray, persons: np.ndarray, gallery_persons: np.ndarray) -> None:
        self.search = metrics.search(1 - scores, persons, gallery_persons)
        self.entries = len(gallery_persons)
        self.people = np.unique(gallery_persons)
        best = np.stack([scores[:, gallery_persons == person].max(axis=1) for person in self.people], axis=1)
        self._row, self._column = np.arange(len(persons)), np.searchsorted(self.people, persons)
        right = np.zeros(best.shape, bool)
        right[self._row, self._column] = True
        self.genuine = best[right]  # [P], a row each
        self.impostors = best[~right]
        self._claim_row, self._claim_column = np.nonzero(~right)
        self.strangers = np.where(right, -np.inf, best).max(axis=1)  # the same probe, had its person not been enrolled
        self.found = self.genuine > self.strangers

    def figures(
        self, weights: np.ndarray, accept_rates: Sequence[float], alarm_rates: Sequence[float]
    ) -> dict[str, np.ndarray]:
        """The figures for each of R rows of weights.

        Args:
            weights: `[R, N]`, of each of `people`.
            accept_rates: False accept rates, at which to count true accepts.
            alarm_rates: False alarm rates, at which to count who is detected and identified.

        Returns:
            `[R]` for each figure; NaN where a row has no weight for it.
        """
        own = weights[:, self._column]  # [R, P]
        claims = own[:, self._claim_row] * weights[:, self._claim_column]
        figures = {f"rank_{k}": _mean(self.search.first <= k, own) for k in RANKS}
        figures["mean_average_precision"] = _mean(self.search.average_precision, own)
        figures["mean_inverse_negative_penalty"] = _mean(self.search.inverse_negative_penalty, own)
        figures["equal_error_rate"] = _equal_error(self.genuine, own, self.impostors, claims)
        for rate, limit in zip(accept_rates, _limits(self.impostors, claims, accept_rates), strict=True):
            accepted = _mean(self.genuine > limit[:, None], own)
            figures[f"true_accept_rate_{rate:g}"] = np.where(claims.any(axis=1), accepted, np.nan)
        for rate, limit in zip(alarm_rates, _limits(self.strangers, own, alarm_rates), strict=True):
            named = self.found & (self.genuine > limit[:, None])
            figures[f"detection_identification_rate_{rate:g}"] = _mean(named, own)
        return figures


def _mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted means `[R]` of `[P]` or `[R, P]`."""
    with np.errstate(invalid="ignore"):
        return np.sum(values * weights, axis=1) / np.sum(weights, axis=1)


def _limits(impostors: np.ndarray, weights: np.ndarray, rates: Sequence[float]) -> list[np.ndarray]:
    """For each rate `[R]`, the highest score that must not pass: `metrics.acceptance_threshold`'s, with weights."""
    order = np.argsort(-impostors)
    so_far = np.cumsum(weights[:, order], axis=1)
    limits = []
    for rate in rates:
        allowed = rate * so_far[:, -1:] + 1e-9
        passing = np.count_nonzero(so_far <= allowed, axis=1)
        limits.append(np.append(impostors[order], -np.inf)[passing])
    return limits


def _equal_error(
    genuine: np.ndarray, genuine_weights: np.ndarray, impostors: np.ndarray, impostor_weights: np.ndarray
) -> np.ndarray:
    """`metrics.equal_error`'s rate, with weights `[R, P]` and `[R, C]`."""
    scores = np.concatenate([genuine, impostors])
    order = np.argsort(-scores)
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)  # of each group of equal scores
    true = np.concatenate([genuine_weights, np.zeros_like(impostor_weights)], axis=1)[:, order]
    false = np.concatenate([np.zeros_like(genuine_weights), impostor_weights], axis=1)[:, order]
    true, false = (_share(np.cumsum(part, axis=1)[:, ends]) for part in (true, false))
    balance = 1 - true - false  # falls from 1 to -1
    after = np.argmax(balance <= 0, axis=1)
    rows = np.arange(len(after))
    step = balance[rows, after - 1] - balance[rows, after]
    share = np.divide(balance[rows, after - 1], step, out=np.ones_like(step), where=step > 0)
    return false[rows, after - 1] + share * (false[rows, after] - false[rows, after - 1])


def _share(sums: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        shares = sums / sums[:, -1:]
    return np.concatenate([np.zeros((len(sums), 1)), shares], axis=1)
