import contextlib
import dataclasses
import fcntl
import gc
import shutil
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

import keras
import numpy as np

from agegait import evaluation, training
from agegait.data import Walks
from agegait.datasets import DataSet, Windows
from agegait.evaluation import Gallery, Parts, protocols
from agegait.evaluation.baselines import NetworkBaseline, baseline
from agegait.reproduction import embedders, encoders, report
from agegait.reproduction.encoders import Features
from agegait.reproduction.epoch_scores import EpochScores
from agegait.reproduction.few_labels import labelled
from agegait.reproduction.records import About, Reproduction, ReproductionData, RowResult, ToCome
from agegait.reproduction.row import Row
from agegait.reproduction.rows import find
from agegait.storage.disk_full import naming_full_disk
from agegait.storage.private_files import private_files, private_folder
from agegait.storage.records import LOCK
from agegait.terminal.console import errors
from agegait.training.environment import this_machine, versions
from agegait.training.run_record import StageResult
from agegait.training.settings import Settings

SEEDS = (0, 1, 2)


@private_files()
def reproduce(
    settings: Settings,
    out: str | PathLike,
    seeds: Sequence[int] = SEEDS,
    rows: Sequence[str] = ("table",),
    data_dir: str | PathLike | None = None,
    manual_dir: str | PathLike | None = None,
    check_limbs: bool = True,
    command: str | None = None,
) -> Reproduction:
    """Trains and evaluates every row for every seed, and writes the tables.

    Finished rows are kept: a stopped reproduction is resumed, and further rows or seeds are added. Each row and seed
    leaves `results/ROW/seed-N.json` in the folder, and its run in `runs/`; the tables over all of them are
    `reproduction.md` and `reproduction.json`, written anew after each.

    Args:
        settings: What all rows have in common; each row changes some of it, and the seed.
        out: The folder.
        seeds: Of the runs of each row.
        rows: Names of `ROWS` or `GROUPS`.
        data_dir: Where prepared data sets are kept; TFDS's own place where absent.
        manual_dir: Where a data set that was fetched by hand lies.
        check_limbs: Whether to refuse your own folder in which limbs are not as bodies have them.
        command: The command line, for the tables.

    Returns:
        The whole of the reproduction so far.

    Raises:
        ValueError: An unknown row; the folder holds something else, or what other settings, another version of the
            data set or of agegait have made; the data are not to be had or have no test walks.
    """
    out, chosen, seeds = Path(out), find(rows), list(dict.fromkeys(seeds))
    if not seeds or min(seeds) < 0:
        raise ValueError(f"seeds: expected whole numbers from 0, received {seeds}.")
    asked = [(row, row.of(settings, seed)) for seed in seeds for row in chosen]
    _check_folder(out, settings)
    dataset = settings.load(data_dir, manual_dir, check_limbs)
    if not dataset.tests:
        raise ValueError(f"{dataset.name}: expected walks to test on, found none: nobody has two walks.")
    with _alone(out), naming_full_disk(out):
        about = _about(out, dataset, settings)
        todo = [(row, own) for row, own in asked if not _finished(out, row, own)]
        todo = _side_by_side(todo, settings)
        work = _Work(dataset, settings, out, about)
        work.check([row for row, _ in todo])
        console = errors()
        for number, (row, own) in enumerate(todo, start=1):
            text = f"{row.name}, seed {own.seed}: {number} of {len(todo)}: {row.text}"
            console.print(text, style="bold", soft_wrap=True)
            result = work.do(row, own)
            path = _result_path(out, row, own.seed)
            private_folder(path.parent)
            result.write_file(path)
            shutil.rmtree(_watched(out, row, own.seed), ignore_errors=True)
            report.write(out, about, command, [ToCome(row.name, own.seed) for row, own in todo[number:]])
            keras.utils.clear_session()
            gc.collect()  # gigabytes of features, which Keras's models hold in circles
        return report.write(out, about, command)


