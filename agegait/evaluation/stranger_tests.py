"""How a run's models recognise the people who were left out of its training."""

from collections.abc import Sequence

import numpy as np

from agegait.data.walks import cut_walks
from agegait.datasets import DataSet, Windows
from agegait.evaluation import protocols
from agegait.evaluation.protocols.strangers import Embed
from agegait.training.run import Run


def stranger_tests(run: Run, dataset: DataSet, titles: dict[str, str]) -> dict[str, list[protocols.Strangers]]:
    """What the protocol `strangers` finds, by method.

    Args:
        run: A run with `strangers` in its settings.
        dataset: Its data set.
        titles: What tables call the features `"ages"` or `"states"`, and `"embedder"`.

    Returns:
        Nothing where nobody was left out. Whole walks alone where the frame rate is not known; clips are left out where
        some walks are shorter.

    Raises:
        ValueError: Fewer than two of these people have two walks.
    """
    if dataset.strangers is None:
        return {}
    walks = dataset.strangers.whole_walks()
    methods: dict[str, Embed] = {titles[run.settings.features]: lambda walks: _mean_features(run, walks)}
    if run.embedder is not None:
        methods = {titles["embedder"]: run.embedder.embed, **methods}
    rate = dataset.frame_rate or 0.0
    seconds = protocols.clip_seconds(walks, rate)
    try:
        return {
            title: protocols.recognize_strangers([(walks, embed)], seconds, rate) for title, embed in methods.items()
        }
    except ValueError as error:
        raise ValueError(f"{dataset.name}, strangers: {error}") from error


def _mean_features(run: Run, walks: Sequence[np.ndarray]) -> np.ndarray:
    """`[W, D]`, the mean of each walk's windows as the run's recognizer embeds them."""
    frames, shortest = run.settings.frames, min(map(len, walks))
    if shortest < frames:
        raise ValueError(f"walks: expected at least {frames} frames, received one of {shortest}.")
    skeletons, numbers = cut_walks(walks, frames)
    windows = Windows(np.asarray(run.normalization(skeletons)), numbers, numbers)
    embedded = run.recognizer.embed(run.features(windows, "strangers' AGEs"))
    return protocols.by_walk(embedded, numbers, numbers)[0]
