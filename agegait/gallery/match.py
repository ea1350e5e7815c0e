from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agegait.thresholds.calibration import Calibration
from agegait.thresholds.threshold import Threshold


@dataclass(frozen=True)
class Match:
    """Somebody enrolled, beside the walk that was looked for.

    Attributes:
        person: Their name.
        distance: One minus the cosine of the walk's embedding and the nearest of theirs: 0 for the same walk, 1 for
            walks that have nothing in common.
        probability: That the walk is theirs, if half of those who come are strangers and the others equally often each
            of those enrolled; None where the calibration had no two walks of a person.
        accepted: Whether the distance is within the threshold.

    Example:
        >>> agegait.gallery.Match("Anna", 0.12, 0.98, accepted=True).person
        'Anna'
    """

    person: str
    distance: float
    probability: float | None
    accepted: bool

    @classmethod
    def of_distances(
        cls, near: Sequence[tuple[str, float]], limit: Threshold, calibration: Calibration | None, enrolled: int
    ) -> tuple["Match", ...]:
        """The people near to a walk.

        Args:
            near: Names and distances, the nearest first; those left out are too far away to be likely.
            limit: Up to where people are accepted.
            calibration: That gives probabilities; None for none.
            enrolled: How many people are.
        """
        ratios = [calibration.log_likelihood_ratio(distance) if calibration else None for _, distance in near]
        likelihoods = np.exp([min(ratio or 0.0, 500.0) for ratio in ratios]) / max(enrolled, 1)
        probabilities = likelihoods / (1 + likelihoods.sum())
        return tuple(
            cls(name, distance, None if ratio is None else float(probability), distance <= limit.distance)
            for (name, distance), ratio, probability in zip(near, ratios, probabilities, strict=True)
        )
