"""Recordings of two people that have frames in common: one of the labels is wrong."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

_DIMENSIONS = 12
_PROBES = 12
_ENOUGH = 3
"""So many of the frames that are looked for show that it is no chance."""

_SAME = 0.012
"""Metres between descriptors of one frame, be it rounded to centimetres; those of two people are twice as far apart at
least, as KGBD's half a million frames show."""

_NEAREST = 16


def frame_descriptors(skeleton: np.ndarray) -> np.ndarray:
    """What tells a frame's body from others.

    Args:
        skeleton: [T, 20, 3], metres.

    Returns:
        [T, 12] float32: places of all joints in a few directions drawn at random.
    """
    places = skeleton.reshape(len(skeleton), -1)
    directions = np.random.default_rng(0).normal(size=(places.shape[1], _DIMENSIONS))
    return (places @ (directions / np.linalg.norm(directions, axis=0))).astype("float32")


def with_frames_in_common(walks: Sequence[np.ndarray], persons: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of walks of two people that have frames in common: cut off elsewhere, or rounded, or with frames left out.

    Args:
        walks: `frame_descriptors` of each.
        persons: Who walks in each.
    """
    if len(set(persons)) < 2:
        return []
    from scipy.spatial import KDTree  # the client on a light machine reads walks without it

    ends = np.cumsum([len(walk) for walk in walks])
    probes = [np.unique(np.linspace(0, len(walk) - 1, _PROBES).round().astype(int)) for walk in walks]
    own = np.repeat(np.arange(len(walks)), [len(some) for some in probes])
    looked_for = np.concatenate([walk[some] for walk, some in zip(walks, probes, strict=True)])
    frames = np.concatenate(list(walks))
    distances, places = KDTree(frames).query(looked_for, k=min(_NEAREST, len(frames)), distance_upper_bound=_SAME)
    near = np.isfinite(distances).reshape(len(looked_for), -1)
    places = places.reshape(near.shape)
    common: Counter[tuple[int, int]] = Counter()
    for probe in np.flatnonzero(near.sum(axis=1) > 1).tolist():
        walk = int(own[probe])
        others = set(np.searchsorted(ends, places[probe][near[probe]], side="right").tolist()) - {walk}
        common.update((walk, other) for other in others if persons[other] != persons[walk])
    pairs = [pair for pair, count in common.items() if count >= _ENOUGH]
    return sorted({(min(pair), max(pair)) for pair in pairs})
