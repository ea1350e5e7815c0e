"""Probes beside a gallery: what all protocols that compare features have in common."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from agegait import metrics

BLOCK = 256
"""Mebibytes of distances that are in memory at a time."""


def checked(
    probes: np.ndarray, probe_persons: np.ndarray, gallery: np.ndarray, gallery_persons: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Features in float64; persons are left to `agegait.metrics`, but for those who are not in the gallery."""
    probes = metrics.matrix("probes", probes, "[P, D]: a row a probe")
    gallery = metrics.matrix("gallery", gallery, "[G, D]: a row a gallery entry")
    for name, features, persons in (("probe", probes, probe_persons), ("gallery", gallery, gallery_persons)):
        if np.shape(persons) != (len(features),):
            raise ValueError(f"{name}_persons: expected [{len(features)}], received {list(np.shape(persons))}.")
    if probes.shape[1] != gallery.shape[1]:
        raise ValueError(f"probes: expected {gallery.shape[1]} features, as in gallery, received {probes.shape[1]}.")
    absent = np.setdiff1d(probe_persons, gallery_persons)
    if len(absent):
        raise ValueError(f"probe_persons: expected people of the gallery, received {absent[0].item()!r}.")
    return probes, gallery


def moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and scale `[D]` by which features are standardised."""
    scale = features.std(axis=0)
    return features.mean(axis=0), np.where(scale > 0, scale, 1)


def in_blocks(probes: np.ndarray, gallery: np.ndarray, reduce: Callable[[np.ndarray, int], Any]) -> Iterator[Any]:
    """What is made of the Euclidean distances `[some, G]` of a block of probes, from the first one's number on."""
    from sklearn.metrics import pairwise_distances_chunked  # a second to import

    return pairwise_distances_chunked(probes, gallery, reduce_func=reduce, working_memory=BLOCK)


def nearest(probes: np.ndarray, gallery: np.ndarray, gallery_persons: np.ndarray, enrolled: np.ndarray) -> np.ndarray:
    """Negative distances `[P, N]` of probes to the nearest entry of each enrolled person."""
    numbers = labels(gallery_persons, enrolled)
    order = np.argsort(numbers, kind="stable")
    starts = np.searchsorted(numbers[order], np.arange(len(enrolled)))

    def to_each(distances: np.ndarray, _start: int) -> np.ndarray:
        return -np.minimum.reduceat(distances, starts, axis=1)

    return np.concatenate(list(in_blocks(probes, gallery[order], to_each)))


def labels(persons: np.ndarray, enrolled: np.ndarray) -> np.ndarray:
    """Each person's place among those enrolled."""
    order = np.argsort(enrolled)
    return order[np.searchsorted(enrolled, persons, sorter=order)]
