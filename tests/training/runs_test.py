"""Training runs on the built-in walkers, small: what they leave, how they resume, what they refuse."""

import dataclasses
import json
import os
import signal
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from support import forked
from support.tiny_run import tiny_settings

from agegait import datasets, evaluation, training

TINY = tiny_settings().recipe
TRAININGS = ("encoder", "recognizer")


@pytest.fixture(scope="module")
def data_dir(walkers_dir):
    return walkers_dir


settings = tiny_settings


@pytest.fixture(scope="module")
def finished(tiny_run):
    return training.load_run(tiny_run)


def weights(folder):
    return [
        weight.numpy() for name in TRAININGS for weight in keras.models.load_model(folder / f"{name}.keras").weights
    ]


def assert_equal_models(folder, other):
    for left, right in zip(weights(folder), weights(other), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_run_says_what_it_was_made_of(finished):
    record = json.loads((finished.folder / "run.json").read_text())
    assert record["settings"] == dataclasses.asdict(settings())
    assert len(record["data"]["persons"]) == 20
    split = record["data"]["split"]
    assert (len(split["train"]), len(split["validation"])) == (80, 20)
    assert not set(split["train"]) & set(split["validation"])
    assert set(record["versions"]) >= {"agegait", "keras", "tensorflow", "numpy", "python"}
    assert record["trained"]["encoder"]["epochs"] == 2
    assert 1 <= record["trained"]["recognizer"]["chosen_epoch"] <= 3
    assert sorted(path.name for path in finished.folder.iterdir()) == [
        "encoder.keras",
        "history",
        "recognizer.keras",
        "run.json",
    ]


def test_windows_to_train_on_are_cut_and_mirrored_as_the_recipe_has_it(finished, data_dir, tmp_path):
    dataset = settings().load(data_dir)
    plain = finished.settings.training_windows(dataset, finished.normalization)
    assert len(plain.persons) == finished.record.data.split.windows["train"]
    asked = settings(recipe=dataclasses.replace(TINY, stride=2, mirror=True))
    run, windows, validation = training.begin(dataset, asked, tmp_path / "run")
    overlapping = run.windows(dataset, "train", 2)
    for found, expected in zip(windows, overlapping.with_mirrored(), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert len(overlapping.persons) > 1.8 * len(plain.persons)
    np.testing.assert_array_equal(validation.skeletons, run.windows(dataset, "validation").skeletons)


def test_the_recognizer_kept_is_that_of_the_best_validation_epoch(finished, data_dir):
    table = (finished.folder / "history" / "recognizer.csv").read_text().splitlines()
    column = table[0].split(",").index("val_accuracy")
    accuracies = [float(row.split(",")[column]) for row in table[1:]]
    reached = finished.record.trained["recognizer"]
    assert reached.validation_accuracy == max(accuracies)
    assert reached.chosen_epoch == accuracies.index(max(accuracies)) + 1
    validation = finished.windows(settings().load(data_dir), "validation")
    named = finished.recognizer.predict(finished.features(validation, "AGEs"), verbose=0).argmax(axis=1)
    assert np.mean(named == validation.persons) == pytest.approx(max(accuracies), abs=2e-3)


def test_models_are_saved_without_the_optimizers_state(finished):
    encoder = keras.models.load_model(finished.folder / "encoder.keras")
    assert (finished.folder / "encoder.keras").stat().st_size < 4 * 1.5 * encoder.count_params() + 200_000


@pytest.mark.slow
def test_what_was_trained_in_bfloat16_is_kept_and_used_in_float32(finished, data_dir, tmp_path):
    asked = settings(precision="mixed_bfloat16")
    run = training.train(asked, tmp_path / "run", data_dir)
    losses = [reached.folder.joinpath("history", "encoder.csv").read_text() for reached in (finished, run)]
    assert losses[0] != losses[1]
    for name in TRAININGS:
        model = run.load_model(name)
        assert {layer.dtype_policy.name for layer in [model, *model._flatten_layers()]} == {"float32"}
    windows = run.windows(settings().load(data_dir), "validation")
    ages = run.features(windows, "AGEs")
    assert len(np.unique(ages)) > 2**16  # more than all numbers of bfloat16


@pytest.mark.slow
def test_a_seed_repeats_exactly(finished, data_dir, tmp_path):
    again = training.train(settings(), tmp_path / "again", data_dir)
    assert_equal_models(finished.folder, again.folder)
    other, *windows = training.begin(settings().load(data_dir), settings(seed=1), tmp_path / "other")
    training.train_encoder(other, *windows)
    assert not np.array_equal(other.encoder.get_weights()[0], weights(again.folder)[0])


@pytest.mark.slow
def test_a_training_killed_in_each_stage_resumes_to_the_same_models(finished, data_dir, tmp_path):
    out = tmp_path / "run"
    code = "import sys, support.tiny_run as t; t.training.train(t.tiny_settings(), sys.argv[1], sys.argv[2])"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", code, str(out), str(data_dir)]
    for stage in TRAININGS:
        with forked.Popen(command, env=environment, stderr=forked.DEVNULL) as process:
            deadline = time.monotonic() + 600  # of a busy machine
            while not list((out / "checkpoints").glob(f"{stage}-*")):
                assert process.poll() is None, f"it ended before it could be killed in {stage}"
                if time.monotonic() > deadline:
                    process.kill()
                    pytest.fail(f"no checkpoint of {stage}")
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
        assert stage not in training.load_run(out).record.trained
        with pytest.raises(ValueError, match="the training has not come to its end"):
            _ = training.load_run(out).identifier
    resumed = training.train(settings(), out, data_dir)
    assert_equal_models(finished.folder, resumed.folder)
    for name in TRAININGS:
        table = f"history/{name}.csv"
        assert (resumed.folder / table).read_text() == (finished.folder / table).read_text()


def test_a_run_on_what_is_no_body_by_choice_takes_probes_as_they_come(finished):
    assert finished.record.data.bodies
    assert training.load_run(finished.folder).identifier.check_body
    other = training.load_run(finished.folder)
    other.record.data.bodies = False  # `--no-limb-check`, on a folder that has faults
    assert not other.identifier.check_body


@pytest.mark.slow
def test_a_finished_run_is_loaded_as_one_model(finished, data_dir):
    run = training.load_run(finished.folder)
    test = next(iter(datasets.builder("walkers", data_dir).as_dataset(split="test").as_numpy_iterator()))
    (found,) = run.identifier.identify(test["skeleton"])
    assert 0 < found.score <= 1
    nobody, _ = run.identifier.identify([1000 * test["skeleton"], test["skeleton"]])
    assert (nobody.person, nobody.score) == (None, 0)
    windows = run.windows(settings().load(data_dir), "test")
    logits = run.recognizer.predict(run.features(windows, "AGEs"), verbose=0)
    own = windows.walks == test["walk"].decode()
    assert found.person == run.persons[logits[own].mean(axis=0).argmax()]


def test_other_settings_are_refused_by_name(finished, data_dir):
    with pytest.raises(ValueError, match=r"holds a run of other settings: attention 'LA', not 'BA'"):
        training.train(settings(attention="BA"), finished.folder, data_dir)
    recipe = dataclasses.replace(TINY, epochs=5)
    with pytest.raises(ValueError, match=r"other settings: epochs 2, not 5"):
        training.train(settings(recipe=recipe), finished.folder, data_dir)


def test_folders_that_are_no_runs_are_refused(finished, data_dir, tmp_path):
    with pytest.raises(ValueError, match=r"expected a run's folder with run\.json, found none"):
        training.load_run(tmp_path)
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match="expected a new or empty folder, or a run to resume"):
        training.train(settings(), tmp_path, data_dir)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(ValueError, match="expected JSON"):
        training.load_run(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps({**finished.manifest(), "format": 99}))
    with pytest.raises(ValueError, match=r"expected format 4, .* found 99, written by agegait 0\.1\.0\."):
        training.load_run(tmp_path)


def test_settings_do_not_look_at_the_disk_and_training_does(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = settings(dataset="casia")
    assert asked.dataset == str(tmp_path / "casia")
    assert settings(dataset="KGBD").dataset == "kgbd"
    with pytest.raises(
        ValueError, match="dataset: expected one of biwi, ias, kgbd, walkers, or a folder of walks, rec"
    ):
        training.train(asked, tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"precision": "float8"}, "precision: expected one of float32, mixed_bfloat16, received 'float8'"),
        ({"frames": 1}, "frames: expected at least 2, received 1"),
        ({"attention": "XA"}, "attention: expected one of LA, BA, MBAS, received 'XA'"),
        ({"manner": "xx"}, "manner: expected one of ap, sc, received 'xx'"),
        ({"feed": "soup"}, "feed: expected one of zeros, previous, target, received 'soup'"),
        ({"direction": "up"}, "direction: expected one of reverse, forward, received 'up'"),
        ({"features": "pixels"}, "features: expected one of ages, states, received 'pixels'"),
    ],
)
def test_settings_that_make_no_sense_are_refused_before_anything_is_done(changes, message):
    with pytest.raises(ValueError, match=message):
        settings(**changes)


