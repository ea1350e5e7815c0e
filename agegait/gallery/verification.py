from dataclasses import dataclass

from agegait.gallery.quality import Quality
from agegait.thresholds.threshold import Threshold


@dataclass(frozen=True)
class Verification:
    """Whether somebody is who they claim to be.

    Attributes:
        person: The name claimed, as enrolled.
        accepted: Whether the distance is within the threshold.
        distance: One minus the cosine of the walk's embedding and the nearest of the person's.
        probability: That the claim is true, if half of all claims are; None where the calibration had no two walks of
            a person.
        threshold: Up to where a claim is accepted.
        quality: Of the walk.

    Example:
        >>> threshold = agegait.gallery.Threshold(0.3, 0.01, extrapolated=False)
        >>> quality = agegait.gallery.Quality(90, 1.0, 0.1, "")
        >>> agegait.gallery.Verification("Anna", True, 0.12, 0.99, threshold, quality).accepted
        True
    """

    person: str
    accepted: bool
    distance: float
    probability: float | None
    threshold: Threshold
    quality: Quality
