from dataclasses import dataclass

from agegait.gallery.match import Match
from agegait.gallery.quality import Quality
from agegait.thresholds.threshold import Threshold


@dataclass(frozen=True)
class Identification:
    """Who somebody is, or that they are unknown.

    Attributes:
        person: The name of the nearest person, if they are within the threshold; None for unknown.
        matches: The nearest people, the nearest first, accepted or not.
        threshold: Up to where people are accepted.
        quality: Of the walk.
        people: How many were enrolled.

    Example:
        >>> threshold = agegait.gallery.Threshold(0.3, 0.01, extrapolated=False)
        >>> quality = agegait.gallery.Quality(90, 1.0, 0.1, "")
        >>> found = agegait.gallery.Identification(None, (), threshold, quality, 0)
        >>> found.person is None
        True
    """

    person: str | None
    matches: tuple[Match, ...]
    threshold: Threshold
    quality: Quality
    people: int
