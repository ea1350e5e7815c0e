from typing import Any

import numpy as np
from numpy.typing import NDArray

from agegait.thresholds.score_tail import ScoreTail

ERROR_SHARES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
"""How often one template comes near, where it is estimated by how much that is in error."""

_GROUPS = 40
"""Of people who are left out together; with fewer people each alone."""

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

    def tail(self) -> ScoreTail:
        """How often strangers come near."""
        return ScoreTail.fit(self.impostors)

    def tail_errors(self) -> NDArray[np.float64]:
        """Standard errors `[7]` of the logarithm of how often strangers come near, where it is `ERROR_SHARES`.

        They say what other people would have given, by the jackknife: the people are left out in turn.

        Reference:
            Efron and Stein, The Jackknife Estimate of Variance, Annals of Statistics 1981.
        """
        groups = min(int(self._persons.max()) + 1, _GROUPS)
        tail = self.tail()
        scores = [tail.exceeded_by(share) for share in ERROR_SHARES]
        logarithms = []
        for group in range(groups):
            kept = self._persons % groups != group
            cosines = self._cosines[np.ix_(kept, kept)]
            others = ScoreTail.fit(cosines[self._persons[kept][:, None] != self._persons[kept]])
            shares = np.array([others.exceeds(score) for score in scores])
            logarithms.append(np.log(np.maximum(shares, np.array(ERROR_SHARES) / 1000)))
        errors: NDArray[np.float64] = np.sqrt(groups - 1) * np.std(logarithms, axis=0)
        return errors

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
