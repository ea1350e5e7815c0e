"""Recordings of any kind to a folder of walks, on the command line."""

import io
import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from support.bodies import walk
from support.walk_writing import long_text, wide_text, write

from agegait import cli, skeletons
from agegait.data import WalkFolder, load_walk
from agegait.datasets import writing

BODIES = [walk(60, person, 1).astype(float) for person in range(3)]


@pytest.fixture
def run(capfd, tmp_path, monkeypatch):
    """Runs a command in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o700)

    def run(*words, status=0):
        assert cli.main(list(map(str, words))) == status
        return capfd.readouterr()

    return run


@pytest.fixture
def mixture(tmp_path):
    """A person's folder of arrays, a file of two people, and a file that is no walk."""
    (tmp_path / "anna").mkdir()
    np.save(tmp_path / "anna" / "monday.npy", BODIES[0])
    rows = [
        long_text(BODIES[person], skeletons.JOINTS, columns={"person": [name] * 60, "walk": ["w1"] * 60})
        for person, name in ((1, "ben"), (2, "cleo"))
    ]
    write(tmp_path / "all.csv", rows[0] + rows[1].split("\n", 1)[1])
    write(tmp_path / "bad.csv", "")
    return tmp_path


def test_a_mixture_becomes_a_folder_that_is_read_back(run, mixture):
    found = run("convert-recordings", "anna", "all.csv", "--frame-rate", 30, "--out", "out/walks")
    assert "written: out/walks: 3 walks of 3 people" in found.out
    for words in (("csv", "2", "120", "kinect_v1"), ("npy", "1", "60", "30")):
        assert any(all(word in line.split() for word in words) for line in found.out.splitlines()), found.out
    files = sorted(path.relative_to(mixture / "out").as_posix() for path in (mixture / "out").rglob("*.npz"))
    assert files == ["walks/anna/monday.npz", "walks/ben/w1.npz", "walks/cleo/w1.npz"]
    for file, body in zip(files, BODIES, strict=True):
        read = load_walk(mixture / "out" / file)
        np.testing.assert_allclose(read.skeleton, body, atol=1e-6)
        assert (read.frame_rate, read.remarks) == (30, ())
        assert stat.S_IMODE(os.stat(mixture / "out" / file).st_mode) == 0o600
    assert WalkFolder("out/walks").persons == ("anna", "ben", "cleo")


def test_what_was_understood_as_json(run, mixture):
    found = json.loads(run("convert-recordings", "all.csv", "bad.csv", "--skip-bad", "--json", "--out", "out").out)
    assert [(one["person"], one["file"], one["format"], one["frames"]) for one in found["walks"]] == [
        ("ben", "out/ben/w1.npz", "csv", 60),
        ("cleo", "out/cleo/w1.npz", "csv", 60),
    ]
    assert len(found["left_out"]) == 1
    assert "bad.csv" in found["left_out"][0]


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_written(run, mixture):
    np.save("lying.npy", BODIES[0][..., [0, 2, 1]] * [1, -1, 1])
    found = run("convert-recordings", "anna", "lying.npy", "bad.csv", "nowhere.csv", "--out", "out", status=1)
    for words in ("lying.npy: expected y to point up", "--up ", "bad.csv", "nowhere.csv: expected a walk's file"):
        assert words in found.err
    assert not (mixture / "out").exists()
    skipped = run("convert-recordings", "anna", "bad.csv", "--skip-bad", "--out", "out")
    assert "left out, as no walk: bad.csv" in skipped.err


@pytest.mark.parametrize("axis", ["-y", "z"])
def test_options_say_what_files_do_not(run, mixture, axis):
    body = BODIES[0] * [-1, -1, 1] if axis == "-y" else BODIES[0][..., [0, 2, 1]] * [1, -1, 1]
    names = [f"j{joint}x" for joint in skeletons.JOINTS]
    write(mixture / "own.csv", wide_text(1000 * body, names, columns={"who": ["dora"] * 60}))
    write(mixture / "map.json", json.dumps(dict(zip(skeletons.JOINTS, names, strict=True))))
    words = ("--joint-map", "map.json", "--units", "mm", "--up", axis, "--person-column", "who", "--resample", 15)
    run("convert-recordings", "own.csv", *words, "--frame-rate", 30, "--out", "out")
    read = load_walk("out/dora/own.npz")
    np.testing.assert_allclose(read.skeleton, BODIES[0][::2], atol=1e-6)
    assert read.frame_rate == 15


def test_people_of_files_that_do_not_say_who_walks(run, mixture):
    np.save("loose.npy", BODIES[1])
    run("convert-recordings", "anna/monday.npy", "loose.npy", "--out", "out")
    run("convert-recordings", "anna/monday.npy", "--person", "dora", "--out", "named")
    assert WalkFolder("out").persons == ("anna", "loose")
    assert (mixture / "named" / "dora" / "monday.npz").exists()


