from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MANY = 10_000
"""Scores of which 2 % are enough to fit a tail to; of fewer it is 5 %."""


@dataclass(frozen=True)
class ScoreTail:
    """How likely a score is exceeded: by quantiles as far as many scores reach, by a fitted tail beyond.

    The tail is a generalised Pareto distribution, fitted by its first two moments. It does not end below the highest
    score that there can be: what was not seen among some people may be seen among more.

    Attributes:
        quantiles: Of the scores below the tail, evenly.
        body: The share of these scores.
        shape: Of the tail: below 0 it ends somewhere, at 0 it falls as an exponential.
        scale: Of the tail.

    Example:
        >>> tail = agegait.gallery.ScoreTail.fit(np.linspace(0, 1, 1001))
        >>> round(tail.exceeds(0.5), 2), round(tail.exceeds(0.99), 2)
        (0.5, 0.01)

    Reference:
        Hosking and Wallis, Parameter and Quantile Estimation for the Generalized Pareto Distribution, Technometrics
        1987.
    """

    quantiles: tuple[float, ...]
    body: float
    shape: float
    scale: float

    @classmethod
    def fit(cls, scores: NDArray[np.floating], highest: float = 1.0) -> "ScoreTail":
        """The distribution of `[S]` scores, of which none can be above the highest."""
        body = 0.98 if len(scores) >= _MANY else 0.95
        quantiles = np.quantile(np.asarray(scores, "float64"), np.linspace(0, body, 96))
        excess = scores[scores > quantiles[-1]] - quantiles[-1]
        mean, variance = (float(excess.mean()), float(excess.var())) if len(excess) else (0.0, 0.0)
        shape = min((1 - mean**2 / max(variance, 1e-12)) / 2, 0.3)
        room = max(float(highest - quantiles[-1]), 1e-6)
        least = -mean / max(room - mean, 1e-6)  # with it the tail has the same mean and ends at the highest score
        shape = max(shape, least, -1.0)
        return cls(tuple(np.round(quantiles, 6).tolist()), body, shape, max(mean * (1 - shape), 1e-6))

    def exceeds(self, score: float) -> float:
        """How likely a score is exceeded."""
        beyond = (score - self.quantiles[-1]) / self.scale
        if beyond <= 0:
            return 1 - float(np.interp(score, self.quantiles, np.linspace(0, self.body, len(self.quantiles))))
        if abs(self.shape) < 1e-6:
            return (1 - self.body) * float(np.exp(-beyond))
        return (1 - self.body) * float(max(1 + self.shape * beyond, 0.0) ** (-1 / self.shape))

    def exceeded_by(self, share: float) -> float:
        """The score that is exceeded by a share, above 0, of all: what `exceeds` turns round."""
        if share >= 1 - self.body:
            return float(np.interp(1 - share, np.linspace(0, self.body, len(self.quantiles)), self.quantiles))
        ratio = share / (1 - self.body)
        if abs(self.shape) < 1e-6:
            return self.quantiles[-1] - self.scale * float(np.log(ratio))
        return self.quantiles[-1] + self.scale * float(ratio**-self.shape - 1) / self.shape
