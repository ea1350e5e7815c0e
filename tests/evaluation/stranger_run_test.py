"""A run that leaves people out of its training, and what its evaluation finds of them."""

import dataclasses
import json

import numpy as np
import pytest
from support.tiny_run import tiny_settings

from agegait import evaluation, training
from agegait.data import Walks, divide_persons
from agegait.evaluation import protocols, report
from agegait.training import stages


@pytest.fixture(scope="module")
def settings():
    recipe = dataclasses.replace(tiny_settings().recipe, window_recognizer_epochs=None, embedder_epochs=2)
    return tiny_settings(recipe=recipe, strangers=1)


@pytest.fixture(scope="module")
def dataset(settings, walkers_dir):
    return settings.load(walkers_dir)


@pytest.fixture(scope="module")
def run(settings, dataset, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "BATCHES_AN_EPOCH", 5)
        return training.train_on(dataset, settings, tmp_path_factory.mktemp("strangers") / "run")


@pytest.fixture(scope="module")
def observed(run, dataset):
    seen = report.Observations(run)
    return evaluation.evaluate(run, observe=seen, dataset=dataset), seen


@pytest.mark.slow
def test_nobody_left_out_has_a_part_in_the_training(run, dataset, walkers_dir):
    everybody = tiny_settings().load(walkers_dir)
    division = divide_persons(everybody.persons, seed=1)
    assert set(run.persons) == set(division.training)
    assert set(dataset.strangers.persons) == set(division.tested)
    assert set(dataset.choosing.persons) == set(division.validation)
    names, persons = everybody.whole_walks().names, everybody.whole_walks().persons
    person_of = dict(zip(names.tolist(), persons.tolist(), strict=True))
    assert {person_of[walk] for walk in run.split} == set(division.training)


def test_labels_count_the_people_who_are_left(dataset, walkers_dir):
    everybody = tiny_settings().load(walkers_dir).whole_walks("test")
    left = Walks.from_dataset(dataset.walks("test"))
    names = np.array(dataset.persons)[left.persons]
    expected = dict(zip(everybody.names.tolist(), everybody.persons.tolist(), strict=True))
    assert names.tolist() == [expected[walk] for walk in left.names.tolist()]


@pytest.mark.slow
def test_the_embedder_is_one_of_the_runs_models(run, settings, dataset):
    assert run.has("embedder")
    file = run.folder / "embedder.keras"
    assert file.stat().st_mode & 0o077 == 0
    written = file.stat().st_mtime_ns
    training.train_on(dataset, settings, run.folder)
    assert file.stat().st_mtime_ns == written  # it is done
    assert run.embedder.embed(dataset.strangers.whole_walks("test").skeletons).shape[1] == run.embedder.embedding_size
    rate = run.embedder.get_config()["frame_rate"]
    assert rate == dataset.frame_rate == 30


@pytest.mark.slow
def test_the_same_training_again_gives_the_same_embedder(run, settings, dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(stages, "BATCHES_AN_EPOCH", 5)
    again, *_ = training.begin(dataset, settings, tmp_path / "again")
    training.train_embedder(again, dataset)
    for one, other in zip(again.embedder.get_weights(), run.embedder.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_what_is_found_is_what_the_protocol_finds(run, dataset, observed):
    found, _ = observed
    walks = dataset.strangers.whole_walks()
    expected = protocols.recognize_strangers([(walks, run.embedder.embed)], seconds=(1, 2))
    got = [result for result in found["tests"]["strangers"] if result["method"] == "embedder"]
    assert len(got) == 6  # whole walks, and clips of 1 and 2 seconds; some walks have no 4 seconds
    for one, other in zip(got, expected, strict=True):
        assert one["rank"] == other.rank
        assert one["equal_error_rate"] == other.equal_error_rate
        assert (one["probe"], one["gallery"]) == (other.probe, other.gallery)
    ages = [result for result in found["tests"]["strangers"] if result["method"] == "AGE"]
    assert len(ages) == 6
    written = json.loads((run.folder / "evaluation.json").read_text())
    assert len(written["tests"]["strangers"]) == 12


@pytest.mark.slow
def test_walks_of_people_trained_on_are_recognised_by_the_nearest_walk(run, dataset, observed):
    found, _ = observed
    (result,) = [one for one in found["tests"]["test"] if one["method"] == "embedder"]
    gallery, probes = (Walks.from_dataset(dataset.walks(part)) for part in ("train", "test"))
    cosines = run.embedder.embed(probes.skeletons) @ run.embedder.embed(gallery.skeletons).T
    nearest = gallery.persons[cosines.argmax(axis=1)]
    assert result["rank"][1] == np.mean(nearest == probes.persons)


@pytest.mark.slow
def test_the_report_shows_them(run, observed):
    found, seen = observed
    page = report.write(run, found, seen).read_text()
    assert "People who were left out of the training" in page
    assert page.count("DET: strangers, walks, gallery of") == 2
    (table,) = [one for one in evaluation.tables(found) if one.title.startswith("strangers")]
    assert [column.heading for column in table.columns[:3]] == ["method", "probe", "gallery"]
    assert "resamples of the people" in table.caption


@pytest.mark.slow
def test_results_of_before_are_kept_beside_them(run, dataset, observed):
    before = json.loads((run.folder / "evaluation.json").read_text())
    before["tests"]["strangers"].append({**before["tests"]["strangers"][0], "method": "another"})
    (run.folder / "evaluation.json").write_text(json.dumps(before))
    found = evaluation.evaluate(run, dataset=dataset)
    assert "another" in {result["method"] for result in found["tests"]["strangers"]}


def test_a_run_without_an_embedder_has_none(tiny_run):
    assert training.load_run(tiny_run).embedder is None


def test_too_few_people_to_leave_some_out(tmp_path):
    with pytest.raises(ValueError, match="strangers: expected at least 0 or none, received -1"):
        tiny_settings(strangers=-1)
    for person in ("anna", "ben"):
        for number in range(3):
            path = tmp_path / person / f"{number}.npy"
            path.parent.mkdir(exist_ok=True)
            np.save(path, np.random.default_rng(number + len(person)).normal(size=(12, 20, 3)))
    with pytest.raises(ValueError, match="strangers: persons: expected at least two people to train on"):
        tiny_settings(str(tmp_path), strangers=0).load(check_limbs=False)
