"""Searches: what is varied, how they resume, what they leave; with trainings that are played but for the last tests."""

import contextlib
import dataclasses
import itertools
import json
import math
import os
import re
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import hypothesis
import hypothesis.strategies as st
import keras
import keras_tuner
import numpy as np
import pytest
from keras_tuner.src.distribute import oracle_client
from rich.console import Console

from agegait import datasets, training, tuning
from agegait.layers import SkeletonNormalization
from agegait.storage.whole_file import write_text
from agegait.training import recipes
from agegait.training.run_record import StageResult
from agegait.tuning import chief, oracles, results, search
from agegait.tuning.cached_data_set import CachedDataSet
from agegait.tuning.records import SearchResult
from agegait.tuning.run_tuner import RunTuner
from agegait.tuning.search_space import USUAL
from tfds_builders.walkers import generator

# keras-tuner asks a thread for its name in the way of Python 3.9.
pytestmark = [
    pytest.mark.filterwarnings("ignore:(currentThread|getName)\\(\\) is deprecated:DeprecationWarning"),
]

TINY = recipes.recipe(
    "best",
    epochs=2,
    recognizer_epochs=4,
    embedder_epochs=None,
    units=8,
    recognizer_units=16,
    batch_size=16,
    stride=None,
    mirror=False,
)
TRAINED = dataclasses.replace(TINY, num_layers=1)
"""For trainings that are not played: a second layer is half of the time, which goes into tracing."""

SEARCH = ("units=8,16,32,64", "frames=4,6", "learning_rate", "normalize")


def settings(**changes):
    return training.Settings(**{"dataset": "walkers", "preset": "best", "recipe": TINY, **changes})


def space(*what, **changes):
    return tuning.SearchSpace(settings(**changes), what)


def drawn(found, seed):
    """A trial's hyper-parameters, drawn at random."""
    hp = keras_tuner.HyperParameters()
    found.declare_hyperparameters(hp)
    hp.values = {dimension.name: dimension.random_sample(seed + 1) for dimension in found.dimensions}
    return hp


