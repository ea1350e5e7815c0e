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


def _at(rate: float, kind: type[_Thresholded], name: str) -> Callable[[Result], float | None]:
    """The rate called `name` at the threshold for a false rate; None where not even one sample may pass wrongly."""

    def read(result: Result) -> float | None:
        figures = result.figures
        if not isinstance(figures, kind) or not can_reach(rate, result):
            return None
        return next((getattr(point, name) for point in figures.operating_points if point.asked == rate), None)

    return read


def _true_rate(rate: float, kind: type[_Thresholded], rates: str, of: str) -> Callable[[Result], float | None]:
    """As `_at` gives the true rate; of strangers, that at the threshold of the people tested."""
    at = _at(rate, kind, "true")

    def read(result: Result) -> float | None:
        if not isinstance(result.figures, protocols.Strangers):
            return at(result)
        return getattr(result.figures, rates).get(rate) if getattr(result.figures, of) * rate >= 1 else None

    return read


def _figures() -> tuple[Figure, ...]:
    return (
        *(Figure(f"Rank-{k}", _rank(k), walks if k == 1 else lambda _: None, f"rank_{k}") for k in protocols.RANKS),
        Figure("nAUC (CMC)", _value("nauc_cmc")),
        Figure("nAUC (ROC)", _value("nauc_roc")),
        Figure("mAP", _value("mean_average_precision"), key="mean_average_precision"),
        Figure("mINP", _value("mean_inverse_negative_penalty"), key="mean_inverse_negative_penalty"),
        Figure("EER", _equal_error_rate, _value("genuine"), "equal_error_rate"),
        *(
            figure
            for rate in protocols.FALSE_ACCEPT_RATES
            for figure in (
                Figure(
                    f"TAR, FAR {rate:.1%}",
                    _true_rate(rate, protocols.Verification, "true_accept_rate", "impostors"),
                    _value("genuine"),
                    f"true_accept_rate_{rate:g}",
                ),
                Figure(f"reached FAR for {rate:.1%}", _at(rate, protocols.Verification, "false")),
            )
        ),
        *(
            figure
            for rate in protocols.FALSE_ALARM_RATES
            for figure in (
                Figure(
                    f"DIR, FAR {rate:.0%}",
                    _true_rate(rate, protocols.OpenSet, "detection_identification_rate", "samples"),
                    _value("samples"),
                    f"detection_identification_rate_{rate:g}",
                ),
                Figure(f"reached FAR for {rate:.0%}", _at(rate, protocols.OpenSet, "false")),
            )
        ),
    )


FIGURES = {figure.name: figure for figure in _figures()}
"""The figures by name, in the order of tables' columns. TAR: true accepts, DIR: detected and rightly identified."""
