"""The figures of an evaluation: how each is read from a result, and how sure it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agegait.evaluation import protocols
from agegait.evaluation.result import Result

CONFIDENCE = 0.95
"""Of the intervals beside figures."""

FEWEST_CLAIMS = 10
"""Claims of either kind, or strangers, from which on an error rate or a curve says anything."""

_Thresholded = protocols.Verification | protocols.OpenSet


@dataclass(frozen=True)
class Figure:
    """A figure that results may have.

    Attributes:
        name: What tables call it.
        read: Its value, as a fraction; None where the result has none, or too few samples to estimate it.
        samples: Of how many independent samples it is a share; None where it is no share, or they depend on each other.
        key: Its name among the intervals of a result that has its own.
    """

    name: str
    read: Callable[[Result], float | None]
    samples: Callable[[Result], int | None] = lambda _: None
    key: str = ""

    def interval(self, result: Result) -> tuple[float, float] | None:
        """The interval that the result has of its own, else the Wilson interval of a share; None where it is none."""
        if isinstance(result.figures, protocols.Strangers):
            return result.figures.intervals.get(self.key)
        value, samples = self.read(result), self.samples(result)
        if value is None or not samples:
            return None
        from scipy.stats import binomtest  # takes a second to import

        found = binomtest(round(value * samples), samples).proportion_ci(CONFIDENCE, "wilson")
        return float(found.low), float(found.high)


def wrong_samples(result: Result) -> int:
    """How many of a result's samples should be refused: false claims, or strangers; 0 where nobody should."""
    match result.figures:
        case protocols.OpenSet(strangers=count):
            return count
        case protocols.Verification(impostors=count) | protocols.Strangers(impostors=count):
            return count
    return 0


def has_curve(result: Result) -> bool:
    """Whether a result has a ROC curve of enough samples."""
    return hasattr(result.figures, "roc") and wrong_samples(result) >= FEWEST_CLAIMS


def can_reach(rate: float, result: Result) -> bool:
    """Whether there are enough wrong samples for that share of them to be one at least."""
    return wrong_samples(result) * rate >= 1


def walks(result: Result) -> int | None:
    """Samples where they are walks: windows of one walk are alike, and say less than as many walks."""
    return result.figures.samples if result.of == "walks" else None


def _value(name: str) -> Callable[[Result], Any]:
    """A field of figures; None of those that have none."""
    return lambda result: getattr(result.figures, name, None)


def _rank(k: int) -> Callable[[Result], float | None]:
    return lambda result: getattr(result.figures, "rank", {}).get(k)


def _equal_error_rate(result: Result) -> float | None:
    figures = result.figures
    if isinstance(figures, protocols.Verification) and min(figures.genuine, figures.impostors) < FEWEST_CLAIMS:
        return None
    return _value("equal_error_rate")(result)


def _at_rate(name: str, percent: str, rate: float, kind: type[_Thresholded], rates: str) -> tuple[Figure, Figure]:
    """The true rate at the threshold for a false rate, of strangers at their own one, and the false rate reached.

    None where not even one sample may pass wrongly.
    """
    verification = kind is protocols.Verification

    def at_threshold(result: Result, side: str) -> float | None:
        points = result.figures.operating_points if isinstance(result.figures, kind) else ()
        return next((getattr(one, side) for one in points if one.asked == rate and can_reach(rate, result)), None)

    def true(result: Result) -> float | None:
        figures = result.figures
        if not isinstance(figures, protocols.Strangers):
            return at_threshold(result, "true")
        count = figures.impostors if verification else figures.samples
        return getattr(figures, rates).get(rate) if count * rate >= 1 else None

    return (
        Figure(f"{name}, FAR {percent}", true, _value("genuine" if verification else "samples"), f"{rates}_{rate:g}"),
        Figure(f"reached FAR for {percent}", lambda result: at_threshold(result, "false")),
    )


_ALL = (
    *(Figure(f"Rank-{k}", _rank(k), walks if k == 1 else lambda _: None, f"rank_{k}") for k in protocols.RANKS),
    Figure("nAUC (CMC)", _value("nauc_cmc")),
    Figure("nAUC (ROC)", _value("nauc_roc")),
    Figure("mAP", _value("mean_average_precision"), key="mean_average_precision"),
    Figure("mINP", _value("mean_inverse_negative_penalty"), key="mean_inverse_negative_penalty"),
    Figure("EER", _equal_error_rate, _value("genuine"), "equal_error_rate"),
    *(
        figure
        for rate in protocols.FALSE_ACCEPT_RATES
        for figure in _at_rate("TAR", f"{rate:.1%}", rate, protocols.Verification, "true_accept_rate")
    ),
    *(
        figure
        for rate in protocols.FALSE_ALARM_RATES
        for figure in _at_rate("DIR", f"{rate:.0%}", rate, protocols.OpenSet, "detection_identification_rate")
    ),
)

FIGURES = {figure.name: figure for figure in _ALL}
"""The figures by name, in the order of tables' columns. TAR: true accepts, DIR: detected and rightly identified."""