class TestSearchSpace:
    def test_all_that_is_usual_where_nobody_says(self):
        found = space()
        assert [dimension.name for dimension in found.dimensions] == list(USUAL)
        assert found.combinations == math.inf

    def test_basic_attention_has_no_locality_to_vary(self):
        names = [dimension.name for dimension in space(attention="BA").dimensions]
        assert names == [name for name in USUAL if name not in ("sigma", "locality_weight")]

    def test_values_are_those_of_the_settings_types(self):
        found = space("units=8,16", "dropout=0.1,0.30", "normalize", "decay", "manner=ap,sc", "stride=1:4")
        seen = {name: set() for name in ("units", "dropout", "normalize", "decay", "manner", "stride")}
        for seed in range(60):
            for name, value in found.values(drawn(found, seed)).items():
                seen[name].add(value)
        assert seen == {
            "units": {8, 16},
            "dropout": {0.1, 0.3},
            "normalize": {None, "standardize", "whiten"},
            "decay": {False, True},
            "manner": {"ap", "sc"},
            "stride": {1, 2, 3, 4},
        }
        assert found.combinations == 2 * 2 * 3 * 2 * 2 * 4

    def test_a_trials_settings_are_the_runs_but_for_what_is_varied(self):
        found = space("units=32", "frames=9", "learning-rate=0.25", "normalize=none", manner="sc", seed=3)
        expected = dataclasses.replace(TINY, units=32, learning_rate=0.25, normalize=None)
        assert found.settings(drawn(found, 0)) == settings(manner="sc", seed=3, frames=9, recipe=expected)

    def test_it_says_what_is_varied_as_it_is_asked(self):
        asked = ["units=8,16", "frames=4:10", "learning_rate=0.0001:0.5", "l2=1e-07:1", "normalize=none,whiten"]
        assert space(*asked).search == asked
        assert space(*space().search).search == space().search

    def test_sizes_double_and_rates_are_as_dense_near_either_end(self):
        found = space("units=8:64", "learning_rate=1e-4:1")
        values = [found.values(drawn(found, seed)) for seed in range(300)]
        assert {value["units"] for value in values} == {8, 16, 32, 64}
        rates = np.log10([value["learning_rate"] for value in values])
        assert (rates >= -4).all()
        assert (rates <= 0).all()
        assert rates.mean() == pytest.approx(-2, abs=0.25)

    def test_a_number_survives_the_single_precision_of_the_way_to_a_worker(self):
        found = space("learning_rate", "dropout=0.1,0.7", "units")
        for seed in range(100):
            hp = drawn(found, seed)
            sent = keras_tuner.HyperParameters.from_proto(hp.to_proto())
            assert found.settings(sent) == found.settings(hp)

    def test_hyperband_gives_a_trial_a_part_of_all_epochs(self):
        recipe = dataclasses.replace(TINY, epochs=3, recognizer_epochs=10, embedder_epochs=20)
        found = space("units=8,16", recipe=recipe)
        assert found.epochs == 10
        for part, expected in ((10, (3, 10)), (4, (2, 4)), (1, (1, 1))):
            hp = drawn(found, 0)
            hp.values["tuner/epochs"] = part
            recipe = found.settings(hp).recipe
            assert (recipe.epochs, recipe.recognizer_epochs) == expected
            assert recipe.embedder_epochs is None  # what is searched for has no use for it

    def test_its_model_is_the_trials_encoder(self):
        found = space("units=16", "frames=5", "num_layers=1", "sigma=1.5", "locality_weight=2", "l2=0.25")
        encoder = found.build(drawn(found, 0))
        assert (encoder.units, encoder.frames, encoder.num_layers) == (16, 5, 1)
        assert (encoder.sigma, encoder.locality_weight, encoder.l2) == (1.5, 2, 0.25)

    @pytest.mark.parametrize(
        ("what", "message"),
        [
            ("unit=8", r"search: expected one of frames, attention, .*, received 'unit'\."),
            ("epochs=8", r"search: expected one of frames, .*, received 'epochs'\."),
            ("units=eight", "expected units=A,B,... or units=LOW:HIGH with whole numbers, received 'units=eight'"),
            ("units=8.5", "with whole numbers, received 'units=8.5'"),
            ("units=", "with whole numbers, received 'units='"),
            ("decay=perhaps", "with true or false, received 'decay=perhaps'"),
            ("normalize=perhaps", "normalize: expected one of standardize, whiten or none, received perhaps"),
            ("units=none", "with whole numbers, received 'units=none'"),
            ("sigma=none:3", "sigma=LOW:HIGH with two numbers, 0 < LOW < HIGH, received 'sigma=none:3'"),
            ("batch_size", "expected batch_size=A,B,... or batch_size=LOW:HIGH with whole numbers"),
            ("l2=nan", "with numbers, received 'l2=nan'"),
            ("l2=0:1", "l2=LOW:HIGH with two numbers, 0 < LOW < HIGH, received 'l2=0:1'"),
            ("dropout=0.5:0.1", "dropout=LOW:HIGH with two numbers, LOW < HIGH, received"),
            ("dropout=0:0.1:0.2", "with two numbers"),
            ("manner=ap:sc", "with two numbers"),
            ("units=0,8", "units: expected at least 1, received 0"),
            ("dropout=0:1", r"dropout: expected less than 1, received 1\.0"),
            ("attention=LA,XA", "attention: expected one of LA, BA, MBAS, received 'XA'"),
            ("frames=1", "frames: expected at least 2, received 1"),
        ],
    )
    def test_what_cannot_be_varied_is_refused_by_name(self, what, message):
        with pytest.raises(ValueError, match=message):
            space(what)

    def test_a_name_twice(self):
        with pytest.raises(ValueError, match="each name once, received units, units"):
            space("units=8", "units=16")

    @hypothesis.settings(deadline=None)
    @hypothesis.given(st.text(max_size=12), st.text(alphabet="0123456789.,:-+eE_ natrufls", max_size=12))
    def test_any_text_is_understood_or_refused_by_a_value_error(self, name, values):
        for text in (
            name,
            f"{name}={values}",
            f"units={values}",
            f"l2={values}",
            f"decay={values}",
            f"normalize={values}",
        ):
            with contextlib.suppress(ValueError):
                found = space(text)
                for seed in range(3):
                    found.settings(drawn(found, seed))

    @hypothesis.settings(deadline=None)
    @hypothesis.given(st.lists(st.integers(2, 10**6), min_size=2, max_size=2, unique=True), st.integers(0, 99))
    def test_a_range_is_kept_to(self, limits, seed):
        low, high = sorted(limits)
        for name in ("units", "frames", "dropout"):
            scale = 10.0**7 if name == "dropout" else 1
            found = space(f"{name}={low / scale if scale > 1 else low}:{high / scale if scale > 1 else high}")
            (value,) = found.values(drawn(found, seed)).values()
            assert low / scale * 0.9999 <= value <= high / scale * 1.0001
            if name == "units":
                assert math.log2(value / low).is_integer()


