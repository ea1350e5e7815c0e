"""What a run reached on its test walks, by protocol."""

import dataclasses
import json
import math
from os import PathLike
from typing import Any

import keras
import numpy as np
from rich import box
from rich.table import Table

from agegait import protocols, runs
from agegait.datasets import DataSet, Windows
from agegait.models import GaitRecognizer
from agegait.progress import ProgressLine

BASELINES = {"raw MLP": {"standardize": True}, "raw MLP, whitened": {"whiten": True}}
BASELINE_UNITS = 1024
BASELINE_DROPOUT = 0.3
BASELINE_EPOCHS = 20
BASELINE_BATCH = 256
BASELINE_LEARNING_RATE = 1e-3


def evaluate(
    run: runs.Run,
    data_dir: str | PathLike | None = None,
    manual_dir: str | PathLike | None = None,
    baseline: bool = False,
) -> dict[str, Any]:
    """Evaluates a run on the test walks of its data set and writes `evaluation.json` into its folder.

    Args:
        run: A finished run.
        data_dir: Where prepared data sets are kept; TFDS's own place where absent.
        manual_dir: Where a data set that was fetched by hand lies.
        baseline: Whether to train, on the same training windows, plain networks on raw coordinates to compare with.

    Returns:
        What `evaluation.json` holds: for each test split, a list of results, each with its `method`, `protocol`, what
        its `samples` are and its figures.

    Raises:
        ValueError: The run is not finished, its data are not to be had, are not those that it was trained on, or have
            no test walks.
    """
    recognizer = run.recognizer
    dataset = run.settings.load(data_dir, manual_dir, check_limbs=False)  # the training did
    if not dataset.tests:
        raise ValueError(f"{dataset.name}: expected walks to test on, found none: nobody has two walks.")
    training = run.windows(dataset, "train", run.settings.frames)
    run.check_split(training)
    gallery, gallery_persons = protocols.by_walk(
        run.ages(training, "gallery AGEs").mean(axis=1), training.persons, training.walks
    )
    networks = _train_baselines(run, dataset) if baseline else {}
    tests: dict[str, list[dict[str, Any]]] = {}
    left_out: dict[str, list[str]] = {}
    for split in dataset.tests:
        windows, left_out[split] = _of_people_trained_on(run.windows(dataset, split), training)
        ages = run.ages(windows, f"{split} AGEs")
        tests[split] = _recognition("AGE", recognizer.predict(ages, batch_size=4096, verbose=0), windows)
        if run.fine_tuned:
            tests[split] += _recognition("fine-tuned", _fine_tuned_logits(run, windows), windows)
        for name, network in networks.items():
            logits = network.predict(_coordinates(windows), batch_size=4096, verbose=0)
            tests[split] += _recognition(name, logits, windows)
        probes, persons = protocols.by_walk(ages.mean(axis=1), windows.persons, windows.walks)
        found = protocols.retrieval(probes, persons, gallery, gallery_persons)
        tests[split].append({"method": "AGE", "protocol": "retrieval", "of": "walks", **dataclasses.asdict(found)})
    evaluation = {
        "settings": dataclasses.asdict(run.settings),
        "chosen_on": "validation walks, which are no training walks"
        if not dataset.held_out
        else f"the last {dataset.held_out:.0%} of each training walk, which was not trained on",
        "left_out": left_out,
        "tests": tests,
    }
    runs.write_aside(run.folder / "evaluation.json", json.dumps(evaluation, indent=2))
    return evaluation


def tables(evaluation: dict[str, Any]) -> list[Table]:
    """What an evaluation found, for the terminal: a table for each protocol, since their figures do not compare."""
    rows = [(split, result) for split, results in evaluation["tests"].items() for result in results]
    return [_table(protocol, rows) for protocol in dict.fromkeys(result["protocol"] for _, result in rows)]


