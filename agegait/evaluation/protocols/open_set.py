from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agegait import metrics
from agegait.evaluation.protocols import distances, thresholds
from agegait.evaluation.protocols.divide import at_least_four, divide
from agegait.evaluation.protocols.thresholds import Curve, OperatingPoint

FALSE_ALARM_RATES = (0.1, 0.01)


@dataclass(frozen=True)
class OpenSet:
    """Open-set identification: a probe is named, or taken for a stranger; half of those who come are strangers.

    Half the people choose thresholds, the other half is tested; half of either is enrolled, half never.

    Attributes:
        samples: Probes of enrolled people.
        strangers: Probes of people who were never enrolled.
        persons: People enrolled.
        operating_points: One for each requested false alarm rate. A false alarm is a stranger who is named; `true` is
            the share of enrolled people's probes that are named, and named rightly.
        roc: The curve; its end, where everybody is named, is Rank-1 among those enrolled.
    """

    protocol: ClassVar[str] = "open-set identification"
    about: ClassVar[str] = (
        "A test walk is named or taken for a stranger; half of those who come were never enrolled. Thresholds are"
        " chosen on other people than those tested. The encoder has seen everybody's training walks, without "
        "names."
    )

    samples: int
    strangers: int
    persons: int
    operating_points: tuple[OperatingPoint, ...]
    roc: Curve


def open_set(
    probes: np.ndarray,
    probe_persons: np.ndarray,
    gallery: np.ndarray,
    gallery_persons: np.ndarray,
    false_alarm_rates: Sequence[float] = FALSE_ALARM_RATES,
    seed: int = 0,
) -> OpenSet:
    """Who of the enrolled people it is, if anybody; thresholds are chosen on other people than those tested.

    The people who probe are divided in four by `divide`: enrolled and never enrolled, of those who choose and of those
    who are tested. A probe's score for a person is its negative distance to their nearest gallery entry, features being
    standardised over the gallery of the enrolled people who choose. What the features were learned from is the
    caller's affair: they are those of strangers only if nobody tested was among it.

    Args:
        probes: `[P, D]` features.
        probe_persons: `[P]`, integers or strings.
        gallery: `[G, D]` features.
        gallery_persons: `[G]`; entries of people who are not enrolled are not searched.
        false_alarm_rates: Shares of strangers who may be named, to choose thresholds for.
        seed: Of the division.

    Raises:
        ValueError: As `agegait.metrics`; a probe's person is not in the gallery; fewer than four people.
    """
    probes, gallery = distances.checked(probes, probe_persons, gallery, gallery_persons)
    choosing, tested, choosing_strangers, strangers = divide(at_least_four(probe_persons), 4, seed)
    mean, scale = distances.moments(gallery[np.isin(gallery_persons, choosing)])
    probes, gallery = (probes - mean) / scale, (gallery - mean) / scale

    def scores(coming: np.ndarray, enrolled: np.ndarray) -> np.ndarray:
        own, entries = np.isin(probe_persons, coming), np.isin(gallery_persons, enrolled)
        return distances.nearest(probes[own], gallery[entries], np.asarray(gallery_persons)[entries], enrolled)

    alarms = scores(choosing_strangers, choosing).max(axis=1)
    test_alarms, test_scores = scores(strangers, tested).max(axis=1), scores(tested, tested)
    labels = distances.labels(np.asarray(probe_persons)[np.isin(probe_persons, tested)], tested)

    def rates(threshold: float) -> tuple[float, float]:
        detected = metrics.detection_identification_rate(test_scores, labels, threshold)
        return float(np.mean(test_alarms >= threshold)), detected

    return OpenSet(
        samples=len(test_scores),
        strangers=len(test_alarms),
        persons=len(tested),
        operating_points=thresholds.operating_points(false_alarm_rates, alarms, rates),
        roc=thresholds.curve(test_alarms, rates),
    )
