"""What a run reached on its test walks, by protocol."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from agegait.data import Walks
from agegait.datasets import DataSet, Windows
from agegait.evaluation import protocols
from agegait.evaluation.baselines import BASELINES, baseline
from agegait.evaluation.stranger_tests import stranger_tests
from agegait.models import GaitEmbedder
from agegait.storage.private_files import private_files, private_folder
from agegait.training.records import load_json, write_record
from agegait.training.run import Run

COORDINATES = ("mlp", "mlp-whitened", "mlp-distances")
"""Baselines that every comparison should have: plain networks on what the encoder sees too."""

TITLES = {"ages": "AGE", "states": BASELINES["encoder-states"], "embedder": "embedder"}
"""What tables call a run's features, and its embedder."""

WINDOW_RECOGNIZER = "window recognizer"
"""What tables call a run's recognizer of windows themselves."""

BATCH = 4096

FEWEST_PEOPLE = 4
"""Verification and open sets divide people into those who choose a threshold and those who are tested."""


@private_files()
def evaluate(
    run: Run,
    data_dir: str | PathLike | None = None,
    manual_dir: str | PathLike | None = None,
    baselines: Sequence[str] = (),
    search_windows: bool = False,
    observe: Callable[[str, Windows, np.ndarray | None, np.ndarray | None], None] | None = None,
    dataset: DataSet | None = None,
) -> dict[str, Any]:
    """Evaluates a run on the test walks of its data set and writes `evaluation.json` into its folder.

    Recognition is of windows and of whole walks. Retrieval, verification and open-set identification compare walks by
    the mean of their AGEs, see `GaitRecognizer.embed`; the encoder has seen everybody's training walks, without names.
    People whom the settings' `strangers` left out of the training are the test `"strangers"`, see
    `agegait.evaluation.protocols.strangers`.

    Args:
        run: A finished run.
        data_dir: Where prepared data sets are kept; TFDS's own place where absent.
        manual_dir: Where a data set that was fetched by hand lies.
        baselines: Names of `agegait.evaluation.baselines.BASELINES` to train on the same windows, to compare with.
        search_windows: Whether to search among windows too, which takes minutes for a data set of KGBD's size.
        observe: Called with `"train"`, `"validation"` and each test split, its windows, their AGEs `[M, f, 3 k]` (None
            for validation) and the run's logits `[M, N]` (None but for tests): to see more than figures.
        dataset: The run's data set, where it is loaded already.

    Results of other methods that `evaluation.json` holds already, such as baselines, stay there if they are of the same
    tests.

    Returns:
        What `evaluation.json` holds: for each test split, a list of results, each with its `method`, `protocol`, what
        its `samples` are and its figures.

    Raises:
        ValueError: The run is not finished, its data are not to be had, are not those that it was trained on, or have
            no test walks; an unknown baseline.
    """
    private_folder(run.folder)
    own = TITLES[run.settings.features]
    others = [baseline(name, run.encoder, run.settings.recipe, run.settings.manner) for name in baselines]
    recognizer = run.recognizer
    dataset = dataset or run.load_data(data_dir, manual_dir)
    if not dataset.tests:
        raise ValueError(f"{dataset.name}: expected walks to test on, found none: nobody has two walks.")
    training = run.windows(dataset, "train", run.settings.frames)
    run.check_split(training)
    gallery = run.features(training, "gallery AGEs")
    if observe or others:
        validation = run.windows(dataset, "validation")
    if observe:
        observe("train", training, gallery, None)
        observe("validation", validation, None, None)
    embedded = recognizer.embed(gallery)
    if others:
        learned = run.training_windows(dataset)
    for other in others:
        other.fit(learned, validation, len(run.persons), run.settings.seed)
    tests: dict[str, list[dict[str, Any]]] = {}
    left_out: dict[str, list[str]] = {}
    for split in dataset.tests:
        windows, left_out[split] = of_people_trained_on(run.windows(dataset, split), training)
        ages = run.features(windows, f"{split} AGEs")
        logits = logits_by_method(run, windows, ages)
        if observe:
            observe(split, windows, ages, next(iter(logits.values())))
        tests[split] = [
            result for method, own_logits in logits.items() for result in recognition(method, own_logits, windows)
        ]
        for other in others:
            tests[split] += recognition(other.title, other.scores(windows), windows)
        tests[split] += comparison(own, recognizer.embed(ages), windows, embedded, training, search_windows)
        if run.embedder is not None:
            tests[split] += _embedder_recognition(run.embedder, dataset, split)
    if strangers := stranger_tests(run, dataset, TITLES):
        tests["strangers"] = [
            as_result(method, f"{one.probe}, gallery of {one.gallery}", one)
            for method, results in strangers.items()
            for one in results
        ]
    evaluation = {
        "settings": dataclasses.asdict(run.settings),
        "chosen_on": "validation walks, which are no training walks"
        if not dataset.held_out
        else f"the last {dataset.held_out:.0%} of each training walk, which was not trained on",
        "left_out": left_out,
        "tests": tests,
    }
    path = run.folder / "evaluation.json"
    for split, results in _kept(path, evaluation).items():
        tests[split] += results
    write_record(path, evaluation)
    return evaluation