def accuracy(asked):
    """What a played training reaches: more with more units and whitened, best at a learning rate of 1e-3."""
    recipe = asked.recipe
    rate = abs(math.log10(recipe.learning_rate) + 3)
    return round(
        0.5 + math.log2(recipe.units) / 20 + 0.1 * (recipe.normalize == "whiten") - 0.1 * rate - 0.2 / recipe.epochs, 6
    )


def play(asked, out, made=None):
    """Stands in for `training.train`: leaves what a run leaves, and says what it reached."""
    out.mkdir(parents=True, exist_ok=True)
    with (out.parent.parent.parent / "trainings.txt").open("a") as file:
        file.write(f"{out.parent.name}\n")
    if made:
        made(asked, out)
    for name in ("run.json", "encoder.keras", "recognizer.keras"):
        (out / name).write_text("{}")
    (out / "history").mkdir(exist_ok=True)
    trained = StageResult(1, 1.0, chosen_epoch=1, validation_accuracy=accuracy(asked))
    return SimpleNamespace(record=SimpleNamespace(trained={"recognizer": trained}))


@pytest.fixture
def played(monkeypatch):
    """Lets every training be played, with a word of the test's own in it."""

    def start(made=None):
        monkeypatch.setattr(keras.utils, "clear_session", lambda: None)  # takes longer than all the rest
        monkeypatch.setattr(search, "_trainer", lambda *_: lambda asked, out: play(asked, out, made))

    start()
    return start


def tune(out, what=SEARCH, **options):
    return tuning.tune(settings(), out, what, **options)


def outcome(found):
    """What a search found, but for the time it took."""
    return [dataclasses.replace(trial, seconds=None) for trial in found.trials]


