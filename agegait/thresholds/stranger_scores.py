import math
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agegait.thresholds.score_tail import ScoreTail

ERROR_SHARES = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5)
"""How often one template comes near, where it is estimated by how much that is in error."""

_PAIRS = 5
"""Pairs of people who must have come near for an estimate."""

_SHARES = (0.002, 0.005, 0.01)
"""How often one template comes near, where it is counted how often any of several does."""

_QUANTILES = 101


class StrangerScores:
    """Cosines between walks of people whom nothing was learned from: what a calibration is made from.

    Args:
        embeddings: `[W, D]`, of any length.
        persons: `[W]`.

    Attributes:
        impostors: Cosines of walks of different people, each pair twice.
        genuine: Cosines of walks with the nearest other walk of the same person, of those who have one.
    """

    def __init__(self, embeddings: NDArray[np.floating], persons: NDArray[Any]) -> None:
        unit = np.asarray(embeddings, "float64")
        unit = unit / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
        self._cosines = unit @ unit.T
        _, self._persons = np.unique(persons, return_inverse=True)
        same = self._persons[:, None] == self._persons
        self.impostors = self._cosines[~same]
        nearest = np.where(same & ~np.eye(len(same), dtype=bool), self._cosines, -np.inf).max(axis=1)
        self.genuine = nearest[nearest > -np.inf]

    def exponent(self) -> float:
        """By which power of their number a person's templates count as independent ones; 1 if nobody has two."""
        walks = np.bincount(self._persons)
        limits = np.quantile(self.impostors, [1 - share for share in _SHARES])
        found, pairs = 0.0, 0
        for count in np.unique(walks[walks > 1]):
            # People with so many walks together: of one alone few come near.
            once, ever = [], []
            for person in np.flatnonzero(walks == count):
                near = self._cosines[self._persons != person][:, self._persons == person, None] > limits
                once.append(near.mean(axis=(0, 1)))
                ever.append(near.any(axis=1).mean(axis=0))
            one, any_of_them = np.mean(once), np.mean(ever)
            if one > 0 and any_of_them < 1:
                found += len(once) * float(np.log(np.log1p(-any_of_them) / np.log1p(-one)) / np.log(count))
                pairs += len(once)
        return float(np.clip(found / pairs, 0, 1)) if pairs else 1.0

    @cached_property
    def tail(self) -> ScoreTail:
        """How often strangers come near."""
        return ScoreTail.fit(self.impostors)

    def tail_errors(self) -> NDArray[np.float64]:
        """Standard errors `[9]` of the logarithm of how often strangers come near, where it is `ERROR_SHARES`.

        They say by how much other people would have given another share. A share is a mean over pairs of people. The
        expected product of two pairs that have nobody in common is the true share's square, so the mean's square less
        that of all such products estimates the mean's variance, without bias. Where hardly any pair came near, it
        is known only that no more come than at the larger share before: two errors above, a share is as high as there.

        Reference:
            Hoeffding, A Class of Statistics with Asymptotically Normal Distribution, Annals of Mathematical Statistics
            1948: the variance of means over pairs.
        """
        tail, people = self.tail, int(self._persons.max()) + 1
        walks = np.zeros((len(self._persons), people))
        walks[np.arange(len(walks)), self._persons] = 1 / np.bincount(self._persons)[self._persons]
        disjoint = math.perm(people, 4)
        errors: list[float] = []
        error, before = 1.0, ERROR_SHARES[0]
        for share in ERROR_SHARES:
            near = walks.T @ (self._cosines > tail.exceeded_by(share)) @ walks  # [people, people]
            np.fill_diagonal(near, 0)
            highest = error + math.log(before / share) / 2
            if np.count_nonzero(near) >= 2 * _PAIRS:
                mean, both, squares = near.sum() / math.perm(people, 2), (near.sum(axis=1) ** 2).sum(), (near**2).sum()
                apart = (near.sum() ** 2 - 4 * both + 2 * squares) / disjoint
                found = math.sqrt(max(mean**2 - apart, 0.0)) / mean
                error = min(max([found, *errors[-1:]]), highest)
            else:
                error = highest
            before = share
            errors.append(error)
        return np.array(errors)

    def pair_quantiles(self) -> NDArray[np.float64]:
        """Quantiles, evenly from 0 to 1, of the cosines of two walks of a person; each person weighs the same."""
        first, second = np.nonzero(np.triu(self._persons[:, None] == self._persons, 1))
        if not len(first):
            return np.empty(0)
        cosines, persons = self._cosines[first, second], self._persons[first]
        order = np.argsort(cosines)
        weights = 1 / np.bincount(persons)[persons[order]]
        shares = (np.cumsum(weights) - weights / 2) / weights.sum()
        quantiles: NDArray[np.float64] = np.interp(np.linspace(0, 1, _QUANTILES), shares, cosines[order])
        return quantiles

    def log_odds(self) -> tuple[float, float]:
        """Slope and intercept, over the cosine, of the logarithm of how much likelier a true claim has it than a false.

        By logistic regression in which both kinds of claims weigh the same. A claim is scored by the person's nearest
        walk.
        """
        from sklearn.linear_model import LogisticRegression  # a second to import

        number = int(self._persons.max()) + 1
        nearest = np.stack([self._cosines[:, self._persons == person].max(axis=1) for person in range(number)], axis=1)
        false = nearest[np.arange(number) != self._persons[:, None]]
        scores = np.concatenate([self.genuine, false])
        spread = max(float(scores.std()), 1e-6)
        true = np.arange(len(scores)) < len(self.genuine)
        fitted = LogisticRegression(C=10.0, class_weight="balanced").fit(scores[:, None] / spread, true)
        return float(fitted.coef_[0, 0] / spread), float(fitted.intercept_[0])
