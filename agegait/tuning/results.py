"""What a search found: as files, and as a table."""

import math
from os import PathLike
from pathlib import Path
from typing import Any

from keras_tuner.engine.trial import Trial

from agegait.terminal.table import Cell, Column, Table
from agegait.training.settings import Settings
from agegait.tuning.records import BestTrial, SearchResult, TrialResult
from agegait.tuning.search_oracle import SearchOracle
from agegait.tuning.search_space import SearchSpace

PROJECT = "search"
"""Where keras-tuner keeps its files, in the search's folder."""

SHOWN = 20


def write(folder: Path, oracle: SearchOracle, space: SearchSpace) -> SearchResult:
    """Writes `trials.json` and, where a trial has succeeded, `best.json`."""
    best = oracle.best
    trials = [_trial_result(trial, space) for trial in oracle.ended]
    found = SearchResult(oracle.planned, best and best.trial_id, trials)
    found.write(folder)
    accuracy = None if best is None else _accuracy(best)
    if best is not None and accuracy is not None:
        runs = sorted((folder / PROJECT / f"trial_{best.trial_id}").glob("*/recognizer.keras"))
        run = str(runs[0].parent.relative_to(folder)) if runs else None
        BestTrial(best.trial_id, accuracy, run, space.settings(best.hyperparameters)).write(folder)
    return found


def best(folder: str | PathLike) -> BestTrial:
    """The best trial of a search.

    Raises:
        ValueError: No search there, none of whose trials has succeeded, or one of another format.
    """
    return BestTrial.read(Path(folder))


def best_settings(folder: str | PathLike) -> Settings:
    """The settings of a search's best trial; errors as for `best`."""
    return best(folder).settings


def reason(trial: Trial) -> str:
    """Why a trial failed, in a line."""
    lines = (trial.message or "").strip().splitlines()
    return lines[-1].removeprefix("keras_tuner.src.errors.FailedTrialError: ") if lines else "its worker said why"


def table(found: SearchResult) -> Table:
    """The best trials of a search, for the terminal."""
    ranked = sorted(found.trials, key=lambda trial: -(trial.validation_accuracy or -math.inf))
    done = f"{len(ranked)} of {found.planned} trials"
    title = done if len(ranked) <= SHOWN else f"{done}, the best {SHOWN} of them"
    rows = [
        (
            trial.trial,
            "failed" if trial.validation_accuracy is None else f"{100 * trial.validation_accuracy:.1f}",
            f"{trial.epochs} + {trial.recognizer_epochs}",
            "" if trial.seconds is None else f"{trial.seconds:.0f}",
            ", ".join(f"{name} {_cell(value)}" for name, value in trial.varied.items()),
        )
        for trial in ranked[:SHOWN]
    ]
    return Table(
        f"{title}; accuracy over the validation windows, in per cent",
        (*map(Column, ("trial", "accuracy", "epochs", "seconds")), Column("varied", number=False, wrap=True)),
        tuple(tuple(map(Cell, row)) for row in rows),
        bold=next((number for number, row in enumerate(rows) if row[0] == found.best), None),
    )


def _trial_result(trial: Trial, space: SearchSpace) -> TrialResult:
    recipe = space.settings(trial.hyperparameters).recipe
    accuracy = _accuracy(trial)
    return TrialResult(
        trial=trial.trial_id,
        status=trial.status.lower(),
        validation_accuracy=accuracy,
        chosen_epoch=None if accuracy is None else round(trial.metrics.get_last_value("chosen_epoch")),
        seconds=None if accuracy is None else round(float(trial.metrics.get_last_value("seconds")), 1),
        epochs=recipe.epochs,
        recognizer_epochs=recipe.recognizer_epochs,
        varied=space.values(trial.hyperparameters),
        failure=None if accuracy is not None else reason(trial),
    )


def _accuracy(trial: Trial) -> float | None:
    return None if trial.score is None else round(float(trial.score), 6)  # a worker's comes in single precision


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
