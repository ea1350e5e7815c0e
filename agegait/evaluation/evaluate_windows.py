"""Evaluation of test windows by every protocol; nothing is read from the disk or written to it."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from agegait.data import Walks
from agegait.datasets import Windows
from agegait.evaluation import protocols
from agegait.evaluation.baselines import BASELINES
from agegait.evaluation.result import Result
from agegait.models.weighted_logits import weighted_logits
from agegait.training.run import Run

TITLES = {"ages": "AGE", "states": BASELINES["encoder-states"], "embedder": "embedder"}
"""What tables call a run's features, and its embedder."""

BATCH = 4096
"""Windows of a batch of predictions."""

FEWEST_PEOPLE = 4
"""Verification and open sets divide people into those who choose a threshold and those who are tested."""


class Logits(NamedTuple):
    """What a method says of windows.

    Attributes:
        alone: `[M, N]`, of each window by itself.
        in_walk: `[M, N]`, of each window as a part of its walk. Their mean over a walk is the walk's.
    """

    alone: np.ndarray
    in_walk: np.ndarray


class Gallery(NamedTuple):
    """The features of training walks, to compare those of tests with.

    Attributes:
        method: What the features are.
        features: `[G, D]`, of the windows.
        windows: The windows.
    """

    method: str
    features: np.ndarray
    windows: Windows


def evaluate_windows(
    windows: Windows,
    logits: Iterable[tuple[str, Logits | np.ndarray]],
    gallery: Gallery | None = None,
    probes: np.ndarray | None = None,
    search_windows: bool = False,
) -> list[Result]:
    """The results of test windows.

    Recognition is of windows, and of walks by the mean of their windows' logits. Retrieval, verification and open-set
    identification compare walks by the mean of their windows' features.

    Args:
        windows: `[M]` test windows.
        logits: Names of methods, each with its logits, or with an array of those that are the same alone and in a walk.
        gallery: What features are compared with; None leaves these protocols out.
        probes: `[M, D]` features of the test windows.
        search_windows: Whether to search among windows too.

    Returns:
        Those of each method, and then of the comparison with the gallery.
    """
    found = []
    for method, own in logits:
        found += _recognition(method, own if isinstance(own, Logits) else Logits(own, own), windows)
    if gallery is None or probes is None:
        return found
    return found + _comparison(gallery, probes, windows, search_windows)


def logits_by_method(
    run: Run, windows: Windows, features: np.ndarray, walks: Walks, alone: np.ndarray | None
) -> dict[str, Logits]:
    """The logits of windows by each way in which a run identifies them, the run's own answer first.

    Args:
        run: A finished run.
        windows: The windows.
        features: `[M, f, 3 k]`, what the run's encoder makes of them.
        walks: The walks that they are cut from, and perhaps others; an embedder sees these as a whole.
        alone: The `embedder_logits` of the windows.
    """
    title = TITLES[run.settings.features]
    of_windows = run.recognizer.predict(features, batch_size=BATCH, verbose=0)
    found = {title: Logits(of_windows, of_windows)}
    if alone is None:
        return found
    own = walks.take(np.flatnonzero(np.isin(walks.names, windows.walks)))
    places = {name: place for place, name in enumerate(own.names.tolist())}
    rows = np.array([places[walk] for walk in windows.walks.tolist()])
    in_walk = embedder_logits(run, own.skeletons)[rows]
    frames = np.array([[len(walk)] for walk in own.skeletons])[rows]
    window = windows.skeletons.shape[1]
    both = Logits(
        weighted_logits(of_windows, alone, window, window), weighted_logits(of_windows, in_walk, frames, window)
    )
    return {f"{title} + {TITLES['embedder']}": both, **found, TITLES["embedder"]: Logits(alone, in_walk)}


def embedder_logits(run: Run, walks: Iterable[np.ndarray]) -> Any:
    """The logits `[W, N]` of walks or single windows by a run's embedder; None for a run without one."""
    if run.embedder is None or run.embedding_recognizer is None:
        return None
    embeddings = run.embedder.embed(list(walks))
    return run.embedding_recognizer.predict(embeddings, batch_size=BATCH, verbose=0)


def _recognition(method: str, logits: Logits, windows: Windows) -> list[Result]:
    by_walk = protocols.by_walk(logits.in_walk, windows.persons, windows.walks)
    return [
        Result(method, "windows", protocols.recognition(logits.alone, windows.persons)),
        Result(method, "walks", protocols.recognition(*by_walk)),
    ]


def _comparison(gallery: Gallery, probes: np.ndarray, windows: Windows, search_windows: bool) -> list[Result]:
    method, features, enrolled = gallery
    walks = (
        *protocols.by_walk(probes, windows.persons, windows.walks),
        *protocols.by_walk(features, enrolled.persons, enrolled.walks),
    )
    found = [Result(method, "walks", protocols.retrieval(*walks))]
    if search_windows:
        every = protocols.retrieval(probes, windows.persons, features, enrolled.persons)
        found.append(Result(method, "windows", every))
    if len(set(windows.persons.tolist())) >= FEWEST_PEOPLE:
        others = (protocols.verification, protocols.open_set)
        found += [Result(method, "walks", compare(*walks)) for compare in others]
    return found
