from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agegait import metrics
from agegait.evaluation.protocols.ranks import of_curve


@dataclass(frozen=True)
class Recognition:
    """Closed-set recognition: the same people in training and test, other walks.

    Attributes:
        samples: Windows or walks that were named.
        rank: Rank-k for k of 1, 5 and 10, as far as there are as many people.
        nauc_cmc: Normalized area under the CMC curve, as the paper words it.
        nauc_roc: Micro-averaged one-vs-rest ROC area over the logits, as the published code computes its nAUC.
        cmc: The CMC curve: Rank-k for every k.
    """

    protocol: ClassVar[str] = "closed-set recognition"
    about: ClassVar[str] = (
        "The same people in training and test, other walks. A network whose epoch was chosen on validation walks,"
        " neither trained on nor tested, scores each person for each window; a walk's scores are the mean of its "
        "windows'."
    )

    samples: int
    rank: dict[int, float]
    nauc_cmc: float
    nauc_roc: float
    cmc: tuple[float, ...]


def recognition(logits: np.ndarray, persons: np.ndarray) -> Recognition:
    """Closed-set recognition of samples from their logits.

    Args:
        logits: `[M, N]`.
        persons: `[M]` right labels, 0..N-1.

    Raises:
        ValueError: As `agegait.metrics`.
    """
    cmc = metrics.cmc(logits, persons)
    return Recognition(
        samples=len(persons),
        rank=of_curve(cmc),
        nauc_cmc=metrics.nauc_cmc(logits, persons),
        nauc_roc=metrics.nauc_roc(logits, persons),
        cmc=tuple(cmc.tolist()),
    )
