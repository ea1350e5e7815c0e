"""The figures of an evaluation: how each is read from a result, and how sure it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agegait.evaluation import protocols

CONFIDENCE = 0.95
"""Of the intervals beside figures."""

FEWEST_CLAIMS = 10
"""Claims of either kind, or strangers, from which on an error rate or a curve says anything."""

Result = dict[str, Any]


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
        if "intervals" in result:
            return result["intervals"].get(self.key)
        value, samples = self.read(result), self.samples(result)
        if value is None or not samples:
            return None
        from scipy.stats import binomtest  # takes a second to import

        found = binomtest(round(value * samples), samples).proportion_ci(CONFIDENCE, "wilson")
        return float(found.low), float(found.high)


def wrong_samples(result: Result) -> int:
    """How many of a result's samples should be refused: false claims, or strangers; 0 where nobody should."""
    return int(result.get("impostors") or result.get("strangers") or 0)


def has_curve(result: Result) -> bool:
    """Whether a result has a ROC curve of enough samples."""
    return "roc" in result and wrong_samples(result) >= FEWEST_CLAIMS


def can_reach(rate: float, result: Result) -> bool:
    """Whether there are enough wrong samples for that share of them to be one at least."""
    return wrong_samples(result) * rate >= 1


def walks(result: Result) -> int | None:
    """Samples where they are walks: windows of one walk are alike, and say less than as many walks."""
    return result["samples"] if result["of"] == "walks" else None


def _rank(k: int) -> Callable[[Result], float | None]:
    # A rank is a number here and a string in JSON.
    return lambda result: (ranks := result.get("rank", {})).get(k, ranks.get(str(k)))


def _equal_error_rate(result: Result) -> float | None:
    if result["protocol"] == protocols.Strangers.protocol:
        return result["equal_error_rate"]
    kinds = result.get("genuine", 0), wrong_samples(result)
    return result.get("equal_error_rate") if min(kinds) >= FEWEST_CLAIMS else None


def _at(rate: float, protocol: str, name: str) -> Callable[[Result], float | None]:
    """The rate called `name` at the threshold for a false rate; None where not even one sample may pass wrongly."""

    def read(result: Result) -> float | None:
        if result["protocol"] != protocol or not can_reach(rate, result):
            return None
        return next((point[name] for point in result["operating_points"] if point["asked"] == rate), None)

    return read


def _true_rate(rate: float, protocol: str, rates: str, of: str) -> Callable[[Result], float | None]:
    """As `_at` gives the true rate; of strangers, that at the threshold of the people tested."""
    at = _at(rate, protocol, "true")

    def read(result: Result) -> float | None:
        if result["protocol"] != protocols.Strangers.protocol:
            return at(result)
        found = result[rates]
        return found.get(rate, found.get(str(rate))) if result[of] * rate >= 1 else None

    return read


def _figures() -> tuple[Figure, ...]:
    verification, open_set = protocols.Verification.protocol, protocols.OpenSet.protocol
    return (
        *(Figure(f"Rank-{k}", _rank(k), walks if k == 1 else lambda _: None, f"rank_{k}") for k in protocols.RANKS),
        Figure("nAUC (CMC)", lambda result: result.get("nauc_cmc")),
        Figure("nAUC (ROC)", lambda result: result.get("nauc_roc")),
        Figure("mAP", lambda result: result.get("mean_average_precision"), key="mean_average_precision"),
        Figure("mINP", lambda result: result.get("mean_inverse_negative_penalty"), key="mean_inverse_negative_penalty"),
        Figure("EER", _equal_error_rate, lambda result: result.get("genuine"), "equal_error_rate"),
        *(
            figure
            for rate in protocols.FALSE_ACCEPT_RATES
            for figure in (
                Figure(
                    f"TAR, FAR {rate:.1%}",
                    _true_rate(rate, verification, "true_accept_rate", "impostors"),
                    lambda result: result.get("genuine"),
                    f"true_accept_rate_{rate:g}",
                ),
                Figure(f"reached FAR for {rate:.1%}", _at(rate, verification, "false")),
            )
        ),
        *(
            figure
            for rate in protocols.FALSE_ALARM_RATES
            for figure in (
                Figure(
                    f"DIR, FAR {rate:.0%}",
                    _true_rate(rate, open_set, "detection_identification_rate", "samples"),
                    lambda result: result["samples"],
                    f"detection_identification_rate_{rate:g}",
                ),
                Figure(f"reached FAR for {rate:.0%}", _at(rate, open_set, "false")),
            )
        ),
    )


FIGURES = {figure.name: figure for figure in _figures()}
"""The figures by name, in the order of tables' columns. TAR: true accepts, DIR: detected and rightly identified."""
