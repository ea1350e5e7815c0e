"""Evaluation protocols, each by its name and never mixed: their figures are not to be compared.

Closed-set recognition: `recognition` (networks chosen on walks held out of training) and `published` (as the published
code has it, chosen on the test walks). Search: `retrieval`, and `window_retrieval` of single windows as later papers do
it. Verification: `verification`. Open set: `open_set`. People whom nothing was learned from: `strangers`. Each result
class has its protocol's name as `protocol`.
"""

from typing import get_args

from agegait.evaluation.protocols.by_walk import by_walk
from agegait.evaluation.protocols.divide import divide
from agegait.evaluation.protocols.open_set import FALSE_ALARM_RATES, OpenSet, open_set
from agegait.evaluation.protocols.published import Published, published, published_windows
from agegait.evaluation.protocols.ranks import RANKS
from agegait.evaluation.protocols.recognition import Recognition, recognition
from agegait.evaluation.protocols.retrieval import SEARCH_RANKS, Retrieval, retrieval
from agegait.evaluation.protocols.strangers import (
    GALLERIES,
    SECONDS,
    Strangers,
    clip_seconds,
    recognize_strangers,
    strangers,
)
from agegait.evaluation.protocols.thresholds import Curve, OperatingPoint
from agegait.evaluation.protocols.verification import FALSE_ACCEPT_RATES, Verification, verification
from agegait.evaluation.protocols.window_retrieval import WindowRetrieval, retrieve_stranger_windows, window_retrieval

Figures = Recognition | Published | Retrieval | WindowRetrieval | Verification | OpenSet | Strangers
"""What a protocol finds."""

PROTOCOLS: dict[str, type[Figures]] = {kind.protocol: kind for kind in get_args(Figures)}
"""The result of each protocol by its name; `about` says what its figures are, for whoever reads tables."""

__all__ = [
    "FALSE_ACCEPT_RATES",
    "FALSE_ALARM_RATES",
    "GALLERIES",
    "PROTOCOLS",
    "RANKS",
    "SEARCH_RANKS",
    "SECONDS",
    "Curve",
    "Figures",
    "OpenSet",
    "OperatingPoint",
    "Published",
    "Recognition",
    "Retrieval",
    "Strangers",
    "Verification",
    "WindowRetrieval",
    "by_walk",
    "clip_seconds",
    "divide",
    "open_set",
    "published",
    "published_windows",
    "recognition",
    "recognize_strangers",
    "retrieval",
    "retrieve_stranger_windows",
    "strangers",
    "verification",
    "window_retrieval",
]