@pytest.mark.slow
def test_what_the_paper_compares_with_is_trained_and_evaluated(data_dir, tmp_path):
    asked = settings(
        attention="MBAS",
        direction="forward",
        features="states",
        recipe=dataclasses.replace(TINY, epochs=1),
    )
    run = training.load_run(training.train(asked, tmp_path / "run", data_dir).folder)
    assert run.settings == asked
    assert (run.encoder.attention, run.encoder.direction) == ("MBAS", "forward")
    windows = run.windows(asked.load(data_dir), "test")
    features = run.features(windows, "features")
    np.testing.assert_array_equal(features, run.encoder.states(windows.skeletons, batch_size=512, verbose=0))
    found = evaluation.evaluate(run, data_dir).tests["test"][0].figures
    assert found.rank[1] > 0.1
    logits = run.recognizer.predict(features, verbose=0)
    assert found.rank[1] == pytest.approx(np.mean(logits.argmax(axis=1) == windows.persons), abs=1e-3)
    with pytest.raises(ValueError, match="expected a run of features 'ages', found 'states'"):
        _ = run.identifier


def test_published_names_of_data_sets_are_taken():
    assert settings(dataset="Walkers").dataset == "walkers"


@pytest.mark.slow
@pytest.mark.parametrize("manner", ["ap", "sc"])
def test_evaluation_has_every_protocol_and_is_written(data_dir, tmp_path, finished, manner):
    run = finished if manner == "ap" else training.train(settings(manner="sc"), tmp_path / "sc", data_dir)
    found = evaluation.evaluate(run, data_dir, baselines=("mlp", "mlp-distances") if manner == "ap" else ())
    written = json.loads((run.folder / "evaluation.json").read_text())
    assert set(found.tests) == set(written["tests"]) == {"test", "test_b"}
    kinds = [(result["method"], result["protocol"], result["of"]) for result in written["tests"]["test"]]
    methods = ("AGE", "raw MLP", "raw MLP with distances") if manner == "ap" else ("AGE",)
    expected = [(method, "closed-set recognition", of) for method in methods for of in ("windows", "walks")]
    others = ("retrieval", "verification", "open-set identification")
    assert kinds == [*expected, *(("AGE", protocol, "walks") for protocol in others)]
    windows, walks = written["tests"]["test"][:2]
    assert walks["samples"] == 20
    assert windows["samples"] > 400
    # Far above chance, 5 %, though tiny and hardly trained.
    assert windows["rank"]["1"] > 0.1
    assert windows["rank"]["1"] <= windows["rank"]["5"] <= windows["rank"]["10"]
    test = run.windows(settings().load(data_dir), "test")
    logits = run.recognizer.predict(run.features(test, "AGEs"), verbose=0)
    assert np.mean(logits.argmax(axis=1) == test.persons) == pytest.approx(windows["rank"]["1"], abs=2e-3)
    assert evaluation.Evaluation.read(run.folder) == found
    assert len(evaluation.tables(found)) == 4


@pytest.mark.slow
def test_walks_are_searched_for_by_what_the_recognizer_makes_of_ages_without_labels(data_dir, finished):
    dataset = finished.settings.load(data_dir)
    walks = []
    for windows in (finished.windows(dataset, "train", finished.settings.frames), finished.windows(dataset, "test")):
        embedded = finished.recognizer.embed(finished.features(windows, "AGEs"))
        own = [np.flatnonzero(windows.walks == walk) for walk in np.unique(windows.walks)]
        walks.append(
            (np.stack([embedded[rows].mean(axis=0) for rows in own]), [windows.persons[rows[0]] for rows in own])
        )
    gallery, probes = walks
    nearest = make_pipeline(StandardScaler(), KNeighborsClassifier(1)).fit(*gallery)
    (found,) = (
        result.figures
        for result in evaluation.evaluate(finished, data_dir).tests["test"]
        if result.protocol == "retrieval"
    )
    assert found.rank[1] == pytest.approx(nearest.score(*probes))
    assert 0.1 < found.rank[1] < 1
