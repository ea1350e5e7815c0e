"""The curves that an evaluation holds: CMC, ROC and DET."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from agegait.evaluation import protocols
from agegait.evaluation.figures import FEWEST_CLAIMS, FIGURES, can_reach, has_curve, wrong_samples
from agegait.evaluation.result import Result
from agegait.pages.picture import COLORS, Picture, vector

RANKS_SHOWN = 50
FEW = 25
"""Points of a curve up to which each is marked."""

LEAST_REFUSED = 1e-3
"""A logarithm has no place for none: no refusal at all stands here."""

SIZE = (4.4, 3.3)
STYLES = ("-", "--", "-.", ":")
TRUE = {
    protocols.Verification.protocol: ("true accepts, %", "false accepts, %"),
    protocols.OpenSet.protocol: ("detected and identified, %", "strangers accepted, %"),
}
"""What the two axes of a protocol's ROC curve are."""


def cmc(results: Sequence[Result]) -> list[Picture]:
    """A picture for each protocol, and each of windows and walks, of the results of a test that have a CMC curve."""
    return [_cmc(*group) for group in _groups(results, "cmc")]


def roc(results: Sequence[Result]) -> list[Picture]:
    """A picture for each protocol of the results of a test that have a ROC curve of enough samples."""
    return [_roc(*group) for group in _groups([result for result in results if has_curve(result)], "roc")]


def det(results: Sequence[Result]) -> list[Picture]:
    """A picture for each kind of probe and gallery of the results that have a DET curve, those of strangers."""
    return [_det(of, group) for _, of, group in _groups(results, "det")]


def left_out(results: Sequence[Result]) -> list[str]:
    """Why a test has no ROC curve of a protocol: a sentence each."""
    few = {
        result.protocol: f"No ROC curve of {result.protocol}: it needs {FEWEST_CLAIMS} false claims or "
        f"strangers, this test has {wrong_samples(result)}."
        for result in results
        if hasattr(result.figures, "roc") and not has_curve(result)
    }
    if not any(hasattr(result.figures, "roc") for result in results):
        return ["No ROC curve: verification and open sets divide people into groups, and need at least four."]
    return list(few.values())


def _groups(results: Sequence[Result], curve: str) -> Iterator[tuple[str, str, list[Any]]]:
    """Results that have a curve, of a protocol and a kind of samples each."""
    found = [result for result in results if hasattr(result.figures, curve)]
    for protocol, of in dict.fromkeys((result.protocol, result.of) for result in found):
        yield protocol, of, [result for result in found if (result.protocol, result.of) == (protocol, of)]


def _line(number: int) -> dict[str, Any]:
    return {"color": COLORS[number % len(COLORS)], "linestyle": STYLES[number // len(COLORS) % len(STYLES)]}


def _cmc(protocol: str, of: str, results: list[Any]) -> Picture:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=SIZE, layout="constrained")
    ax = figure.subplots()
    count = min(RANKS_SHOWN, max(len(result.figures.cmc) for result in results))
    for number, result in enumerate(results):
        curve = 100 * np.asarray(result.figures.cmc[:count])
        ax.plot(
            range(1, len(curve) + 1), curve, marker="." if count <= FEW else "", label=result.method, **_line(number)
        )
    least = 100 * min(result.figures.cmc[0] for result in results)
    ax.set(xlabel="rank", ylabel=f"{of}, %", xlim=(0.5, count + 0.5), ylim=(10 * np.floor(least / 10.5), 101))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.legend(loc="lower right")
    first = "; ".join(f"{result.method} {100 * result.figures.cmc[0]:.1f} % at rank 1" for result in results)
    return Picture(vector(figure), f"CMC curves, {protocol} of {of}: {first}.", f"CMC: {protocol}, {of}")


def _roc(protocol: str, of: str, results: list[Any]) -> Picture:
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, layout="constrained")
    ax = figure.subplots()
    told = []
    least = min([0.1, *(rate for result in results for rate in result.figures.roc.false if rate > 0)])
    for number, result in enumerate(results):
        false, true = map(np.asarray, dataclasses.astuple(result.figures.roc))
        mark = "." if len(false) <= FEW else ""
        # A logarithm has no place for none: it stands at the edge.
        ax.plot(100 * np.maximum(false, least), 100 * true, marker=mark, label=result.method, **_line(number))
        text = f"{result.method}: {100 * true[0]:.0f} % at {100 * false[0]:.2g} %"
        color = COLORS[number % len(COLORS)]
        if (rate := FIGURES["EER"].read(result)) is not None:
            ax.plot(100 * max(rate, least), 100 * (1 - rate), "o", color=color, label=f"EER {rate:.1%}")
            text += f", EER {rate:.1%}"
        for point in result.figures.operating_points:
            if can_reach(point.asked, result):
                name = f"for a FAR of {100 * point.asked:g} %"
                ax.plot(100 * max(point.false, least), 100 * point.true, "x", color=color, clip_on=False)
                text += f", threshold {name}: {100 * point.true:.0f} % at {100 * point.false:.2g} %"
        told.append(text)
    if any(can_reach(point.asked, result) for result in results for point in result.figures.operating_points):
        ax.plot([], [], "x", color="0.4", label="thresholds of the table")
    if protocol == protocols.Verification.protocol:
        guess = np.geomspace(least, 1, 50)
        ax.plot(100 * guess, 100 * guess, ":", color="0.5", linewidth=1, label="guessing")
    ylabel, xlabel = TRUE.get(protocol, ("true, %", "false, %"))
    ax.set(xscale="log", xlim=(100 * least, 100), ylim=(-1, 101), xlabel=xlabel, ylabel=ylabel)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.legend(loc="lower right")
    return Picture(vector(figure), f"ROC curves, {protocol} of {of}: {'; '.join(told)}.", f"ROC: {protocol}, {of}")


def _det(of: str, results: list[Any]) -> Picture:
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, layout="constrained")
    ax = figure.subplots()
    told = []
    for number, result in enumerate(results):
        false = np.asarray(result.figures.det.false)
        there = false * result.figures.impostors >= 1
        refused = 1 - np.asarray(result.figures.det.true)[there]
        ax.plot(100 * false[there], 100 * np.maximum(refused, LEAST_REFUSED), label=result.method, **_line(number))
        rate, color = result.figures.equal_error_rate, COLORS[number % len(COLORS)]
        ax.plot(100 * rate, 100 * max(rate, LEAST_REFUSED), "o", color=color, label=f"EER {rate:.1%}")
        told.append(f"{result.method}: EER {rate:.1%}")
    ax.set(xscale="log", yscale="log", xlabel="false accepts, %", ylabel="true claims refused, %")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend(loc="upper right")
    return Picture(vector(figure), f"DET curves, strangers, {of}: {'; '.join(told)}.", f"DET: strangers, {of}")