class _Work:
    """Does rows one after another, holding on to what the next may need too: windows, and one encoder's features.

    Both are made when they are first used, so the earlier ones, which take gigabytes, are gone by then.
    """

    def __init__(self, dataset: DataSet, base: Settings, out: Path, about: About) -> None:
        self.dataset = dataset
        self.base = base
        self.out = out
        self.about = about
        self._parts = Parts(dataset, base, base.normalization())
        self._key: tuple[Settings, str] | None = None
        self._features: Features | None = None

    def check(self, rows: Sequence[Row]) -> None:
        """Makes sure, before anything is written, that the walks are those of before and enough for every row."""
        if not rows:
            return
        parts = self._parts
        split = {
            "train": _names(parts.training),
            "validation": _names(parts.validation),
            **{test: _names(windows) for test, windows in parts.tests.items()},
        }
        data = self.about.data
        if data.split and data.split != split:
            raise ValueError(f"{self.out}: holds what other walks of {self.dataset.name} have made.")
        for row in rows:
            if row.labelled_walks is not None:
                labelled(parts.training, row.labelled_walks, 0)
        data.split, data.left_out = split, parts.left_out
        self.about.write(self.out)

    def do(self, row: Row, settings: Settings) -> RowResult:
        """What a row reaches."""
        began = time.monotonic()
        folder = _run_folder(self.out, row, settings.seed)
        key = (
            None
            if row.baseline or row.learning
            else (encoders.encoder_settings(settings, self.base), settings.features)
        )
        if self._parts.settings.seen != settings.seen:
            self._parts = Parts(self.dataset, settings, settings.normalization())
        if self._key != key:
            self._key, self._features = key, None
        kind = self.embedder if row.learning else self.baseline if row.baseline else self.method
        found = kind(row, settings, folder)
        return RowResult(
            row=row.name,
            text=row.text,
            seed=settings.seed,
            settings=settings,
            baseline=row.baseline,
            labelled_walks=row.labelled_walks,
            trained=found.trained,
            labelled=found.labelled,
            tests=found.tests,
            seconds=round(time.monotonic() - began, 1),
            versions=versions(),
            machine=this_machine(),
        )

    def method(self, row: Row, settings: Settings, folder: Path) -> "_Reached":
        """A row of the method: an encoder, perhaps of other rows too, and a recognizer of its own."""
        parts = self._parts
        of_encoder = encoders.encoder_settings(settings, self.base)
        shared = encoders.trained_encoder(self.dataset, of_encoder, self.out / "encoders", parts)
        run, _, validation = training.begin(self.dataset, settings, folder, (parts.training, parts.validation))
        encoders.take_encoder(run, shared)
        if self._features is None:
            self._features = Features(run, parts)
        features = self._features
        windows, ages = parts.training, features.training
        if row.labelled_walks is not None:
            known = labelled(windows, row.labelled_walks, settings.seed)
            windows, ages = Windows(*(column[known] for column in windows)), ages[known]
            run.record.data.labelled = _names(windows)
            run.save_record()
        if row.embedder:
            training.train_embedder(run, self.dataset)
        beside = {test: evaluation.embedder_logits(run, part.skeletons) for test, part in parts.tests.items()}
        watch = EpochScores(_watched(self.out, row, settings.seed), features.tests, beside)
        training.train_recognizer(run, windows, validation, [watch], (ages, features.validation))
        gallery = None
        if row.labelled_walks is None:
            gallery = Gallery(row.name, run.recognizer.embed(features.gallery), parts.gallery)
        tests = {}
        for test, part in parts.tests.items():
            walks = Walks.from_dataset(self.dataset.walks(test))
            methods = evaluation.logits_by_method(run, part, features.tests[test], walks, beside[test])
            probes = run.recognizer.embed(features.tests[test])
            tests[test] = evaluation.evaluate_windows(part, [(row.name, next(iter(methods.values())))], gallery, probes)
            tests[test] += _published(row, watch.of(test), part, settings.frames)
        training.finish(run)
        return _Reached(tests, run.record.trained, run.record.data.labelled)

    def embedder(self, row: Row, settings: Settings, _folder: Path) -> "_Reached":
        """A row of an embedder, trained for each division of the people."""
        folder = self.out / "embedders" / row.name / f"seed-{settings.seed}"
        return _Reached(embedders.tests(row, settings, self.dataset, folder))

    def baseline(self, row: Row, settings: Settings, folder: Path) -> "_Reached":
        """A row of what the method is compared with."""
        parts = self._parts
        shutil.rmtree(_watched(self.out, row, settings.seed), ignore_errors=True)
        other = baseline(row.baseline or "")
        windows = parts.training
        if row.labelled_walks is not None:
            known = labelled(windows, row.labelled_walks, settings.seed)
            windows = Windows(*(column[known] for column in windows))
        network = other if isinstance(other, NetworkBaseline) else None
        seen = {test: network.features(part) for test, part in parts.tests.items()} if network else {}
        watch = EpochScores(_watched(self.out, row, settings.seed), seen)
        other.fit(windows, parts.validation, len(self.dataset.persons), settings.seed, [watch])
        tests = {}
        for test, part in parts.tests.items():
            scores = other.scores(part)
            tests[test] = evaluation.evaluate_windows(part, [(row.name, scores)])
            tests[test] += _published(row, watch.of(test) if network else [scores], part, settings.frames)
        trained = {"recognizer": network.reached} if network and network.reached else {}
        return _Reached(tests, trained, None if row.labelled_walks is None else _names(windows))