def _table(protocol: str, rows: list[tuple[str, dict[str, Any]]]) -> Table:
    rows = [(split, result) for split, result in rows if result["protocol"] == protocol]
    figures = {f"Rank-{k}": ("rank", str(k)) for k in protocols.RANKS} | {
        "nAUC (CMC)": ("nauc_cmc",),
        "nAUC (ROC)": ("nauc_roc",),
        "mAP": ("mean_average_precision",),
    }
    shown = {name: path for name, path in figures.items() if any(_figure(result, path) for _, result in rows)}
    table = Table(title=f"{protocol}, in per cent", title_justify="left", title_style="bold", box=box.SIMPLE)
    for name in ("test", "method", "of"):
        table.add_column(name, no_wrap=True)
    for name in ("samples", *shown):
        table.add_column(name, justify="right")
    for split, result in rows:
        cells = (_figure(result, path) for path in shown.values())
        table.add_row(split, result["method"], result["of"], f"{result['samples']:,}", *cells)
    return table


def _figure(result: dict[str, Any], path: tuple[str, ...]) -> str:
    value: Any = result
    for key in path:
        # A rank is a number here and a string in JSON.
        value = value.get(key, value.get(int(key)) if key.isdigit() else None) if value is not None else None
    return "" if value is None else f"{100 * value:.1f}"


def _of_people_trained_on(windows: Windows, training: Windows) -> tuple[Windows, list[str]]:
    """The windows that a closed set can name, and the walks of everybody else."""
    known = np.isin(windows.persons, training.persons)
    if not known.any():
        raise ValueError("test: expected walks of people who are trained on, found none of them.")
    return Windows(*(column[known] for column in windows)), sorted(set(windows.walks[~known].tolist()))


def _recognition(method: str, logits: np.ndarray, windows: Windows) -> list[dict[str, Any]]:
    by_walk = protocols.by_walk(logits, windows.persons, windows.walks)
    results = {
        "windows": protocols.recognition(logits, windows.persons),
        "walks": protocols.recognition(*by_walk),
    }
    return [
        {"method": method, "protocol": "closed-set recognition", "of": of, **dataclasses.asdict(result)}
        for of, result in results.items()
    ]


def _fine_tuned_logits(run: runs.Run, windows: Windows) -> np.ndarray:
    identifier = run.identifier
    outputs = identifier.encoder.predict(windows.skeletons, batch_size=runs.FEATURE_BATCH, verbose=0)
    return identifier.recognizer.predict(outputs["ages"], batch_size=4096, verbose=0)


def _coordinates(windows: Windows) -> np.ndarray:
    """Windows as the baseline sees them, `[M, f, 3 J]`."""
    return windows.skeletons.reshape(*windows.skeletons.shape[:2], -1)


def _train_baselines(run: runs.Run, dataset: DataSet) -> dict[str, GaitRecognizer]:
    """Networks of one hidden layer on the normalized coordinates of a window: what the encoder has to beat."""
    training = run.windows(dataset, "train", run.settings.stride)
    validation = run.windows(dataset, "validation")
    return {name: _train_baseline(run, name, training, validation, **options) for name, options in BASELINES.items()}


def _train_baseline(run: runs.Run, name: str, training: Windows, validation: Windows, **options: Any) -> GaitRecognizer:
    keras.utils.set_random_seed(run.settings.seed)
    network = GaitRecognizer(len(run.persons), "sc", BASELINE_UNITS, dropout=BASELINE_DROPOUT, **options)
    coordinates = _coordinates(training)
    network.adapt(coordinates)
    steps = math.ceil(len(coordinates) / BASELINE_BATCH) * BASELINE_EPOCHS
    network.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(BASELINE_LEARNING_RATE, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    network.fit(
        coordinates,
        training.persons,
        batch_size=BASELINE_BATCH,
        epochs=BASELINE_EPOCHS,
        verbose=0,
        validation_data=(_coordinates(validation), validation.persons),
        callbacks=[
            ProgressLine(name, len(coordinates)),
            keras.callbacks.EarlyStopping(
                "val_accuracy", mode="max", patience=BASELINE_EPOCHS, restore_best_weights=True
            ),
        ],
    )
    return network