class TestSearch:
    @pytest.mark.parametrize(
        "method",
        # The model of the trials so far is fitted anew for each.
        [pytest.param(name, marks=pytest.mark.slow if name == "bayesian" else ()) for name in tuning.METHODS],
    )
    def test_what_is_found_is_the_best_and_can_be_trained(self, tmp_path, played, method):
        found = tune(tmp_path / "s", method=method, trials=4 if method == "bayesian" else None)
        planned = {"hyperband": 10, "bayesian": 4, "random": oracles.TRIALS}
        assert len(found.trials) == found.planned == planned[method]
        assert found == SearchResult.read(tmp_path / "s")
        assert found.to_plain() == json.loads((tmp_path / "s" / "trials.json").read_text())
        scores = {trial.trial: trial.validation_accuracy for trial in found.trials}
        assert scores[found.best] == max(scores.values())
        best = results.best(tmp_path / "s")
        assert best.validation_accuracy == max(scores.values()) == accuracy(tuning.best_settings(tmp_path / "s"))
        assert (tmp_path / "s" / best.run / "recognizer.keras").exists()

    def test_only_the_best_trials_models_are_kept(self, tmp_path, played):
        tune(tmp_path, method="random", trials=5)
        (kept,) = {path.parent for path in tmp_path.rglob("*.keras")}
        assert str(kept.relative_to(tmp_path)) == results.best(tmp_path).run
        assert [path.parent for path in tmp_path.rglob("run.json")] == [kept]
        assert len(list(tmp_path.rglob("history"))) == 5

    def test_hyperband_takes_the_better_ones_further(self, tmp_path, played):
        found = tune(tmp_path, method="hyperband")
        # Five trials with a part of the epochs, the best two of them again with all, and three more with all at once.
        by_epochs = [(trial.epochs, trial.recognizer_epochs) for trial in found.trials]
        assert by_epochs == [(1, 2)] * 5 + [(2, 4)] * 5
        first = sorted(found.trials[:5], key=lambda trial: trial.validation_accuracy, reverse=True)
        assert [trial.varied for trial in found.trials[5:7]] == [trial.varied for trial in first[:2]]

    @pytest.mark.slow
    def test_a_bayesian_search_comes_nearer_than_a_random_one(self, tmp_path, played):
        best = {
            method: tune(tmp_path / method, ("learning_rate=1e-6:1",), method=method, trials=7).trials[-3:]
            for method in ("bayesian", "random")
        }
        misses = {
            method: np.mean([abs(math.log10(trial.varied["learning_rate"]) + 3) for trial in trials])
            for method, trials in best.items()
        }
        assert misses["bayesian"] < misses["random"]

    def test_a_seed_repeats_and_zero_is_one(self, tmp_path, played):
        first, again = (tune(tmp_path / name, method="random", trials=4) for name in "ab")
        assert outcome(first) == outcome(again)
        other = tuning.tune(settings(seed=1), tmp_path / "c", SEARCH, method="random", trials=4)
        assert outcome(other) != outcome(first)

    def test_more_trials_may_be_asked_for_later(self, tmp_path, played):
        few = tune(tmp_path, method="random", trials=3)
        more = tune(tmp_path, method="random", trials=5)
        assert outcome(more)[:3] == outcome(few)
        assert len((tmp_path / "trainings.txt").read_text().split()) == 5

    def test_it_says_how_far_it_is(self, tmp_path, played, capsys):
        tune(tmp_path, method="random", trials=2)
        out, err = capsys.readouterr()
        assert out == ""
        assert re.search(r"^trial 1: \d\d\.\d %; best \d\d\.\d % \(trial [01]\); 2 of 2 done$", err, re.MULTILINE)

    def test_the_table_has_the_best_first(self, tmp_path, played):
        def fail(asked, out):
            if out.parent.name == "trial_01":
                raise ValueError("no window")

        played(fail)
        found = tune(tmp_path, method="random", trials=22)
        console = Console(width=160, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
        console.print(tuning.table(found))
        console.file.close()
        lines = console.export_text().splitlines()
        assert "22 of 22 trials, the best 20 of them" in lines[0]
        shown = [line.split() for line in lines if re.match(r" +\d\d ", line)]
        assert shown[0][0] == found.best
        assert [float(line[1]) for line in shown] == sorted((float(line[1]) for line in shown), reverse=True)
        assert len(shown) == 20
        few = tuning.table(dataclasses.replace(found, trials=found.trials[:3]))
        assert few.rows[-1][1].text == "failed"


class TestFailures:
    def test_a_trial_that_fails_is_noted_and_the_next_is_made(self, tmp_path, played, capsys):
        def fail(asked, out):
            if asked.frames == 6:
                raise ValueError("split train: expected walks of at least\n6 frames, found none.")

        played(fail)
        found = tune(tmp_path, ("frames=6,5", "units=8,16"), method="random", trials=4)
        assert [trial.failure is not None for trial in found.trials] == [
            trial.varied["frames"] == 6 for trial in found.trials
        ]
        failed = [trial for trial in found.trials if trial.failure]
        assert {trial.failure for trial in failed} == {"split train: expected walks of at least 6 frames, found none."}
        assert "failed: split train" in capsys.readouterr().err
        assert all(list((tmp_path / "search" / f"trial_{trial.trial}").glob("*/*")) == [] for trial in failed)

    def test_hyperband_ends_though_trials_fail(self, tmp_path, played):
        calls = itertools.count()

        def fail(asked, out):
            if next(calls) % 3 == 1:
                raise ValueError("nothing works")

        played(fail)
        found = tune(tmp_path, method="hyperband")
        assert len([trial for trial in found.trials if trial.failure]) >= 2
        assert max(trial.epochs for trial in found.trials if not trial.failure) == TINY.epochs

    def test_three_in_a_row_end_it_until_it_is_tried_again(self, tmp_path, played):
        def fail(asked, out):
            raise ValueError("nothing works")

        played(fail)
        with pytest.raises(RuntimeError, match="3 trials in a row failed, the last one: nothing works"):
            tune(tmp_path, method="random", trials=8)
        played()
        found = tune(tmp_path, method="random", trials=8)
        assert [trial.status for trial in found.trials] == ["failed"] * 3 + ["completed"] * 5

    def test_a_full_disk_ends_it_at_once_and_it_is_taken_up(self, tmp_path, played):
        def fail(asked, out):
            raise OSError(28, "No space left on device")

        played(fail)
        with pytest.raises(OSError, match="No space left on device"):
            tune(tmp_path, method="random", trials=2)
        played()
        found = tune(tmp_path, method="random", trials=2)
        assert [trial.status for trial in found.trials] == ["completed"] * 2

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"method": "grid"}, "method: expected one of hyperband, bayesian, random, received 'grid'"),
            ({"trials": 0}, "trials: expected at least 1, received 0"),
            ({"sweeps": 0}, "sweeps: expected at least 1, received 0"),
            ({"patience": 0}, "patience: expected more than 0 seconds, received 0"),
            ({"what": ("units=8,16",)}, "search: expected at least 8 combinations, as many as Hyperband draws"),
        ],
    )
    def test_mistakes_are_refused_and_leave_nothing(self, tmp_path, played, options, message):
        with pytest.raises(ValueError, match=message):
            tune(tmp_path / "s", **options)
        assert list(tmp_path.iterdir()) == []

    def test_folders_of_something_else_are_refused(self, tmp_path, played):
        (tmp_path / "holiday.jpg").write_bytes(b"")
        with pytest.raises(ValueError, match="expected a new or empty folder, or a search to resume"):
            tune(tmp_path)
        (tmp_path / "tuning.json").write_text("{")
        with pytest.raises(ValueError, match=r"tuning\.json: expected JSON"):
            tune(tmp_path)

    def test_another_search_is_refused_by_name(self, tmp_path, played):
        tune(tmp_path, method="random", trials=1)
        with pytest.raises(ValueError, match="holds another search: method 'random', not 'bayesian'"):
            tune(tmp_path, method="bayesian")
        with pytest.raises(ValueError, match="holds another search: seed 0, not 4"):
            tuning.tune(settings(seed=4), tmp_path, SEARCH, method="random")
        with pytest.raises(
            ValueError, match=r"holds another search: search \['units=8,16,32,64', .*\], not \['units=8'\]"
        ):
            tune(tmp_path, ("units=8",), method="random")

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (None, r"expected a search's folder with best\.json, found none"),
            ("{", "expected JSON"),
            ("3", "expected an object, found 3"),
            ('{"format": 9}', "expected format 3, as this version of agegait writes, found 9"),
        ],
    )
    def test_folders_without_a_best_trial(self, tmp_path, content, message):
        if content is not None:
            (tmp_path / "best.json").write_text(content)
        with pytest.raises(ValueError, match=message):
            tuning.best_settings(tmp_path)


