from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from agegait.gallery.drift_check import DriftCheck
from agegait.gallery.duplicate import Duplicate
from agegait.gallery.person import Person
from agegait.gallery.walk_check import WalkCheck
from agegait.thresholds.threshold import Threshold


@dataclass(frozen=True)
class GalleryCheck:
    """How well the people of a gallery can be told apart.

    Attributes:
        people: All who are enrolled, in the order of enrolment.
        threshold: Up to where walks count as one person's.
        walks: Each walk, by person and number.
        duplicates: Pairs of people with walks within the threshold, the nearest first.
        expected: How many such pairs there would be by chance; None without a calibration.
        expiring: People who are deleted within 30 days, the soonest first.
        expired: How many were expired, and are deleted since the gallery was opened.
        drift: Whether the calibration holds for the people enrolled; empty without one, or with fewer than ten people.

    Example:
        >>> threshold = agegait.gallery.Threshold(0.3, 0.01, extrapolated=False)
        >>> walk = agegait.gallery.WalkCheck("Anna", 1, 90, 0.35, 0.32, "Ben")
        >>> check = agegait.gallery.GalleryCheck((), threshold, (walk,), (), None, (), 0)
        >>> check.disagreeing == (walk,), check.near == (walk,)
        (True, True)
    """

    SOON: ClassVar = timedelta(days=30)
    """Who is deleted within this time expires soon."""

    MARGIN: ClassVar = 0.1
    """By which part a distance may differ from the threshold to count as near."""

    people: tuple[Person, ...]
    threshold: Threshold
    walks: tuple[WalkCheck, ...]
    duplicates: tuple[Duplicate, ...]
    expected: float | None
    expiring: tuple[Person, ...]
    expired: int
    drift: tuple[DriftCheck, ...] = ()

    @property
    def drifted(self) -> bool:
        """Whether the calibration does not hold for the people enrolled."""
        return any(check.drifted for check in self.drift)

    @property
    def disagreeing(self) -> tuple[WalkCheck, ...]:
        """Walks that are beyond the threshold from all other walks of their own person, the farthest first."""
        found = [walk for walk in self.walks if walk.own is not None and walk.own > self.threshold.distance]
        return tuple(sorted(found, key=lambda walk: -(walk.own or 0)))

    @property
    def near(self) -> tuple[WalkCheck, ...]:
        """Walks a little within the threshold from their own person's, or a little beyond it from somebody else's."""
        limit, part = self.threshold.distance, 1 + self.MARGIN
        return tuple(
            walk
            for walk in self.walks
            if (walk.own is not None and limit / part < walk.own <= limit)
            or (walk.other is not None and limit < walk.other <= limit * part)
        )

    @property
    def single(self) -> tuple[Person, ...]:
        """People with one walk alone."""
        return tuple(person for person in self.people if person.walks == 1)

    @classmethod
    def expiring_among(cls, people: Iterable[Person], now: datetime) -> tuple[Person, ...]:
        """The people who expire soon, the soonest first."""
        soon = [(person.expires, person) for person in people if person.expires and person.expires <= now + cls.SOON]
        return tuple(person for _, person in sorted(soon, key=lambda pair: pair[0]))