def of_people_trained_on(windows: Windows, training: Windows) -> tuple[Windows, list[str]]:
    """The windows that a closed set can name, and the walks of everybody else."""
    known = np.isin(windows.persons, training.persons)
    if not known.any():
        raise ValueError("test: expected walks of people who are trained on, found none of them.")
    return Windows(*(column[known] for column in windows)), sorted(set(windows.walks[~known].tolist()))


def _kept(path: Path, evaluation: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What an earlier evaluation found of the same tests that this one did not look for, by test split."""
    try:
        before = load_json(path)
        if any(before[name] != json.loads(json.dumps(evaluation[name])) for name in ("settings", "left_out")):
            return {}
        kept = {}
        for split, results in evaluation["tests"].items():
            there = {_key(result): result for result in before["tests"][split]}
            if not all(_alike(there[_key(own)], own) for own in results[:2]):
                return {}
            now = {_key(result) for result in results}
            kept[split] = [result for key, result in there.items() if key not in now]
        return kept
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # none, or no evaluation: it is written anew
        return {}


def _alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    name = "nauc_roc" if "nauc_roc" in other else "equal_error_rate"
    return bool(np.isclose(one[name], other[name], atol=1e-3))


def _key(result: dict[str, Any]) -> tuple[Any, ...]:
    return result["method"], result["protocol"], result["of"], result["samples"]


def as_result(method: str, of: str, found: Any) -> dict[str, Any]:
    """What a protocol found, as `evaluation.json` has it."""
    return {"method": method, "protocol": found.protocol, "of": of, **dataclasses.asdict(found)}


def recognition(method: str, logits: np.ndarray, windows: Windows) -> list[dict[str, Any]]:
    """Closed-set recognition of windows, and of walks by the mean of their windows' logits."""
    by_walk = protocols.by_walk(logits, windows.persons, windows.walks)
    return [
        as_result(method, "windows", protocols.recognition(logits, windows.persons)),
        as_result(method, "walks", protocols.recognition(*by_walk)),
    ]


def comparison(
    method: str,
    probes: np.ndarray,
    windows: Windows,
    gallery: np.ndarray,
    training: Windows,
    search_windows: bool = False,
) -> list[dict[str, Any]]:
    """The protocols that compare features with a gallery, that of the training walks.

    Args:
        method: What the features are.
        probes: `[M, D]` features of the test windows.
        windows: Those windows.
        gallery: `[G, D]` features of the training windows.
        training: Those windows.
        search_windows: Whether to search among windows too.
    """
    walks = (
        *protocols.by_walk(probes, windows.persons, windows.walks),
        *protocols.by_walk(gallery, training.persons, training.walks),
    )
    found = [as_result(method, "walks", protocols.retrieval(*walks))]
    if search_windows:
        every = protocols.retrieval(probes, windows.persons, gallery, training.persons)
        found.append(as_result(method, "windows", every))
    if len(set(windows.persons.tolist())) >= FEWEST_PEOPLE:
        others = (protocols.verification, protocols.open_set)
        found += [as_result(method, "walks", compare(*walks)) for compare in others]
    return found


def _embedder_recognition(embedder: GaitEmbedder, dataset: DataSet, split: str) -> list[dict[str, Any]]:
    """Closed-set recognition of whole walks: a person's score is the cosine to the nearest of the training walks."""
    gallery, probes = (Walks.from_dataset(dataset.walks(part)) for part in ("train", split))
    probes = probes.of_persons(np.unique(gallery.persons))
    cosines = embedder.embed(probes.skeletons) @ embedder.embed(gallery.skeletons).T
    scores = np.stack(
        [cosines[:, gallery.persons == label].max(axis=1) for label in range(len(dataset.persons))], axis=1
    )
    return [as_result(TITLES["embedder"], "walks", protocols.recognition(scores, probes.persons))]


def logits_by_method(run: Run, windows: Windows, features: np.ndarray) -> dict[str, np.ndarray]:
    """The logits `[M, N]` of windows by each way in which a run can name them, the run's own answer first.

    Args:
        run: A finished run.
        windows: The windows.
        features: `[M, f, 3 k]`, what the run's encoder makes of them.
    """
    found = {TITLES[run.settings.features]: run.recognizer.predict(features, batch_size=BATCH, verbose=0)}
    if run.window_recognizer is None:
        return found
    alone = run.window_recognizer.predict(windows.skeletons, batch_size=BATCH, verbose=0)
    both = {f"{method} + {WINDOW_RECOGNIZER}": (logits + alone) / 2 for method, logits in found.items()}
    return {**both, **found, WINDOW_RECOGNIZER: alone}
