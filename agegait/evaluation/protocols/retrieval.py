from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agegait import metrics
from agegait.evaluation.protocols import distances
from agegait.evaluation.protocols.ranks import RANKS, of_curve

SEARCH_RANKS = 50
"""Ranks of a search whose CMC curve is kept: it has as many as the gallery has entries."""


@dataclass(frozen=True)
class Retrieval:
    """A search: each probe against a gallery, by distance between features; another protocol than recognition.

    Attributes:
        samples: Probes that were searched for.
        gallery: Entries of the gallery.
        rank: Rank-k for k of 1, 5 and 10, as far as the gallery has as many entries.
        mean_average_precision: mAP.
        mean_inverse_negative_penalty: mINP.
        cmc: The beginning of the CMC curve: Rank-k for k from 1 to `SEARCH_RANKS`.
    """

    protocol: ClassVar[str] = "retrieval"
    about: ClassVar[str] = (
        "Each test walk is searched for among the training walks by the distance between mean features, "
        "whitened where the recipe whitens them. No label takes part, so what shares an encoder and its features has "
        "the same figures. Ranks are counted in walks, not in people: not to be compared with recognition."
    )

    samples: int
    gallery: int
    rank: dict[int, float]
    mean_average_precision: float
    mean_inverse_negative_penalty: float
    cmc: tuple[float, ...]


def retrieval(
    probes: np.ndarray,
    probe_persons: np.ndarray,
    gallery: np.ndarray,
    gallery_persons: np.ndarray,
    standardize: bool = True,
) -> Retrieval:
    """Searches a gallery for each probe by Euclidean distance.

    Distances are taken in blocks of probes, so that windows may be searched for among windows.

    Args:
        probes: `[P, D]` features.
        probe_persons: `[P]`, integers or strings.
        gallery: `[G, D]` features.
        gallery_persons: `[G]`.
        standardize: Whether features are standardised over the gallery first. Embeddings of unit length are not: their
            distances are in the order of their cosines.

    Raises:
        ValueError: As `agegait.metrics`; a probe's person is not in the gallery.
    """
    probes, gallery = distances.checked(probes, probe_persons, gallery, gallery_persons)
    probe_persons, gallery_persons = np.asarray(probe_persons), np.asarray(gallery_persons)
    if standardize:
        mean, scale = distances.moments(gallery)
        probes, gallery = (probes - mean) / scale, (gallery - mean) / scale

    def search(block: np.ndarray, start: int) -> metrics.Search:
        return metrics.search(block, probe_persons[start : start + len(block)], gallery_persons)

    blocks = distances.in_blocks(probes, gallery, search)
    found = metrics.Search(*(np.concatenate(column) for column in zip(*blocks, strict=True)))
    ranks = np.arange(1, min(len(gallery), max(SEARCH_RANKS, *RANKS)) + 1)
    cmc = np.mean(found.first[:, None] <= ranks, axis=0)
    return Retrieval(
        samples=len(probes),
        gallery=len(gallery),
        rank=of_curve(cmc),
        mean_average_precision=float(found.average_precision.mean()),
        mean_inverse_negative_penalty=float(found.inverse_negative_penalty.mean()),
        cmc=tuple(cmc.tolist()),
    )
