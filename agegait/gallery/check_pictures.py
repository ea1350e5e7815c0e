"""How far walks are from their own person's and from others', drawn. No name stands in a picture."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from agegait.gallery.gallery_check import GalleryCheck
from agegait.pages.picture import COLORS, Picture, vector

_BLUE, _ORANGE, _, _PINK = COLORS[:4]
_BINS = 40
_DENSE = 5_000
"""Walks beyond which dots are rasterized."""


def scatter(check: GalleryCheck) -> Picture | None:
    """Each walk by its distance to the nearest of its own and of another person; None for fewer than two people."""
    from matplotlib.figure import Figure

    own, other = _distances(check)
    there = ~np.isnan(other)
    if not there.any():
        return None
    limit = check.threshold.distance
    single, far, near = np.isnan(own) & there, there & (own > limit), there & (other <= limit)
    figure = Figure(figsize=(5.6, 4.4), layout="constrained")
    ax, strip = figure.subplots(1, 2, sharey=True, width_ratios=(8, 1))
    at = np.where(single, 0.0, own)
    for kind, color, marker, name in (
        (there & ~far & ~near, _BLUE, "o", "told apart"),
        (far & ~near, _PINK, "s", "unlike the person's others"),
        (near, _ORANGE, "^", "like somebody else"),
    ):
        how: dict[str, Any] = {"color": color, "markersize": 5, "alpha": 0.7, "rasterized": kind.sum() > _DENSE}
        ax.plot(at[kind & ~single], other[kind & ~single], marker, label=name, **how)
        strip.plot(at[kind & single], other[kind & single], marker, **how)
    ax.axvline(limit, color="0.4", linestyle="--", linewidth=1)
    for each in (ax, strip):
        each.axhline(limit, color="0.4", linestyle="--", linewidth=1, label="threshold")
        each.set_ylim(bottom=0)
    ax.set(xlabel="distance to the person's nearest other walk", ylabel="distance to the nearest walk of somebody else")
    ax.set_xlim(left=0)
    strip.set(xlabel="one walk\nonly", xticks=[], xlim=(-1, 1))
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return Picture(
        vector(figure),
        f"Of {there.sum():,} walks, {near.sum():,} are within the threshold of somebody else, {far.sum():,} beyond it "
        f"from all others of their own person, and {single.sum():,} are their person's only one.",
        "A dot is a walk. Good ones are in the upper left: near to their own person's, far from all others'.",
    )


def histogram(check: GalleryCheck) -> Picture | None:
    """How often walks are how far away; None for fewer than two people."""
    from matplotlib.figure import Figure

    own, other = (distances[~np.isnan(distances)] for distances in _distances(check))
    if not len(other):
        return None
    figure = Figure(figsize=(5.6, 4.4), layout="constrained")
    ax = figure.subplots()
    bins = np.linspace(0, max(np.max(np.append(own, other)), check.threshold.distance) * 1.05, _BINS + 1).tolist()
    ax.hist(own, bins, color=_BLUE, alpha=0.7, label="to the person's nearest other walk")
    ax.hist(other, bins, color=_ORANGE, alpha=0.7, label="to the nearest walk of somebody else")
    ax.axvline(check.threshold.distance, color="0.4", linestyle="--", linewidth=1, label="threshold")
    ax.set(xlabel="distance", ylabel="walks")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center")
    return Picture(
        vector(figure),
        f"Histograms of distances: medians {_median(own)} to the person's nearest other walk, {_median(other)} to the "
        f"nearest walk of somebody else; the threshold is {check.threshold.distance:.3f}.",
        "The less the two overlap, and the better the threshold parts them, the surer people are recognised.",
    )


def _distances(check: GalleryCheck) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    def column(values: list[Any]) -> NDArray[np.float64]:
        return np.array([np.nan if value is None else value for value in values], "float64")

    return column([walk.own for walk in check.walks]), column([walk.other for walk in check.walks])


def _median(distances: NDArray[np.float64]) -> str:
    return f"{np.median(distances):.3f}" if len(distances) else "none"
