from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class DriftCheck:
    """A share that the calibration expects, beside the one among the people enrolled.

    Attributes:
        kind: `"strangers"`: people whom a gallery of all others would take for somebody, by a walk of theirs.
            `"own walks"`: two walks of a person that are farther from each other than nine in ten of the calibration's.
        apart: Of `"own walks"`, how long after one walk the other was enrolled; empty for all.
        distance: Up to where somebody is accepted; of `"own walks"`, the one that nine in ten are within.
        expected: By the calibration.
        found: Among the people enrolled, each weighing the same.
        low: Least share that `found` may stand for: an interval of 99 %.
        high: Largest.
        people: How many people it was found among.

    Example:
        >>> check = agegait.gallery.DriftCheck("strangers", "", 0.2, 0.1, 0.4, 0.25, 0.56, 60)
        >>> check.drifted, check.ratio
        (True, 4.0)
    """

    kind: Literal["strangers", "own walks"]
    apart: str
    distance: float
    expected: float
    found: float
    low: float
    high: float
    people: int

    @property
    def drifted(self) -> bool:
        """Whether the calibration does not hold. Walks that are nearer to a person's others do no harm."""
        return self.low > self.expected or (self.kind == "strangers" and self.high < self.expected)

    @property
    def ratio(self) -> float:
        """How many times as many there are as were expected."""
        return self.found / self.expected
