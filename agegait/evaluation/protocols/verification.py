from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agegait import metrics
from agegait.evaluation.protocols import distances, thresholds
from agegait.evaluation.protocols.divide import at_least_four, divide
from agegait.evaluation.protocols.thresholds import Curve, OperatingPoint

FALSE_ACCEPT_RATES = (0.01, 0.001)


@dataclass(frozen=True)
class Verification:
    """Verification: each probe claims to be each person, and is compared with that person's gallery alone.

    Half the people choose thresholds, the other half is tested; nobody is compared with people of the other half.

    Attributes:
        samples: Probes of those tested.
        persons: People tested.
        genuine: Claims that were true.
        impostors: Claims that were not.
        equal_error_rate: EER of those tested, at their own threshold.
        half_total_error_rate: Mean of their rates of false accepts and false refusals, at the others' EER threshold.
        operating_points: One for each requested false accept rate.
        roc: The curve; 1 - true over false is the DET curve.
    """

    protocol: ClassVar[str] = "verification"
    about: ClassVar[str] = (
        "Each test walk claims to be each person in turn, and is compared with that person's training walks "
        "alone. Half the people choose thresholds, the other half is tested."
    )

    samples: int
    persons: int
    genuine: int
    impostors: int
    equal_error_rate: float
    half_total_error_rate: float
    operating_points: tuple[OperatingPoint, ...]
    roc: Curve


def verification(
    probes: np.ndarray,
    probe_persons: np.ndarray,
    gallery: np.ndarray,
    gallery_persons: np.ndarray,
    false_accept_rates: Sequence[float] = FALSE_ACCEPT_RATES,
    seed: int = 0,
) -> Verification:
    """Whether people are who they claim to be; thresholds are chosen on other people than those tested.

    The people who probe are divided in two by `divide`. A claim's score is the negative distance of the probe to the
    nearest gallery entry of the person claimed, features being standardised over the gallery of those who choose.
    Gallery entries of people who never probe are left out.

    Args:
        probes: `[P, D]` features.
        probe_persons: `[P]`, integers or strings.
        gallery: `[G, D]` features.
        gallery_persons: `[G]`.
        false_accept_rates: FARs to choose thresholds for.
        seed: Of the division.

    Raises:
        ValueError: As `agegait.metrics`; a probe's person is not in the gallery; fewer than four people.
    """
    probes, gallery = distances.checked(probes, probe_persons, gallery, gallery_persons)
    people = at_least_four(probe_persons)
    choosing, tested = divide(people, 2, seed)
    mean, scale = distances.moments(gallery[np.isin(gallery_persons, choosing)])
    probes, gallery = (probes - mean) / scale, (gallery - mean) / scale
    (scores, genuine), (test_scores, test_genuine) = (
        _claims(group, probes, probe_persons, gallery, gallery_persons) for group in (choosing, tested)
    )
    accepted, refused = test_scores[~test_genuine], test_scores[test_genuine]
    equal = metrics.equal_error(scores, genuine).threshold

    def rates(threshold: float) -> tuple[float, float]:
        return float(np.mean(accepted >= threshold)), float(np.mean(refused >= threshold))

    false, true = rates(equal)
    return Verification(
        samples=int(np.isin(probe_persons, tested).sum()),
        persons=len(tested),
        genuine=len(refused),
        impostors=len(accepted),
        equal_error_rate=metrics.equal_error(test_scores, test_genuine).rate,
        half_total_error_rate=(false + 1 - true) / 2,
        operating_points=thresholds.operating_points(false_accept_rates, scores[~genuine], rates),
        roc=thresholds.curve(accepted, rates),
    )


def _claims(
    group: np.ndarray, probes: np.ndarray, probe_persons: np.ndarray, gallery: np.ndarray, gallery_persons: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Scores and kinds of all claims of a group's probes to be somebody of the group."""
    own, entries = np.isin(probe_persons, group), np.isin(gallery_persons, group)
    scores = distances.nearest(probes[own], gallery[entries], np.asarray(gallery_persons)[entries], group)
    genuine = np.asarray(probe_persons)[own][:, None] == group
    return scores.ravel(), genuine.ravel()