class Killed(BaseException):
    """Ends a search as a signal does: nothing catches it."""


@pytest.mark.slow
@pytest.mark.parametrize("method", tuning.METHODS)
def test_a_search_killed_at_any_write_ends_as_one_that_never_was(tmp_path, played, monkeypatch, method):
    trials = 4 if method == "bayesian" else 6
    whole = tune(tmp_path / "whole", method=method, trials=trials)
    left = 0

    def dying(path, text):
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed
        write_text(path, text)

    monkeypatch.setattr("agegait.storage.records.write_text", dying)
    for step in itertools.count(1):  # first at the first write, then at the second after that, and so on
        left = step
        with contextlib.suppress(Killed):
            found = tune(tmp_path / "killed", method=method, trials=trials)
            break
    assert step > 5
    assert outcome(found) == outcome(whole)
    assert results.best(tmp_path / "killed") == results.best(tmp_path / "whole")
    kept = sorted(path.relative_to(tmp_path / "killed") for path in (tmp_path / "killed").rglob("*.keras"))
    assert kept == sorted(path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole").rglob("*.keras"))


@pytest.fixture
def environment(monkeypatch):
    """Sets keras-tuner's variables, with a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])

    def start(name):
        variables = dict(zip(chief.VARIABLES, (name, "127.0.0.1", port), strict=True))
        for variable, value in variables.items():
            monkeypatch.setenv(variable, value)
        return {**os.environ, **variables}

    return start


class TestRoles:
    def test_by_the_environment(self, environment, monkeypatch):
        assert chief.role() == "alone"
        environment("chief")
        assert chief.role() == "chief"
        environment("worker-1")
        assert chief.role() == "worker"
        for name in chief.VARIABLES[1:]:
            monkeypatch.delenv(name)
        assert chief.role() == "alone"

    @pytest.mark.parametrize("missing", chief.VARIABLES)
    def test_a_variable_that_is_missing_is_named(self, environment, monkeypatch, missing):
        environment("chief")
        monkeypatch.delenv(missing)
        with pytest.raises(ValueError, match=f"^{missing}: expected beside KERASTUNER_"):
            chief.role()

    @pytest.mark.parametrize("name", ["", "..", "a/b", "chief/.."])
    def test_names_that_are_no_folders_are_refused(self, environment, name):
        environment(name)
        with pytest.raises(ValueError, match="KERASTUNER_TUNER_ID: expected a name of letters, digits"):
            chief.role()


class TestChief:
    """A chief on a real socket, asked by keras-tuner's own client in the place of workers."""

    PATIENCE = 1.0

    @pytest.fixture
    def workers(self, environment, tmp_path):
        """Asks a chief that serves in a thread of its own; after that, how the chief ended."""
        environment("chief")
        found = space(*SEARCH)
        oracle = oracles.oracle("random", found, trials=2, patience=self.PATIENCE)
        tuner = RunTuner(oracle, found, tmp_path, training.train)
        tuner.save()
        with ThreadPoolExecutor(1) as threads:
            self.ended = threads.submit(chief.serve, oracle, 2 * self.PATIENCE)
            self.oracle = oracle
            yield oracle_client.OracleClient(oracle)

    def end(self, client, trial, score=0.5):
        client.update_trial(trial.trial_id, {oracles.OBJECTIVE.name: score})
        trial.status = "COMPLETED"
        client.end_trial(trial)

    def end_all(self, client):
        """Lets the chief end at once, for tests of something else."""
        for worker in "ab":
            self.end(client, client.create_trial(worker))
        for worker in "ab":
            client.create_trial(worker)

    def test_it_ends_when_each_worker_knows(self, workers):
        first, second = workers.create_trial("a"), workers.create_trial("b")
        assert first.trial_id != second.trial_id
        self.end(workers, second)
        assert workers.create_trial("b").status == "STOPPED"
        time.sleep(0.3)
        assert not self.ended.done()
        self.end(workers, first)
        assert workers.create_trial("a").status == "STOPPED"
        assert self.ended.result(timeout=10) is None

    def test_a_worker_started_again_has_its_trial(self, workers):
        assert (
            workers.create_trial("a").trial_id
            == workers.create_trial("a").trial_id
            != workers.create_trial("b").trial_id
        )
        self.end_all(workers)

    def test_a_silent_workers_trial_goes_to_another(self, workers):
        lost = workers.create_trial("a")
        self.end(workers, workers.create_trial("b"))
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            time.sleep(0.1)
            taken_over = workers.create_trial("b")
            if taken_over.status == "RUNNING":
                break
            assert taken_over.status == "STOPPED"  # no more trials, as it looks
        assert taken_over.trial_id == lost.trial_id
        assert taken_over.hyperparameters.values == lost.hyperparameters.values
        self.end(workers, taken_over)
        assert workers.create_trial("b").status == "STOPPED"
        assert self.ended.result(timeout=10) is None

    def test_a_worker_that_gives_signs_of_life_keeps_its_trial(self, workers):
        slow = workers.create_trial("a")
        for _ in range(15):
            time.sleep(self.PATIENCE / 10)
            workers.get_trial(slow.trial_id)
        self.end(workers, workers.create_trial("b"))
        assert workers.create_trial("b").status == "STOPPED"
        self.end(workers, slow)
        assert workers.create_trial("a").status == "STOPPED"
        assert self.ended.result(timeout=10) is None

    def test_without_workers_it_gives_up(self, workers):
        self.end(workers, workers.create_trial("a"))
        workers.create_trial("a")
        with pytest.raises(RuntimeError, match=r"no worker was heard of for 2 seconds, with 1 of 2 trials done"):
            self.ended.result(timeout=20)

    def test_a_port_that_is_taken_is_refused(self, workers):
        workers.create_trial("a")
        with pytest.raises(RuntimeError, match="address"):
            chief.serve(self.oracle, self.PATIENCE)
        self.end_all(workers)


class TestWorker:
    def test_without_a_chief_it_gives_up_and_leaves_nothing(self, environment, tmp_path, played):
        environment("worker-1")
        with pytest.raises(RuntimeError, match=r"tuning\.json: expected from a chief with the same folder, found none"):
            tune(tmp_path / "s", method="random", patience=0.3)
        assert list(tmp_path.iterdir()) == []

    def test_when_its_chief_is_gone_it_gives_up(self, environment, tmp_path, played, monkeypatch):
        tune(tmp_path, method="random", trials=1)
        monkeypatch.setattr(oracle_client, "TIMEOUT", oracle_client.TIMEOUT)  # else it stays as the worker sets it
        environment("worker-1")
        with pytest.raises(RuntimeError, match=r"127\.0\.0\.1:\d+: expected a chief: Deadline Exceeded"):
            tune(tmp_path, method="random", patience=0.5)

    def test_another_search_than_its_chiefs_is_refused(self, environment, tmp_path, played):
        tune(tmp_path, method="random", trials=1)
        environment("worker-1")
        with pytest.raises(ValueError, match="holds another search"):
            tune(tmp_path, method="bayesian", patience=1)


# What follows trains in earnest.


@pytest.fixture(scope="module")
def walks(tmp_path_factory):
    """A folder of three walkers with two short walks each."""
    folder = tmp_path_factory.mktemp("walks")
    for person in range(3):
        (folder / str(person)).mkdir()
        for number in range(2):
            walk, _ = generator.walk(person, "a", number)
            np.save(folder / str(person) / f"{number}.npy", walk[:60])
    return str(folder)


@pytest.mark.slow
def test_windows_are_cut_once_for_each_number_of_frames(walks):
    dataset = datasets.load(walks)
    cached, normalization = CachedDataSet.of(dataset), SkeletonNormalization()
    for part, frames, stride in (("train", 4, 2), ("validation", 4, None), ("train", 5, 2)):
        first = cached.windows(part, normalization, frames, stride)
        assert cached.windows(part, normalization, frames, stride) is first
        for left, right in zip(first, dataset.windows(part, normalization, frames, stride), strict=True):
            np.testing.assert_array_equal(left, right)


def weights(run):
    return [*run.encoder.get_weights(), *run.recognizer.get_weights()]


@pytest.mark.slow
def test_the_best_trial_is_a_run_and_training_its_settings_gives_it_again(walks, tmp_path):
    tuning.tune(
        settings(dataset=walks, recipe=TRAINED),
        tmp_path / "search",
        ("units=4,8", "frames=4,5", "sigma=1:3"),
        method="random",
        trials=2,
        tensorboard=True,
    )
    assert len(list((tmp_path / "search").rglob("tensorboard/*/train/events.out.tfevents.*"))) == 4
    best = results.best(tmp_path / "search")
    kept = training.load_run(tmp_path / "search" / best.run)
    assert kept.settings == tuning.best_settings(tmp_path / "search")
    again = training.train(kept.settings, tmp_path / "again")
    assert again.record.trained["recognizer"].validation_accuracy == pytest.approx(best.validation_accuracy, abs=1e-6)
    for left, right in zip(weights(kept), weights(again), strict=True):
        np.testing.assert_array_equal(left, right)


PROCESS = """
import sys, time
import tuning_test as t

def trainer(*arguments):
    train = made(*arguments)
    def when_each_worker_has_a_trial(asked, out):
        while len(list(out.parent.parent.glob("trial_*"))) < 2:
            time.sleep(0.1)
        return train(asked, out)
    return when_each_worker_has_a_trial

made, t.search._trainer = t.search._trainer, trainer
settings = t.settings(dataset=sys.argv[1], frames=3, recipe=t.TRAINED)
print(t.tuning.tune(settings, sys.argv[2], ("units=4,8",), method="random", trials=2, patience=60))
"""


@pytest.mark.slow
def test_a_chief_and_two_workers(walks, tmp_path, environment):
    out = tmp_path / "search"

    def start(name):
        variables = {**environment(name), "PYTHONPATH": os.path.dirname(__file__), "TF_CPP_MIN_LOG_LEVEL": "3"}
        command = [sys.executable, "-c", PROCESS, walks, str(out)]
        return subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    processes = {name: start(name) for name in ("chief", "worker-1", "worker-2")}
    try:
        printed = {name: process.communicate(timeout=600) for name, process in processes.items()}
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
    codes = [process.returncode for process in processes.values()]
    assert codes == [0, 0, 0], "\n".join(map("".join, printed.values()))
    assert printed["worker-1"][0].strip() == "None"
    found = json.loads((out / "trials.json").read_text())
    assert [trial["status"] for trial in found["trials"]] == ["completed"] * 2
    assert sorted(trial["varied"]["units"] for trial in found["trials"]) == [4, 8]
    histories = {path.parent.name for path in (out / "search").glob("trial_*/*/history")}
    assert histories == {"worker-1", "worker-2"}
    best = results.best(out)
    kept = training.load_run(out / best.run)
    assert kept.record.trained["recognizer"].validation_accuracy == pytest.approx(best.validation_accuracy, abs=1e-6)
