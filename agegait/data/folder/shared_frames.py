"""Recordings of two people that have frames in common: one of the labels is wrong."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from agegait.skeletons import JOINTS, MIRRORED

_DIMENSIONS = 16
_PROBES = 12
_ENOUGH = 3
"""So many of the frames that are looked for, of other postures, show that it is no chance."""

_SAME = 0.022
"""Metres between descriptors of one frame, be it rounded to centimetres. Of KGBD's half a million frames, the third
nearest of two people's is 0.039 away."""

_NEAREST = 16
_STARTS, _ENDS = np.triu_indices(len(JOINTS), 1)


def _mirror_pairs() -> np.ndarray:
    """[P], for each pair of joints which pair is the same on the other side."""
    pairs = {(start, end): pair for pair, (start, end) in enumerate(zip(_STARTS, _ENDS, strict=True))}
    sides = np.sort(np.stack([np.take(MIRRORED, _STARTS), np.take(MIRRORED, _ENDS)]), axis=0)
    return np.array([pairs[start, end] for start, end in sides.T])


_OTHER_SIDE = _mirror_pairs()
_FIRST = np.arange(len(_STARTS)) <= _OTHER_SIDE
_BOTH = np.arange(len(_STARTS)) < _OTHER_SIDE


def frame_descriptors(skeleton: np.ndarray) -> np.ndarray:
    """What tells a frame's body from others, wherever it is, whichever way it turns, and in a mirror, too.

    Args:
        skeleton: [T, 20, 3], metres.

    Returns:
        [T, 16] float32: distances between joints, of both sides alike, in a few directions drawn at random.
    """
    places = np.asarray(skeleton, "float32")
    apart = np.linalg.norm(places[:, _STARTS] - places[:, _ENDS], axis=-1)
    other = apart[:, _OTHER_SIDE]
    sides = np.concatenate([(apart + other)[:, _FIRST], np.abs(apart - other)[:, _BOTH]], axis=1) / 2
    directions = np.random.default_rng(0).normal(size=(sides.shape[1], _DIMENSIONS))
    return sides @ (directions / np.linalg.norm(directions, axis=0)).astype("float32")


def with_frames_in_common(walks: Sequence[np.ndarray], persons: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of walks of two people that have frames in common: moved, turned, mirrored, rounded, cut, or retimed.

    Args:
        walks: `frame_descriptors` of each.
        persons: Who walks in each.
    """
    if len(set(persons)) < 2:
        return []
    from scipy.spatial import KDTree  # the client on a light machine reads walks without it

    probes = [walk[np.unique(np.linspace(0, len(walk) - 1, _PROBES).round().astype(int))] for walk in walks]
    own = np.repeat(np.arange(len(walks)), [len(some) for some in probes])
    looked_for = np.concatenate(probes)
    # Frames of other times lie between those of a walk.
    frames = [np.concatenate([walk, (walk[1:] + walk[:-1]) / 2]) for walk in walks]
    ends, tree = np.cumsum([len(walk) for walk in frames]), KDTree(np.concatenate(frames))
    nearest = min(_NEAREST, int(ends[-1]))
    distances, places = tree.query(looked_for, k=nearest, distance_upper_bound=_SAME)
    near = np.isfinite(distances).reshape(len(looked_for), -1)
    places = places.reshape(near.shape)
    common: defaultdict[tuple[int, int], list[np.ndarray]] = defaultdict(list)
    for probe in np.flatnonzero(near.sum(axis=1) > 1).tolist():
        walk = int(own[probe])
        for other in set(np.searchsorted(ends, places[probe][near[probe]], side="right").tolist()) - {walk}:
            if persons[other] != persons[walk]:
                common[walk, other].append(looked_for[probe])
    pairs = [pair for pair, frames in common.items() if _postures(frames) >= _ENOUGH]
    return sorted({(min(pair), max(pair)) for pair in pairs})


def _postures(frames: Sequence[np.ndarray]) -> int:
    """How many of some frames differ: two people whose motion is on one rig both begin in its posture of rest."""
    found: list[np.ndarray] = []
    for frame in frames:
        if all(np.linalg.norm(frame - other) > 2 * _SAME for other in found):
            found.append(frame)
    return len(found)
