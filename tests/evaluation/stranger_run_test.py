"""A run that leaves people out of its training, and what its evaluation finds of them."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from support.tiny_run import WORDS, tiny_settings

import agegait
from agegait import cli, evaluation, training
from agegait.data import Walks, divide_persons
from agegait.evaluation import protocols, report
from agegait.gallery import Calibration
from agegait.storage.records import from_record
from agegait.training import stages
from tfds_builders.walkers import generator


@pytest.fixture(scope="module")
def settings():
    recipe = dataclasses.replace(tiny_settings().recipe, embedder_epochs=2)
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
    assert (run.folder / "embedding_recognizer.keras").stat().st_mode & 0o077 == 0
    file = run.folder / "embedder.keras"
    assert file.stat().st_mode & 0o077 == 0
    written = file.stat().st_mtime_ns
    training.train_on(dataset, settings, run.folder)
    assert file.stat().st_mtime_ns == written  # it is done
    assert run.embedder.embed(dataset.strangers.whole_walks("test").skeletons).shape[1] == run.embedder.embedding_size
    rate = run.embedder.get_config()["frame_rate"]
    assert rate == dataset.frame_rate == 30


@pytest.mark.slow
def test_what_is_found_is_what_the_protocol_finds(run, dataset, observed):
    found, _ = observed
    walks = dataset.strangers.whole_walks()
    expected = protocols.recognize_strangers([(walks, run.embedder.embed)], seconds=(1, 2))
    got = [result for result in found.tests["strangers"] if result.method == "embedder"]
    assert len(got) == 6  # whole walks, and clips of 1 and 2 seconds; some walks have no 4 seconds
    for one, other in zip(got, expected, strict=True):
        assert one.figures.rank == other.rank
        assert one.figures.equal_error_rate == other.equal_error_rate
        assert (one.figures.probe, one.figures.gallery) == (other.probe, other.gallery)
    ages = [result for result in found.tests["strangers"] if result.method == "AGE"]
    assert len(ages) == 6
    written = json.loads((run.folder / "evaluation.json").read_text())
    assert len(written["tests"]["strangers"]) == 12


@pytest.mark.slow
def test_walks_of_people_trained_on_are_recognised_by_the_nearest_mean(run, dataset, observed):
    found, _ = observed
    result = rank_1(found, "embedder", "walks")
    gallery, probes = (Walks.from_dataset(dataset.walks(part)) for part in ("train", "test"))
    embedded = run.embedder.embed(gallery.skeletons)
    means = np.stack([embedded[gallery.persons == person].mean(axis=0) for person in range(len(run.persons))])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    nearest = (run.embedder.embed(probes.skeletons) @ means.T).argmax(axis=1)
    assert result == np.mean(nearest == probes.persons)


def rank_1(found, method, of):
    (result,) = [
        one
        for one in found.tests["test"]
        if (one.method, one.protocol, one.of) == (method, "closed-set recognition", of)
    ]
    return result.figures.rank[1]


@pytest.mark.slow
def test_the_runs_answer_is_its_identifiers(run, dataset, observed):
    found, seen = observed
    identifier = training.load_run(run.folder).identifier
    assert identifier.embedder.fingerprint() == run.embedder.fingerprint()
    probes = Walks.from_dataset(dataset.walks("test"))
    answers = identifier.identify(probes.skeletons)
    own = [one.person == run.persons[person] for one, person in zip(answers, probes.persons, strict=True)]
    assert found.tests["test"][1].method == "AGE + embedder"
    assert rank_1(found, "AGE + embedder", "walks") == np.mean(own)
    windows = run.windows(dataset, "test")
    alone = identifier.predict(windows.skeletons, verbose=0)["logits"].argmax(axis=1)  # each window a walk
    assert rank_1(found, "AGE + embedder", "windows") == pytest.approx(np.mean(alone == windows.persons), abs=2e-3)
    assert "walks are identified rightly by AGE + embedder." in report.write(run, found, seen).read_text()


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
def test_single_windows_are_searched_for_by_the_embedder_too_and_results_of_before_kept(run, dataset, observed):
    before = json.loads((run.folder / "evaluation.json").read_text())
    before["tests"]["strangers"].append({**before["tests"]["strangers"][0], "method": "another"})
    (run.folder / "evaluation.json").write_text(json.dumps(before))
    found = evaluation.evaluate(run, search_windows=True, dataset=dataset)
    assert "another" in {result.method for result in found.tests["strangers"]}  # kept
    searched = [one for one in found.tests["test"] if (one.protocol, one.of) == ("retrieval", "windows")]
    (known,) = [one for one in searched if one.method == "embedder"]
    assert known.figures.samples == next(one.figures.samples for one in found.tests["test"] if one.of == "windows")
    (others,) = [one for one in found.tests["strangers"] if one.protocol == "window retrieval"]
    walks = dataset.strangers.whole_walks()
    expected = protocols.retrieve_stranger_windows(walks, run.embedder.embed, run.settings.frames)
    assert others.figures.rank == expected.rank
    assert (others.method, others.figures.people, others.figures.frames) == ("embedder", "open", run.settings.frames)
    (table,) = [one for one in evaluation.tables(found) if one.title.startswith("window retrieval")]
    assert [cell.text for cell in table.rows[0][:3]] == ["strangers", "embedder", "windows"]
    page = report.write(run, found, observed[1]).read_text()
    assert "window retrieval, in per cent" in page


@pytest.mark.slow
def test_a_run_with_enough_people_left_out_is_calibrated_and_exported(
    run, settings, dataset, walkers_dir, tmp_path, capsys
):
    assert run.calibration is None  # two people are too few
    calibrated = training.load_run(shutil.copytree(run.folder, tmp_path / "run"))
    others = [*dataset.strangers.persons, *dataset.choosing.persons]
    enough = dataclasses.replace(dataset, choosing=settings_of_all(settings).load(walkers_dir).of_persons(others))
    training.train_on(enough, settings, calibrated.folder)
    calibrated = training.load_run(calibrated.folder)
    assert calibrated.calibration == Calibration.measure(calibrated.embedder, enough.choosing.whole_walks())
    assert (calibrated.folder / "calibration.json").stat().st_mode & 0o077 == 0
    written = (calibrated.folder / "calibration.json").stat().st_mtime_ns
    training.train_on(enough, settings, calibrated.folder)
    assert (calibrated.folder / "calibration.json").stat().st_mtime_ns == written  # it is done

    served, walk = tmp_path / "served", tmp_path / "walk.npy"
    np.save(walk, generator.walk(0, "a", 0)[0])
    tmp_path.chmod(0o700)
    assert cli.main(["export", str(calibrated.folder), "--out", str(served)]) == 0
    options = ["--gallery", str(tmp_path / "gallery.db"), "--model"]
    assert cli.main(["enrol", "Anna", str(walk), "--consent", "form", *options, str(calibrated.folder)]) == 0
    capsys.readouterr()
    assert cli.main(["identify", str(walk), "--json", *options, str(served)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["person"], found["threshold"]["false_alarms"]) == ("Anna", 0.01)
    assert found["matches"][0]["distance"] == pytest.approx(0, abs=1e-4)
    new = ["--gallery", str(tmp_path / "new.db"), "--model", str(served)]
    assert cli.main(["enrol", "Anna", str(walk), "--consent", "form", *new]) == 0
    with agegait.Gallery.open(f"sqlite:///{tmp_path}/new.db") as gallery:
        assert gallery.calibration == calibrated.calibration
    assert cli.main(["adapt", str(served), "--dataset", "walkers", "--out", str(tmp_path / "x.keras")]) == 1
    assert "MODEL: expected a run's folder or a .keras file, received the export" in capsys.readouterr().err


def settings_of_all(settings):
    return dataclasses.replace(settings, strangers=None)


def test_a_share_of_the_people_is_left_out_to_calibrate_on(settings, walkers_dir):
    everybody = settings_of_all(settings).load(walkers_dir)
    half = dataclasses.replace(settings, strangers=None, calibration_share=0.5)
    dataset = half.load(walkers_dir)
    assert dataset.strangers is None
    assert len(dataset.choosing.persons) == len(dataset.persons) == 10
    assert sorted([*dataset.choosing.persons, *dataset.persons]) == sorted(everybody.persons)
    assert half.load(walkers_dir).persons == dataset.persons
    assert dataclasses.replace(half, seed=1).load(walkers_dir).persons != dataset.persons
    assert from_record(training.Settings, dataclasses.asdict(half)) == half
    with pytest.raises(ValueError, match=r"calibration_share: expected a share between 0 and 1, received 1\.5"):
        dataclasses.replace(half, calibration_share=1.5)
    with pytest.raises(ValueError, match="calibration_share: expected none with strangers"):
        dataclasses.replace(half, strangers=0)
    with pytest.raises(ValueError, match="calibration_share: persons: expected at least two people to train on"):
        dataclasses.replace(half, calibration_share=0.99).load(walkers_dir)


@pytest.mark.slow
def test_the_command_line_calibrates_on_a_share(run, walkers_dir, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(stages, "BATCHES_AN_EPOCH", 5)
    words = ["train", "--dataset", "walkers", "--data-dir", str(walkers_dir), *WORDS, "--embedder-epochs"]
    assert cli.main([*words, "1", "--out", str(tmp_path / "run"), "--calibration-share", "0.5"]) == 0
    assert capsys.readouterr().out.endswith("the embedder is calibrated on 10 people who were left out\n")
    calibrated = training.load_run(tmp_path / "run")
    assert calibrated.calibration.fingerprint == calibrated.embedder.fingerprint()
    assert len(calibrated.persons) == 10
    assert cli.main([*words, "2", "--out", str(run.folder), "--strangers", "1"]) == 0
    said = capsys.readouterr().out
    assert "no calibration of the embedder could be made: it needs 10 people who are left out" in said
    assert f"`agegait calibrate {run.folder} --dataset NAME` makes one" in said
    assert run.calibration is None


def test_a_run_without_an_embedder_has_none(tiny_run):
    assert training.load_run(tiny_run).embedder is None


def test_too_few_people_to_leave_some_out(tmp_path):
    with pytest.raises(ValueError, match="strangers: expected at least 0 or none, received -1"):
        tiny_settings(strangers=-1)
    for person in ("anna", "ben"):
        for number in range(3):
            path = tmp_path / person / f"{number}.npy"
            path.parent.mkdir(exist_ok=True)
            np.save(path, np.random.default_rng([number, len(person)]).normal(size=(12, 20, 3)))
    with pytest.raises(ValueError, match="strangers: persons: expected at least two people to train on"):
        tiny_settings(str(tmp_path), strangers=0).load(check_limbs=False)
