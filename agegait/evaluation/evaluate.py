"""What a run reached on its test walks, by protocol."""

from collections.abc import Callable, Sequence
from os import PathLike

import numpy as np

from agegait.data import Walks
from agegait.datasets import DataSet, Windows
from agegait.evaluation import protocols
from agegait.evaluation.baselines import baseline
from agegait.evaluation.evaluate_windows import (
    TITLES,
    Gallery,
    Logits,
    embedder_logits,
    evaluate_windows,
    logits_by_method,
)
from agegait.evaluation.evaluation import Evaluation
from agegait.evaluation.parts import Parts
from agegait.evaluation.result import Result
from agegait.evaluation.stranger_tests import stranger_tests
from agegait.models import GaitEmbedder
from agegait.storage.private_files import private_files, private_folder
from agegait.training.run import Run

COORDINATES = ("mlp", "mlp-whitened", "mlp-distances")
"""Baselines that every comparison should have: plain networks on what the encoder sees too."""


@private_files()
def evaluate(
    run: Run,
    data_dir: str | PathLike | None = None,
    manual_dir: str | PathLike | None = None,
    baselines: Sequence[str] = (),
    search_windows: bool = False,
    observe: Callable[[str, Windows, np.ndarray | None, np.ndarray | None], None] | None = None,
    dataset: DataSet | None = None,
) -> Evaluation:
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
            for validation) and the run's logits `[M, N]` of windows in their walks (None but for tests): to see more
            than figures.
        dataset: The run's data set, where it is loaded already.

    Results of other methods that `evaluation.json` holds already, such as baselines, stay there if they are of the same
    tests.

    Returns:
        What `evaluation.json` holds.

    Raises:
        ValueError: The run is not finished, its data are not to be had, are not those that it was trained on, or have
            no test walks; an unknown baseline.
    """
    private_folder(run.folder)
    others = [baseline(name, run.encoder, run.settings.recipe, run.settings.manner) for name in baselines]
    recognizer = run.recognizer
    dataset = dataset or run.load_data(data_dir, manual_dir)
    if not dataset.tests:
        raise ValueError(f"{dataset.name}: expected walks to test on, found none: nobody has two walks.")
    parts = Parts(dataset, run.settings, run.normalization)
    run.check_split(parts.gallery)
    features = run.features(parts.gallery, "gallery AGEs")
    if observe:
        observe("train", parts.gallery, features, None)
        observe("validation", parts.validation, None, None)
    gallery = Gallery(TITLES[run.settings.features], recognizer.embed(features), parts.gallery)
    for other in others:
        other.fit(parts.training, parts.validation, len(run.persons), run.settings.seed)
    tests: dict[str, list[Result]] = {}
    for split, windows in parts.tests.items():
        ages = run.features(windows, f"{split} AGEs")
        walks = Walks.from_dataset(dataset.walks(split))
        logits = logits_by_method(run, windows, ages, walks, embedder_logits(run, windows.skeletons))
        if observe:
            observe(split, windows, ages, next(iter(logits.values())).in_walk)
        methods: list[tuple[str, Logits | np.ndarray]] = [*logits.items()]
        methods += [(other.title, other.scores(windows)) for other in others]
        tests[split] = evaluate_windows(windows, methods, gallery, recognizer.embed(ages), search_windows)
        if run.embedder is not None and search_windows:
            tests[split].append(_embedder_windows(run.embedder, windows, parts.gallery))
    if strangers := stranger_tests(run, dataset, TITLES):
        tests["strangers"] = [Result(method, one.of, one) for method, ones in strangers.items() for one in ones]
        if run.embedder is not None and search_windows and dataset.strangers is not None:
            whole = dataset.strangers.whole_walks()
            windows_found = protocols.retrieve_stranger_windows(whole, run.embedder.embed, run.settings.frames)
            tests["strangers"].append(Result(TITLES["embedder"], "windows", windows_found))
    chosen_on = (
        f"the last {dataset.held_out:.0%} of each training walk, which was not trained on"
        if dataset.held_out
        else "validation walks, which are no training walks"
    )
    evaluation = Evaluation(run.settings, chosen_on, parts.left_out, tests).with_earlier(run.folder)
    evaluation.write(run.folder)
    return evaluation


def _embedder_windows(embedder: GaitEmbedder, windows: Windows, gallery: Windows) -> Result:
    """Retrieval of test windows among the training windows, which the embedder was trained on."""
    probes, entries = (embedder.embed(list(one.skeletons)) for one in (windows, gallery))
    found = protocols.retrieval(probes, windows.persons, entries, gallery.persons, standardize=False)
    return Result(TITLES["embedder"], "windows", found)
