import functools
from collections.abc import Callable, Iterable
from os import PathLike
from pathlib import Path
from typing import Any

from agegait import training
from agegait.storage.disk_full import naming_full_disk
from agegait.storage.private_files import private_files, private_folder
from agegait.terminal.console import errors
from agegait.training.run import Run
from agegait.training.settings import Settings
from agegait.tuning import chief, oracles, results
from agegait.tuning.cached_data_set import CachedDataSet
from agegait.tuning.records import Search, SearchResult
from agegait.tuning.run_tuner import RunTuner
from agegait.tuning.search_oracle import SearchOracle
from agegait.tuning.search_space import SearchSpace


@private_files()
def tune(
    settings: Settings,
    out: str | PathLike,
    search: Iterable[str] = (),
    method: str = "hyperband",
    trials: int | None = None,
    sweeps: int = 1,
    data_dir: str | PathLike | None = None,
    manual_dir: str | PathLike | None = None,
    check_limbs: bool = True,
    patience: float = 600.0,
    tensorboard: bool = False,
) -> SearchResult | None:
    """Searches for settings with a higher accuracy over the validation windows, or resumes such a search.

    A trial is the training of a run, and `agegait.training.train` with its settings comes to the same models. The
    validation walks choose; the test walks are not looked at. With keras-tuner's `KERASTUNER_TUNER_ID`,
    `KERASTUNER_ORACLE_IP` and `KERASTUNER_ORACLE_PORT` in the environment this is the chief of such a search, or one of
    its workers; they share the folder.

    Args:
        settings: What is varied; its epochs are those of a whole trial.
        out: The search's folder; made where it is not there.
        search: What is varied and how far, see `SearchSpace`.
        method: `"hyperband"`, `"bayesian"` or `"random"`.
        trials: At most so many; 20 where absent, with Hyperband those of its sweeps.
        sweeps: Hyperband's, each over all its brackets.
        data_dir: Where prepared data sets are kept; TFDS's own place where absent.
        manual_dir: Where a data set that was fetched by hand lies.
        check_limbs: Whether to refuse your own folder in which limbs are not as bodies have them.
        patience: Seconds after which a worker, or a chief, that is not heard of is given up.
        tensorboard: Whether each trial's run writes its losses for TensorBoard as well.

    Returns:
        What the search came to; None for a worker.

    Raises:
        ValueError: A number or a name that makes no sense, data that are not to be had, or a folder of something else.
        RuntimeError: One trial after the other failed, or chief and workers have lost each other.
    """
    out = Path(out)
    if patience <= 0:
        raise ValueError(f"patience: expected more than 0 seconds, received {patience}.")
    role = chief.role()
    space = SearchSpace(settings, search)
    oracle = oracles.oracle(
        method, space, trials, sweeps, on_trial_end=_report(out, space), patience=patience if role == "chief" else None
    )
    record = Search(settings, method, sweeps, space.search)
    if role == "worker":
        chief.await_record(out / Search.FILE, patience)
    _check_folder(out, record)
    # A chief needs no data: it trains nothing.
    train = training.train if role == "chief" else _trainer(space, data_dir, manual_dir, check_limbs, tensorboard)
    if role == "worker":
        chief.work(lambda: RunTuner(oracle, space, out, train, patience / 10).search(), patience)
        return None
    private_folder(out)
    record.write(out)
    with naming_full_disk(out):
        tuner = RunTuner(oracle, space, out, train)
        tuner.save()
        if role == "chief":
            chief.serve(oracle, patience)
        else:
            tuner.search()
    if oracle.failures >= oracle.FAILURES:
        raise RuntimeError(
            f"{out}: {oracle.failures} trials in a row failed, the last one: {results.reason(oracle.ended[-1])}"
        )
    if oracle.best:
        tuner.keep_models_of(oracle.best)  # a killed search may have left others'
    return results.write(out, oracle, space)


def _trainer(
    space: SearchSpace, data_dir: Any, manual_dir: Any, check_limbs: bool, tensorboard: bool
) -> Callable[[Settings, Path], Run]:
    """What trains a run of some settings in a folder, on a data set that is loaded once."""
    settings = space.base
    dataset = CachedDataSet.of(settings.load(data_dir, manual_dir, check_limbs))
    if "frames" not in (dimension.name for dimension in space.dimensions):
        # Before anything is written: there may be no window of so many frames for any trial.
        settings.training_windows(dataset, settings.normalization())
    return functools.partial(training.train_on, dataset, tensorboard=tensorboard)


def _report(out: Path, space: SearchSpace) -> Any:
    console = errors()

    def report(oracle: SearchOracle) -> None:
        found = results.write(out, oracle, space)
        last = oracle.trials[oracle.end_order[-1]]
        reached = "failed" if last.score is None else f"{100 * last.score:.1f} %"
        best = f"best {100 * oracle.best.score:.1f} % (trial {oracle.best.trial_id})" if oracle.best else "none better"
        line = f"trial {last.trial_id}: {reached}; {best}; {len(found.trials)} of {found.planned} done"
        console.print(line, style="bold", soft_wrap=True)

    return report


def _check_folder(out: Path, record: Search) -> None:
    there = Search.find(out)
    if there and (other := there.differences(record)):
        raise ValueError(f"{out}: holds another search: {'; '.join(other)}.")
