"""The commands of the gallery, on real files and a real database."""

import functools
import json
import re
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

import agegait
from agegait.cli import main
from tfds_builders.walkers import generator

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Walks of four walkers, and an embedder."""
    folder = tmp_path_factory.mktemp("gallery")
    for person in range(4):
        for number in range(3):
            np.save(folder / f"{person}_{number}.npy", generator.walk(person, "a", number)[0])
    np.save(folder / "short.npy", generator.walk(0, "a", 0)[0][:10])
    agegait.GaitEmbedder.from_preset("walkers").save(folder / "embedder.keras")
    return folder


@pytest.fixture
def gallery(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    tmp_path.chmod(0o700)
    return str(tmp_path / "gallery.db")


_load = functools.cache(agegait.GaitEmbedder.from_preset)


@pytest.fixture
def run(gallery, capsys, monkeypatch):
    """Runs a command with the gallery and the embedder; gives its status, results and messages."""
    monkeypatch.setattr(agegait.GaitEmbedder, "from_preset", _load)  # none of these commands changes what it loads

    def run(command, *words, model=True):
        options = ["--gallery", gallery, *(["--model", "embedder.keras"] if model else [])]
        status = main([command, *map(str, words), *options])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def enrolled(run, gallery, folder):
    kept = folder / "enrolled.db"  # of the first test that asked for it
    if not kept.exists():
        assert run("enrol", "Anna", "0_0.npy", "0_1.npy", "--consent", "form 1")[0] == 0
        assert run("enrol", "Ben", "1_0.npy", "--consent", "form 2", "--expires", "2090-12-31")[0] == 0
        assert not Path(f"{gallery}-wal").exists()
        shutil.copy2(gallery, kept)
    shutil.copy2(kept, gallery)


def distance(run, file):
    _, said, _ = run("identify", file, "--threshold", "2", "--json")
    return json.loads(said)["matches"][0]["distance"]


@pytest.mark.usefixtures("enrolled")
def test_walks_of_unknown_rates_are_told(run):
    assert (
        "0_2.npy: frame rate not known, taken as the model's 30 Hz; --frame-rate says it"
        in run("identify", "0_2.npy", "--threshold", "2")[2]
    )
    assert run("identify", "0_2.npy", "--threshold", "2", "--frame-rate", "30")[2] == ""


@pytest.mark.usefixtures("enrolled")
def test_who_is_enrolled_is_recognised_and_others_are_unknown(run):
    known, other = distance(run, "0_2.npy"), distance(run, "2_0.npy")
    assert known < other
    status, said, _ = run("identify", "0_2.npy", "2_0.npy", "--threshold", (known + other) / 2)
    assert status == 0
    first, second = said.splitlines()
    assert first.startswith("0_2.npy: Anna; distance 0.")
    assert second.startswith("2_0.npy: unknown; the nearest is ")


@pytest.mark.usefixtures("enrolled")
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_people_who_expire_on_the_last_day_that_there_is(run, gallery, monkeypatch, zone):
    with agegait.Gallery.open(f"sqlite:///{gallery}") as opened, opened._database.writes() as connection:
        connection.execute(sa.text("UPDATE gallery_person SET expires = '9999-12-31 23:59:59.999999'"))
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        status, said, _ = run("people", model=False)
        assert (status, said.count("9999-12-31")) == (0, 2)
        status, _, errors = run("enrol", "Ben", "1_0.npy", "--consent", "form", "--expires", "9999-12-31")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert status in (0, 1)
    assert status == 0 or "expires: expected a" in errors


@pytest.mark.usefixtures("enrolled")
def test_what_no_gallery_opens_is_said_in_options(run, gallery, capsys):
    assert main(["people", "--gallery", "mysql://user@host/gallery"]) == 1
    assert capsys.readouterr().err.startswith("agegait: --gallery: expected sqlite:///... or postgresql+psycopg://...")
    with agegait.Gallery.open(f"sqlite:///{gallery}") as opened, opened._database.writes() as connection:
        connection.execute(sa.text("UPDATE gallery SET fingerprint = 'another'"))
    status, said, errors = run("identify", "0_2.npy", "--threshold", "1")
    assert (status, said) == (1, "")
    assert "agegait: --model: expected the one that made this gallery's templates" in errors


@pytest.mark.usefixtures("enrolled")
def test_forgetting_for_scripts(run):
    status, said, _ = run("forget", "anna", "--yes", "--json", model=False)
    assert (status, json.loads(said)) == (0, {"person": "anna", "forgotten": True})
    assert len(said.splitlines()) == 1
    status, said, _ = run("forget", "Anna", "--yes", "--json", model=False)
    assert (status, said) == (1, "")


@pytest.mark.usefixtures("enrolled")
def test_people_are_listed(run):
    _, said, _ = run("people", model=False)
    assert [line.split()[:2] for line in said.splitlines() if line.strip()[:4].strip() in ("Anna", "Ben")] == [
        ["Anna", "2"],
        ["Ben", "1"],
    ]
    assert "2090-12-31" in said
    _, said, _ = run("people", "--json", model=False)
    assert [(one["person"], one["walks"], one["consent"]) for one in json.loads(said)] == [
        ("Anna", 2, "form 1"),
        ("Ben", 1, "form 2"),
    ]


@pytest.mark.usefixtures("enrolled")
def test_a_claim_is_accepted_or_refused(run):
    threshold = ("--threshold", distance(run, "0_2.npy") + 1e-4)
    status, said, _ = run("verify", "Anna", "0_2.npy", *threshold)
    assert (status, said.split(";")[0]) == (0, "0_2.npy: Anna, accepted")
    status, said, error = run("verify", "Anna", "0_2.npy", "3_0.npy", "--json", "--threshold", 1e-3)
    assert status == 1
    assert [json.loads(line)["accepted"] for line in said.splitlines()] == [False, False]
    assert "2 of 2 walks are not accepted as Anna's" in error


@pytest.mark.usefixtures("enrolled")
def test_who_is_forgotten_is_not_found_again(run):
    status, _, error = run("forget", "Anna", model=False)
    assert (status, "--yes: expected where no terminal can confirm" in error) == (1, True)
    status, said, _ = run("forget", "Anna", "--yes", model=False)
    assert (status, said) == (0, "Anna: forgotten. Backups of the gallery may hold them yet.\n")
    assert "Anna" not in run("people", model=False)[1]
    status, _, error = run("forget", "Anna", "--yes", model=False)
    assert (status, "expected somebody enrolled" in error) == (1, True)


@pytest.mark.usefixtures("enrolled")
def test_a_calibration_gives_the_threshold(run, walkers_dir, folder, capsys):
    status, _, error = run("identify", "0_2.npy")
    assert (status, "--threshold: expected, or a calibration" in error) == (1, True)
    status = main(["calibrate", "embedder.keras", "--dataset", "walkers", "--data-dir", str(walkers_dir)])
    said = capsys.readouterr().out
    assert (status, said.partition(". ")[0]) == (0, "written: embedder.calibration.json: calibrated on 20 people")
    assert re.search(r"expect \d+\.\d to \d+\.\d % with 10 enrolled and \d+\.\d to \d+\.\d % with 100 enrolled: ", said)
    assert main(["calibrate", "embedder.keras", "--dataset", "walkers", "--data-dir", str(walkers_dir), "--json"]) == 0
    written = json.loads(capsys.readouterr().out)
    assert (written["written"], written["people"]) == ("embedder.calibration.json", 20)
    assert all(each["range"][0] < each["false_alarms"] < each["range"][1] for each in written["ranges"])
    file = folder / "embedder.calibration.json"
    assert file.stat().st_mode & 0o077 == 0
    assert "walker" not in file.read_text()
    strict = json.loads(run("identify", "0_2.npy", "--json", "--false-alarms", "0.001")[1])["threshold"]
    loose = json.loads(run("identify", "0_2.npy", "--json", "--false-alarms", "0.5")[1])["threshold"]
    assert strict["distance"] < loose["distance"]
    assert loose["false_alarms"] == 0.5
    file.unlink()


def test_the_starters_own_thresholds_are_labelled(gallery, run, capsys):
    words = ["enrol", "Anna", "0_0.npy", "0_1.npy", "--consent", "form", "--gallery", gallery]
    assert main([*words, "--model", "walkers"]) == 0  # the preset's own name
    capsys.readouterr()
    for words in (["identify"], ["verify", "Anna", "--model", "starter"]):
        main([*words, "0_2.npy", "1_0.npy", "--gallery", gallery, "--json"])
        said = capsys.readouterr()
        assert said.err.count("the threshold is that of generated walkers: real people may come nearer") == 1
        for line in map(json.loads, said.out.splitlines()):
            assert line.get("generated") or line["threshold"]["generated"]
    assert main(["identify", "0_2.npy", "--gallery", gallery, "--threshold", "0.1"]) == 0
    assert "generated walkers" not in capsys.readouterr().err


@pytest.mark.usefixtures("enrolled")
def test_walks_that_are_not_good_enough_are_named(run):
    status, said, error = run("identify", "short.npy", "0_2.npy", "--threshold", "2")
    assert status == 1
    assert said.splitlines()[0] == "short.npy: not good enough: expected at least 30 frames, received 10"
    assert said.splitlines()[1].startswith("0_2.npy: Anna")
    assert "1 of 2 walks are not good enough, see above" in error
    status, _, error = run("enrol", "Carla", "2_0.npy", "short.npy", "--consent", "form 3")
    assert status == 1
    assert "nobody was enrolled:" in error
    assert "short.npy: expected at least 30 frames, received 10" in error
    assert "Carla" not in run("people", model=False)[1]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("identify", "0_0.npy"), "--gallery: expected a gallery, found no file"),
        (
            ("enrol", "Anna", "0_0.npy", "--consent", "x", "--expires", "soon"),
            "--expires: expected a day as 2030-12-31",
        ),
        (
            ("enrol", "Anna", "0_0.npy", "--consent", "x", "--expires", "0"),
            "--expires: expected a day to come, or a number of days from 1, received '0'.",
        ),
        (
            ("enrol", "Anna", "0_0.npy", "--consent", "x", "--expires", "2020-02-29"),
            "--expires: expected a day to come, or a number of days from 1, received '2020-02-29'.",
        ),
        (("enrol", "Anna", "0_0.npy", "--consent", " "), "--consent: expected a note of 1 to 10,000 characters"),
        (("identify", "0_0.npy", "--every", "3"), "--every: expected with --server or --model, received --gallery"),
    ],
)
def test_mistakes_are_named_by_their_options(run, words, expected):
    status, _, error = run(*words)
    assert status == 1
    assert expected in error


def test_an_empty_file_is_no_gallery(run, gallery):
    Path(gallery).touch()
    status, _, error = run("people", model=False)
    assert (status, f"--gallery: expected a gallery, found an empty file, {gallery}" in error) == (1, True)


def test_a_gallery_needs_no_server(run):
    status, _, error = run("identify", "0_0.npy", "--server", "a:1", model=False)
    assert (status, "--gallery: expected without --server, received both" in error) == (1, True)


def test_a_damaged_embedder_is_named(gallery, folder, tmp_path, capsys):
    damaged = tmp_path / "damaged.keras"
    damaged.write_bytes((folder / "embedder.keras").read_bytes()[:100_000])
    assert main(["enrol", "Anna", "0_0.npy", "--consent", "x", "--gallery", gallery, "--model", str(damaged)]) == 1
    assert "--preset" not in (said := capsys.readouterr().err)
    assert f"expected a saved GaitEmbedder, received another file, {damaged}" in said


def test_forgetting_is_all_that_the_trail_says(run, gallery):
    run("enrol", "Anna", "0_0.npy", "--consent", "form 1")
    run("forget", "Anna", "--yes", model=False)
    with agegait.Gallery.open(f"sqlite:///{gallery}") as opened:
        assert [entry.action for entry in opened.audit()] == ["enrol", "forget"]


def test_a_model_without_a_file_is_calibrated_in_a_gallery(capsys):
    assert main(["calibrate", "starter", "--dataset", "nowhere"]) == 1  # before anything is read
    assert "--gallery: expected with the model starter, which has no file of its own" in capsys.readouterr().err


def test_a_model_that_is_none_is_named(gallery, capsys):
    assert main(["enrol", "Anna", "0_0.npy", "--consent", "x", "--gallery", gallery, "--model", "nothing"]) == 1
    assert "--model: expected a run's folder, an export, a .keras file, or starter, received 'nothing'" in (
        capsys.readouterr().err
    )


@pytest.mark.slow
def test_an_adapted_embedder_is_another(gallery, walkers_dir, folder, tmp_path, capsys):
    out = tmp_path / "adapted.keras"
    words = ["adapt", "embedder.keras", "--dataset", "walkers", "--data-dir", str(walkers_dir), "--out"]
    assert main([*words, str(out)]) == 0
    assert "adapted to 160 walks" in capsys.readouterr().out
    before, after = (agegait.GaitEmbedder.from_preset(path) for path in (folder / "embedder.keras", out))
    assert before.fingerprint() != after.fingerprint()
    walks = [generator.walk(person, condition, 0)[0] for person in range(4) for condition in "ab"]
    before.adapt([generator.walk(person, "a", number)[0] for person in range(20) for number in range(6)])
    np.testing.assert_allclose(np.linalg.norm(after.embed(walks), axis=1), 1, atol=1e-5)
    assert np.abs(after.embed(walks) - before.embed(walks)).max() < 0.5  # statistics of nearly the same walks
    assert main([*words, str(tmp_path / "adapted.h5")]) == 1
    assert "--out: expected a file that ends in .keras" in capsys.readouterr().err


@pytest.mark.usefixtures("enrolled")
def test_a_path_is_a_file_of_that_name(gallery, tmp_path, capsys):
    for name in ("100%.db", "%41.db", "a b?.db", "ü#@:;+.db"):
        path = tmp_path / name
        assert main(["gallery", "copy", gallery, str(path)]) == 0
        assert path.is_file()
        capsys.readouterr()
        assert main(["people", "--gallery", str(path), "--json"]) == 0
        assert len(json.loads(capsys.readouterr().out)) == 2
        assert main(["gallery", "copy", str(path), f"{tmp_path}/./{name}"]) == 1
        assert "TO: expected another gallery than the source" in capsys.readouterr().err


@pytest.mark.usefixtures("enrolled")
def test_a_gallery_is_copied(run, gallery, tmp_path, capsys):
    copy = str(tmp_path / "copy.db")
    assert main(["gallery", "copy", gallery, copy]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "copied: 2 people, 3 templates, no calibration, 3 entries of the audit trail"
    assert said[1].startswith("embedder: ")
    with agegait.Gallery.open(f"sqlite:///{copy}") as opened:
        assert [(person.name, person.walks) for person in opened.people()] == [("Anna", 2), ("Ben", 1)]
    assert main(["gallery", "copy", gallery, copy]) == 1
    assert "agegait: TO: expected an empty gallery, received sqlite" in capsys.readouterr().err
    assert main(["gallery", "copy", str(tmp_path / "no.db"), copy]) == 1
    assert "agegait: FROM: expected a gallery, found no file" in capsys.readouterr().err
    assert main(["gallery", "copy", gallery, str(tmp_path / "again.db"), "--json"]) == 0
    copied = json.loads(capsys.readouterr().out)
    assert (copied["people"], copied["templates"], copied["calibrated"]) == (2, 3, False)


def test_a_group_of_commands_has_a_help(capsys):
    assert main(["gallery"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("usage: agegait gallery COMMAND [OPTION ...]")
    assert "See `agegait gallery COMMAND --help`" in text
    with pytest.raises(SystemExit):
        main(["gallery", "coppy"])
    assert "agegait gallery: unknown command coppy. Did you mean copy?" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["gallery", "copy", "a", "b", "--jsn"])
    assert "agegait gallery copy: unknown option --jsn. Did you mean --json?" in capsys.readouterr().err


@pytest.mark.usefixtures("enrolled")
def test_a_gallery_is_checked(run, gallery, tmp_path, capsys):
    run("enrol", "Anne", "0_1.npy", "--consent", "form 3")  # Anna's own walk
    words = ["gallery", "check", "--gallery", gallery]
    assert main(words) == 1
    assert "--threshold: expected, or a calibration" in capsys.readouterr().err
    page = tmp_path / "check.html"
    assert main([*words, "--threshold", "1e-4", "--report", str(page)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("3 people, 4 walks; threshold 0.000\n")
    assert "Two names, perhaps one body" in said.out
    assert "Anna" not in said.err
    assert page.stat().st_mode & 0o077 == 0
    assert main([*words, "--threshold", "1e-4", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(pair["first"], pair["second"]) for pair in found["duplicates"]] == [("Anna", "Anne")]
    assert found["single"] == ["Ben", "Anne"]
    assert (found["people"], found["walks"], found["expected"], found["expired"]) == (3, 4, None, 0)
    assert main([*words, "--threshold", "3"]) == 1
    assert "--threshold: expected a distance in 0..2" in capsys.readouterr().err
    assert main([*words, "--report", "x.txt"]) == 1
    assert "--report: expected a file that ends in .html, received x.txt" in capsys.readouterr().err
    assert main([*words, "--report", "nowhere/x.html"]) == 1
    said = capsys.readouterr()
    assert (said.out, "--report: expected a file in a folder that exists, received nowhere/x.html" in said.err) == (
        "",
        True,
    )
