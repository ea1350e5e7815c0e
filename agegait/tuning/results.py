"""What a search found: as files, and as a table."""

import dataclasses
import math
from os import PathLike
from pathlib import Path
from typing import Any

from keras_tuner.engine.trial import Trial

from agegait.terminal.table import Cell, Column, Table
from agegait.training.records import check_shape, read_record, write_record
from agegait.training.settings import Settings
from agegait.tuning.search_oracle import SearchOracle
from agegait.tuning.search_space import SearchSpace

FORMAT = 3
PROJECT = "search"
"""Where keras-tuner keeps its files, in the search's folder."""

BEST = {"trial": str, "validation_accuracy": float, "run": str | None, "settings": dict}
"""What best.json must hold, see `agegait.training.records`."""

SHOWN = 20


def write(folder: Path, oracle: SearchOracle, space: SearchSpace) -> dict[str, Any]:
    """Writes `trials.json` and, where a trial has succeeded, `best.json`; returns what `trials.json` holds."""
    best = oracle.best
    found = {
        "format": FORMAT,
        "planned": oracle.planned,
        "best": best and best.trial_id,
        "trials": [_row(trial, space) for trial in oracle.ended],
    }
    write_record(folder / "trials.json", found)
    if best:
        runs = sorted((folder / PROJECT / f"trial_{best.trial_id}").glob("*/recognizer.keras"))
        record = {
            "format": FORMAT,
            "trial": best.trial_id,
            "validation_accuracy": _accuracy(best),
            "run": str(runs[0].parent.relative_to(folder)) if runs else None,
            "settings": dataclasses.asdict(space.settings(best.hyperparameters)),
        }
        write_record(folder / "best.json", record)
    return found


def best(folder: str | PathLike) -> dict[str, Any]:
    """The best trial of a search: what `best.json` holds.

    Raises:
        ValueError: No search there, none of whose trials has succeeded, or one of another format.
    """
    path = Path(folder) / "best.json"
    try:
        found = read_record(path, {})
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(f"{folder}: expected a search's folder with best.json, found none.") from None
    if found.get("format") != FORMAT:
        received = found.get("format")
        raise ValueError(f"{path}: expected format {FORMAT}, as this version of agegait writes, found {received!r}.")
    check_shape(path, found, BEST)
    return found


def best_settings(folder: str | PathLike) -> Settings:
    """The settings of a search's best trial; errors as for `best`."""
    return Settings.from_dict(best(folder)["settings"], Path(folder) / "best.json")


def reason(trial: Trial) -> str:
    """Why a trial failed, in a line."""
    lines = (trial.message or "").strip().splitlines()
    return lines[-1].removeprefix("keras_tuner.src.errors.FailedTrialError: ") if lines else "its worker said why"


def table(found: dict[str, Any]) -> Table:
    """The best trials of a search, for the terminal.

    Args:
        found: What `trials.json` holds.
    """
    ranked = sorted(found["trials"], key=lambda trial: math.inf if trial["failure"] else -trial["validation_accuracy"])
    done = f"{len(ranked)} of {found['planned']} trials"
    title = done if len(ranked) <= SHOWN else f"{done}, the best {SHOWN} of them"
    rows = [
        (
            trial["trial"],
            "failed" if trial["failure"] else f"{100 * trial['validation_accuracy']:.1f}",
            f"{trial['epochs']} + {trial['recognizer_epochs']}",
            "" if trial["failure"] else f"{trial['seconds']:.0f}",
            ", ".join(f"{name} {_cell(value)}" for name, value in trial["varied"].items()),
        )
        for trial in ranked[:SHOWN]
    ]
    return Table(
        f"{title}; accuracy over the validation windows, in per cent",
        (*map(Column, ("trial", "accuracy", "epochs", "seconds")), Column("varied", number=False, wrap=True)),
        tuple(tuple(map(Cell, row)) for row in rows),
        bold=next((number for number, row in enumerate(rows) if row[0] == found["best"]), None),
    )


def _row(trial: Trial, space: SearchSpace) -> dict[str, Any]:
    recipe = space.settings(trial.hyperparameters).recipe
    accuracy = _accuracy(trial)
    return {
        "trial": trial.trial_id,
        "status": trial.status.lower(),
        "validation_accuracy": accuracy,
        "chosen_epoch": None if accuracy is None else round(trial.metrics.get_last_value("chosen_epoch")),
        "seconds": None if accuracy is None else round(float(trial.metrics.get_last_value("seconds")), 1),
        "epochs": recipe.epochs,
        "recognizer_epochs": recipe.recognizer_epochs,
        "varied": space.values(trial.hyperparameters),
        "failure": None if accuracy is not None else reason(trial),
    }


def _accuracy(trial: Trial) -> float | None:
    return None if trial.score is None else round(float(trial.score), 6)  # a worker's comes in single precision


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
