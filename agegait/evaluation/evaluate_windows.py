"""Evaluation of test windows by every protocol; nothing is read from the disk or written to it."""

import dataclasses
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from agegait.datasets import Windows
from agegait.evaluation import protocols
from agegait.evaluation.baselines import BASELINES
from agegait.training.run import Run

TITLES = {"ages": "AGE", "states": BASELINES["encoder-states"], "embedder": "embedder"}
"""What tables call a run's features, and its embedder."""

WINDOW_RECOGNIZER = "window recognizer"
"""What tables call a run's recognizer of windows themselves."""

BATCH = 4096
"""Windows of a batch of predictions."""

FEWEST_PEOPLE = 4
"""Verification and open sets divide people into those who choose a threshold and those who are tested."""


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
    logits: Iterable[tuple[str, np.ndarray]],
    gallery: Gallery | None = None,
    probes: np.ndarray | None = None,
    search_windows: bool = False,
) -> list[dict[str, Any]]:
    """The results of test windows.

    Recognition is of windows, and of walks by the mean of their windows' logits. Retrieval, verification and open-set
    identification compare walks by the mean of their windows' features.

    Args:
        windows: `[M]` test windows.
        logits: Names of methods, each with its logits `[M, N]`.
        gallery: What features are compared with; None leaves these protocols out.
        probes: `[M, D]` features of the test windows.
        search_windows: Whether to search among windows too.

    Returns:
        A list of results as `evaluation.json` has them.
    """
    found = [result for method, own in logits for result in _recognition(method, own, windows)]
    if gallery is None or probes is None:
        return found
    return found + _comparison(gallery, probes, windows, search_windows)


def as_result(method: str, of: str, found: Any) -> dict[str, Any]:
    """What a protocol found, as `evaluation.json` has it."""
    return {"method": method, "protocol": found.protocol, "of": of, **dataclasses.asdict(found)}


def logits_by_method(run: Run, windows: Windows, features: np.ndarray) -> dict[str, np.ndarray]:
    """The logits `[M, N]` of windows by each way in which a run can name them, the run's own answer first.

    Args:
        run: A finished run.
        windows: The windows.
        features: `[M, f, 3 k]`, what the run's encoder makes of them.
    """
    found = {TITLES[run.settings.features]: run.recognizer.predict(features, batch_size=BATCH, verbose=0)}
    alone = window_logits(run, windows)
    if alone is None:
        return found
    both = {f"{method} + {WINDOW_RECOGNIZER}": ensemble(logits, alone) for method, logits in found.items()}
    return {**both, **found, WINDOW_RECOGNIZER: alone}


def window_logits(run: Run, windows: Windows) -> np.ndarray | None:
    """The logits `[M, N]` of a run's recognizer of windows themselves; None for a run without one."""
    network = run.window_recognizer
    return None if network is None else network.predict(windows.skeletons, batch_size=BATCH, verbose=0)


def ensemble(logits: np.ndarray, others: np.ndarray | None) -> np.ndarray:
    """The logits of two networks together: their mean, or those of the first where there is no second."""
    return logits if others is None else (logits + others) / 2


def _recognition(method: str, logits: np.ndarray, windows: Windows) -> list[dict[str, Any]]:
    by_walk = protocols.by_walk(logits, windows.persons, windows.walks)
    return [
        as_result(method, "windows", protocols.recognition(logits, windows.persons)),
        as_result(method, "walks", protocols.recognition(*by_walk)),
    ]


def _comparison(gallery: Gallery, probes: np.ndarray, windows: Windows, search_windows: bool) -> list[dict[str, Any]]:
    method, features, enrolled = gallery
    walks = (
        *protocols.by_walk(probes, windows.persons, windows.walks),
        *protocols.by_walk(features, enrolled.persons, enrolled.walks),
    )
    found = [as_result(method, "walks", protocols.retrieval(*walks))]
    if search_windows:
        every = protocols.retrieval(probes, windows.persons, features, enrolled.persons)
        found.append(as_result(method, "windows", every))
    if len(set(windows.persons.tolist())) >= FEWEST_PEOPLE:
        others = (protocols.verification, protocols.open_set)
        found += [as_result(method, "walks", compare(*walks)) for compare in others]
    return found