@dataclasses.dataclass
class _Reached:
    """The parts of a `RowResult` that kinds of rows have each in their way."""

    tests: dict[str, list[evaluation.Result]]
    trained: dict[str, StageResult] = dataclasses.field(default_factory=dict)
    labelled: list[str] | None = None


def _published(row: Row, logits: Any, windows: Windows, frames: int) -> list[evaluation.Result]:
    """The published protocol's result, but where there are too few windows for one of its batches."""
    if not len(protocols.published_windows(windows.persons, frames)):
        return []
    return [evaluation.Result(row.name, "windows", protocols.published(logits, windows.persons, frames))]


def _side_by_side(todo: Sequence[tuple[Row, Settings]], base: Settings) -> list[tuple[Row, Settings]]:
    """Seed by seed, rows that share windows, an encoder and its features one after another."""

    def kinds(row: Row, own: Settings) -> list[tuple[Any, ...]]:
        encoder = None if row.baseline or row.learning else encoders.encoder_settings(own, base)
        windows = own.seed, *own.seen
        return [windows, (*windows, encoder), (*windows, encoder, own.features)]

    first: dict[tuple[Any, ...], int] = {}
    for number, item in enumerate(todo):
        for kind in kinds(*item):
            first.setdefault(kind, number)
    return sorted(todo, key=lambda item: [first[kind] for kind in kinds(*item)])


def _check_folder(out: Path, settings: Settings) -> None:
    if about := About.find(out):
        other = training.differences(about.settings, dataclasses.replace(settings, seed=0))
        if about.version != version("agegait"):
            other.append(f"agegait {about.version}, not {version('agegait')}")
        if other:
            raise ValueError(f"{out}: holds a reproduction of other settings: {'; '.join(other)}.")


def _about(out: Path, dataset: DataSet, settings: Settings) -> About:
    if about := About.find(out):
        if about.data.version != dataset.version:
            raise ValueError(
                f"{out}: holds a reproduction of {dataset.name} {about.data.version}, not {dataset.version}."
            )
        return about
    data = ReproductionData(
        dataset.name,
        dataset.version,
        len(dataset.persons),
        dataset.licence,
        dataset.held_out,
        [list(note) for note in dataset.notes],
    )
    return About(version("agegait"), dataclasses.replace(settings, seed=0), data)  # the seed is each run's own


@contextlib.contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Keeps a second reproduction from working in the same folder; a killed one lets go of it."""
    private_folder(out)
    with (out / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"{out}: another reproduction is at work in this folder.") from None
        try:
            yield
        finally:
            if not (out / About.FILE).exists():  # refused before anything was done
                (out / LOCK).unlink()
                out.rmdir()


def _finished(out: Path, row: Row, settings: Settings) -> bool:
    path = _result_path(out, row, settings.seed)
    if not path.exists():
        return False
    other = training.differences(RowResult.read_file(path).settings, settings)
    if other:
        raise ValueError(f"{path}: expected what the row is now, found a result of other settings: {'; '.join(other)}.")
    shutil.rmtree(_watched(out, row, settings.seed), ignore_errors=True)  # killed before it came to that
    return True


def _result_path(out: Path, row: Row, seed: int) -> Path:
    return out / "results" / row.name / f"seed-{seed}.json"


def _watched(out: Path, row: Row, seed: int) -> Path:
    return out / "watched" / row.name / f"seed-{seed}"


def _run_folder(out: Path, row: Row, seed: int) -> Path:
    return out / "runs" / row.name / f"seed-{seed}"


def _names(windows: Windows) -> list[str]:
    return list(dict.fromkeys(np.asarray(windows.walks).tolist()))
