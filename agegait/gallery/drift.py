"""Whether a calibration holds for the people of a gallery."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from agegait.gallery.checking import Nearest
from agegait.gallery.drift_check import DriftCheck
from agegait.gallery.snapshot import Snapshot
from agegait.thresholds.calibration import Calibration
from agegait.thresholds.threshold import Threshold

FEWEST = 10
"""People, below which nothing can be said."""

RATES = (0.01, 0.1, 0.5)
"""Shares of strangers that are looked at: the rarer, the more people it takes to see a change."""

_OWN_SHARE = 0.9
_MISSED = 0.01  # of the intervals
_APART = (
    ("on one day", 0.0, 1.0),
    ("days apart", 1.0, 30.0),
    ("months apart", 30.0, 365.0),
    ("years apart", 365.0, np.inf),
)


def check_drift(
    calibration: Calibration, snapshot: Snapshot, nearest: Nearest, threshold: Threshold | None = None
) -> tuple[DriftCheck, ...]:
    """Compares what a calibration says of distances with those of people enrolled.

    Each person is taken for a stranger to a gallery of all others.

    Args:
        calibration: The gallery's.
        snapshot: All templates.
        nearest: How far all or some of them are from others.
        threshold: The one in use, looked at first.

    Returns:
        Nothing for fewer than ten people.
    """
    sizes = Counter(np.unique(snapshot.persons, return_counts=True)[1].tolist())
    if sizes.total() <= FEWEST:
        return ()
    sizes[max(sizes, key=lambda walks: sizes[walks])] -= 1  # everybody but the stranger
    others = +sizes
    limits = [] if threshold is None else [(threshold.distance, calibration.false_alarms(threshold.distance, others))]
    rates = [rate for rate in RATES if threshold is None or rate != threshold.false_alarms]
    limits += [(calibration.threshold(others, rate).distance, rate) for rate in rates]
    persons = snapshot.persons[nearest.probes]
    found = []
    for distance, expected in limits:
        share, people = _share(nearest.other <= distance, persons)
        # Two people who are alike are two alarms for one reason: half as many people are independent.
        low, high = _interval(share, people / 2)
        if 0 < expected < 1:
            found.append(DriftCheck("strangers", "", distance, expected, share, low, high, people))
    return (*found, *_own_walks(calibration, snapshot))


def _own_walks(calibration: Calibration, snapshot: Snapshot) -> list[DriftCheck]:
    limit = calibration.pair_distance(_OWN_SHARE)
    if limit is None:
        return []
    persons, apart, far = _pairs(snapshot, limit)
    kinds = [(name, (apart >= least) & (apart < most)) for name, least, most in _APART]
    found = []
    for name, those in (("", np.ones(len(far), bool)), *kinds):
        share, people = _share(far[those], persons[those])
        if people >= FEWEST:
            low, high = _interval(share, people)
            found.append(DriftCheck("own walks", name, limit, 1 - _OWN_SHARE, share, low, high, people))
    return found


def _pairs(snapshot: Snapshot, limit: float) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Of each two walks of a person: the person, the days between them, and whether they are beyond a distance."""
    persons, apart, far = [np.empty(0, "int64")], [np.empty(0)], [np.empty(0, bool)]
    # Those of a person lie one after another: all with the next, then all with the next but one, and so on.
    for step in range(1, len(snapshot)):
        first = np.flatnonzero(snapshot.persons[step:] == snapshot.persons[:-step])
        if not len(first):
            break
        second = first + step
        persons.append(snapshot.persons[first])
        apart.append(np.abs(snapshot.days[first] - snapshot.days[second]))
        far.append(np.einsum("wd,wd->w", snapshot.embeddings[first], snapshot.embeddings[second]) < 1 - limit)
    return np.concatenate(persons), np.concatenate(apart), np.concatenate(far)


def _share(true: NDArray[np.bool_], persons: NDArray[np.int64]) -> tuple[float, int]:
    """The share of what is true, each person weighing the same, and how many people there are."""
    _, rows, counts = np.unique(persons, return_inverse=True, return_counts=True)
    people = len(counts)
    return (float(np.mean(np.bincount(rows, true, people) / counts)) if people else 0.0), people


def _interval(share: float, people: float) -> tuple[float, float]:
    """Clopper and Pearson's, of a share of so many independent people."""
    from scipy.stats import beta

    true = share * people
    low = float(beta.ppf(_MISSED / 2, true, people - true + 1)) if true > 0 else 0.0
    high = float(beta.ppf(1 - _MISSED / 2, true + 1, people - true)) if true < people else 1.0
    return low, high
