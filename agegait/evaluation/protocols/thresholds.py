"""What becomes of people at thresholds, which others choose or, for plots alone, they themselves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from agegait import metrics

CURVE_POINTS = 100

Rates = Callable[[float], tuple[float, float]]
"""From a threshold to what passes of those tested: the false, and the true."""


@dataclass(frozen=True)
class OperatingPoint:
    """What became of the people tested at a threshold that other people chose.

    Attributes:
        asked: The rate of false accepts, or of false alarms, that the threshold keeps to among those who chose it.
        threshold: The score from which on somebody passes: a distance between features, negative.
        false: The rate of false accepts, or of false alarms, among those tested.
        true: The rate of true accepts, or of people detected and rightly identified.
    """

    asked: float
    threshold: float
    false: float
    true: float


@dataclass(frozen=True)
class Curve:
    """The curve of those tested, at thresholds that keep to each rate among themselves: for plots alone.

    Attributes:
        false: Rates of false accepts or alarms, from one impostor's to 1, evenly in the logarithm.
        true: The rate of true accepts, or of people detected and rightly identified, at each.
    """

    false: tuple[float, ...]
    true: tuple[float, ...]


def operating_points(asked: Sequence[float], impostors: np.ndarray, rates: Rates) -> tuple[OperatingPoint, ...]:
    """The rates at thresholds that keep to each requested rate among the impostors' scores of those who choose."""
    thresholds = [metrics.acceptance_threshold(impostors, rate) for rate in asked]
    return tuple(
        OperatingPoint(rate, threshold, *rates(threshold)) for rate, threshold in zip(asked, thresholds, strict=True)
    )


def curve(impostors: np.ndarray, rates: Rates) -> Curve:
    """The curve of those tested, from their impostors' scores."""
    asked = np.geomspace(1 / len(impostors), 1, min(CURVE_POINTS, len(impostors)))
    reached = [rates(metrics.acceptance_threshold(impostors, min(rate, 1))) for rate in asked]
    return Curve(*(tuple(column) for column in zip(*reached, strict=True)))
