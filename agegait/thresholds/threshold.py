from dataclasses import dataclass


@dataclass(frozen=True)
class Threshold:
    """Up to which distance somebody is accepted.

    Attributes:
        distance: One minus the cosine of two embeddings.
        false_alarms: The share of strangers who are accepted in this gallery; None where there is no calibration.
        extrapolated: Whether fewer than one pair of the people who calibrated came as near: the rate is then that of
            a fitted tail, not of anybody seen.
        generated: Whether the people who calibrated were generated, and not real.

    Example:
        >>> agegait.gallery.Threshold(0.3, 0.01, extrapolated=False).distance
        0.3
    """

    distance: float
    false_alarms: float | None
    extrapolated: bool
    generated: bool = False