def test_two_bodies_at_once_become_two_people(run, mixture):
    both = np.stack([BODIES[0], BODIES[1]], axis=1).reshape(-1, 20, 3)
    write(mixture / "session.csv", wide_text(both, skeletons.JOINTS, columns={"BodyID": [0, 3] * 60}))
    found = run("convert-recordings", "session.csv", "--out", "out")
    assert "2 bodies are in the file" in found.err
    assert WalkFolder("out").persons == ("session#0", "session#3")
    enrol = run("enrol", "Anna", "session.csv", "--gallery", "g.db", "--consent", "x", status=1)
    assert "session.csv: expected walks of one person, found 2 bodies, session#0, session#3: `agegait conv" in enrol.err
    enrol = run("enrol", "Anna", "out/session#0", "--gallery", "g.db", "--consent", "x")
    assert "Anna: enrolled, 1 walk in all" in enrol.out


def test_one_walk_and_its_inspection(run, mixture):
    assert (
        "written: out: 1 walk of 1 person. Next: agegait inspect out"
        in run("convert-recordings", "anna", "--out", "out").out
    )
    run("inspect", "out")
    np.save("anna/monday.npy", 100 * BODIES[0])
    assert "expected --units cm" in " ".join(run("inspect", "anna", status=1).out.split())


def test_one_recording_of_two_people_and_walks_of_one_name(run, mixture):
    for place in ("one/ben", "two/ben", "two/cleo"):
        (mixture / place).mkdir(parents=True)
    np.save("one/ben/w.npy", BODIES[0])
    np.save("two/ben/w.npy", BODIES[1])
    np.save("two/cleo/w.npy", BODIES[2])
    run("convert-recordings", "one", "two", "--out", "out")
    np.testing.assert_allclose(load_walk("out/ben/w-2.npz").skeleton, BODIES[1], atol=1e-6)
    np.save("two/cleo/v.npy", BODIES[1])
    found = run("convert-recordings", "one", "two", "--out", "again", status=1)
    assert "one recording under two people, ben and cleo: one of the labels is wrong" in found.err
    assert not (mixture / "again").exists()


def test_a_folder_that_holds_something_is_left_as_it_is(run, mixture):
    found = run("convert-recordings", "all.csv", "--out", "anna", status=1)
    assert "--out: expected a new or empty folder, received anna" in found.err
    assert [path.name for path in (mixture / "anna").iterdir()] == ["monday.npy"]
    (mixture / "empty").mkdir()
    run("convert-recordings", "all.csv", "--out", "empty")
    assert (mixture / "empty" / "ben" / "w1.npz").exists()


def test_nothing_half_written_stays(run, mixture, monkeypatch):
    written = []

    def fail(path, walk):
        written.append(path)
        if len(written) == 2:
            raise OSError(28, "No space left on device", str(path))
        path.write_bytes(b"x")

    monkeypatch.setattr(writing, "_write", fail)
    run("convert-recordings", "all.csv", "anna", "--out", "out", status=1)
    assert sorted(path.name for path in mixture.iterdir()) == ["all.csv", "anna", "bad.csv"]


def test_inspect_takes_a_file_of_everybody(run, mixture):
    found = json.loads(run("inspect", "all.csv", "--json").out)
    assert [person["name"] for person in found["people"]] == ["ben", "cleo"]
    notes = dict(map(tuple, found["notes"]))
    assert (notes["units"], notes["up"]) == ("m", "y")


def test_bodies_of_no_human_size_are_not_written(run, tmp_path):
    for person, body in zip(("anna", "ben"), BODIES, strict=False):
        (tmp_path / "in" / person).mkdir(parents=True)
        np.save(tmp_path / "in" / person / "1.npy", body * 1000)
    said = run("convert-recordings", "in", "--out", "out", status=1).err
    assert "found 2 faults" in said
    assert "in/anna/1.npy: the joints farthest apart are" in said
    assert "lengths look like millimetres, expected --units mm." in said
    assert not (tmp_path / "out").exists()
    run("convert-recordings", "in", "--units", 0.001, "--out", "out")
    np.testing.assert_allclose(load_walk(tmp_path / "out" / "anna" / "1.npz").skeleton, BODIES[0], atol=1e-5)


def test_limbs_that_make_no_sense_are_told(run, tmp_path):
    places = list(range(20))
    places[5], places[6] = places[6], places[5]
    np.save(tmp_path / "1.npy", BODIES[0][:, places])
    assert "limbs make no sense: ElbowLeft and WristLeft" in " ".join(
        run("convert-recordings", "1.npy", "--out", "out").err.split()
    )


def test_the_table_fits_a_terminal_of_80_columns():
    from agegait.cli import conversion
    from agegait.data.folder.inputs import Inputs, InputWalk
    from agegait.recordings import Walk
    from agegait.terminal.console import TextConsole

    bodies = [
        Walk(np.zeros((9000, 20, 3)), np.ones((9000, 20), bool), rate, "mediapipe_pose", up="-y") for rate in (30, 25)
    ]
    found = [
        InputWalk(f"p{n}", "w", Path(f"{n}.json"), "", "mediapipe", None, True, body, Path("."))
        for n, body in enumerate(bodies * 8)
    ]
    console = TextConsole(width=80, record=True, file=io.StringIO())
    console.print(conversion._table(Inputs(tuple(found), (), ()), narrow=True))
    (row,) = [line for line in console.export_text().splitlines() if "mediapipe" in line]
    assert row.split() == ["mediapipe", "16", "16", "16", "144,000", *["25", "to", "30"], "m", "-y", "mediapipe_pose"]
