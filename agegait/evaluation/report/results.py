"""An evaluation's tables and figures, as the page holds them."""

from typing import NamedTuple

from agegait.evaluation import protocols
from agegait.evaluation.evaluation import Evaluation
from agegait.evaluation.figures import CONFIDENCE, FEWEST_CLAIMS, FIGURES

TERMS = (
    ("Rank-k", "share of samples whose person is among the k best scored, or whose walk is among the k nearest"),
    ("nAUC (CMC)", "mean of Rank-k over all k, as the paper words it; guessing gets a little more than 50"),
    ("nAUC (ROC)", "area under one ROC curve over all scores, as the published code computes it; guessing gets 50"),
    ("mAP, mINP", "mean average precision; how early the last right walk is found"),
    ("EER", "equal error rate: as many true claims are refused as false claims are accepted"),
    ("TAR at a FAR", "true accept rate: true claims accepted, at a threshold that accepts that share of false claims"),
    ("DIR at a FAR", "enrolled people who are detected and identified, when that share of strangers is accepted"),
    (
        "reached FAR",
        "share of false claims, or strangers, that the threshold accepts among the people tested. Other people chose "
        "the threshold, so this share is not the requested one. The curve has at least that TAR or DIR at this share",
    ),
    (
        "in brackets",
        f"{CONFIDENCE:.0%} interval (Wilson) of a share of so many walks or claims, as if they were independent. "
        "Windows of one walk are alike, so shares of windows have none",
    ),
    (
        "empty",
        f"cannot be estimated: an EER needs {FEWEST_CLAIMS} claims of either kind; a TAR or DIR needs as many false "
        "claims or strangers as let one of them pass",
    ),
)
"""What stands above columns."""


class Headline(NamedTuple):
    """A figure to begin with."""

    split: str
    of: str
    rank: float
    interval: tuple[float, float] | None
    samples: int


def headlines(found: Evaluation) -> list[Headline]:
    """Rank-1 of the run itself, by test split, of windows and of walks."""
    return [
        Headline(split, result.of, figures.cmc[0], FIGURES["Rank-1"].interval(result), figures.samples)
        for split, results in found.tests.items()
        for result in results
        if isinstance(figures := result.figures, protocols.Recognition) and result.method == results[0].method
    ]
