"""What `agegait stored` finds of whom, and what it deletes."""

import json
import os
import pty
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from agegait import cli, storage


def write(path, content="{}"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def walk(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.zeros((2, 20, 3)))


def run(folder, persons, left_out=()):
    data = {"name": "own", "persons": persons, "split": {"train": [f"{name}/1" for name in persons], "validation": []}}
    write(folder / "run.json", {"format": 1, "data": data})
    write(folder / "encoder.keras")
    write(folder / "evaluation.json", {"left_out": {"test": list(left_out)}})
    write(folder / "history" / "encoder.csv")


def model(folder, persons):
    """A real SavedModel with people's names in its graph."""
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
    def name(label):
        return {"person": tf.gather(tf.constant(persons), label)}

    tf.saved_model.save(module, str(folder), signatures=name)


@pytest.fixture(scope="module")
def graphs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("graphs")
    model(folder / "1", ["anna", "Çelik"])
    model(folder / "2", ["ben", "hanna"])
    return folder


@pytest.fixture
def job(tmp_path, graphs):
    """A folder with one of everything."""
    job = tmp_path / "job"
    for person in ("anna", "ben", "Çelik"):
        for number in range(2):
            walk(job / "own" / person / f"{number}.npy")
    write(job / "own" / "anna" / "consent.pdf")
    for person in ("anna", "dora"):
        for number in range(2):
            for frame in range(2):
                write(job / "split" / "train" / person / f"w{number}" / f"{frame}_skel.txt")
    walk(job / "inbox" / "anna.npy")
    walk(job / "inbox" / "zoe.npy")
    run(job / "runs" / "a", ["anna", "ben"])
    run(job / "runs" / "b", ["ben", "Çelik"], left_out=["Anna/3"])
    run(job / "runs" / "c", ["ben", "Çelik"])
    write(job / "runs" / "damaged" / "run.json", "{")
    for version in ("1", "2"):
        target = job / "served" / "identifier" / version
        target.mkdir(parents=True)
        (target / "saved_model.pb").write_bytes((graphs / version / "saved_model.pb").read_bytes())
    write(job / "served" / "manifest.json", {"persons": ["ben", "hanna"], "models": {"identifier": {"version": 2}}})
    write(job / "data" / "walkers" / "1.0.0" / "dataset_info.json", {"name": "kgbd"})
    write(job / "data" / "walkers" / "1.0.0" / "person.labels.txt", "anna\nPerson002\n")
    write(job / "tuned" / "tuning.json")
    run(job / "tuned" / "search" / "trial_0" / "tuner0", ["anna", "ben"])
    write(job / "paper" / "settings.json", {"data": {"split": {"train": ["anna/1"]}}})
    write(job / "paper" / "results" / "age" / "seed-0.json")
    walk(job / "paper" / "watched" / "age" / "seed-0" / "test" / "000001.npy")
    run(job / "paper" / "runs" / "age" / "seed-0", ["anna", "ben"])
    write(job / "left.keras")
    write(job / "device" / "identifier.onnx")
    (job / "link").symlink_to(job / "own")
    return job


def kinds(stores, job):
    return {str(store.path.relative_to(job)): store.kind for store in stores}


def command(*words, status=0):
    assert cli.main(["stored", *map(str, words)]) == status


def test_everything_is_found_once(job):
    assert kinds(storage.find_stores(job), job) == {
        "own": "recordings",
        "split": "recordings",
        "inbox": "recordings",
        "runs/a": "run",
        "runs/b": "run",
        "runs/c": "run",
        "runs/damaged": "run",
        "served": "export",
        "data/walkers/1.0.0": "data set",
        "tuned": "search",
        "tuned/search/trial_0/tuner0": "run",
        "paper": "reproduction",
        "paper/runs/age/seed-0": "run",
        "left.keras": "model",
        "device/identifier.onnx": "model",
    }


def test_a_person_is_found_wherever_a_record_or_a_graph_has_the_name(job):
    stores = storage.find_stores(job)
    holding = {str(store.path.relative_to(job)) for store in stores if store.holds("anna")}
    assert holding == {
        *("own", "split", "inbox", "runs/a", "runs/b", "served", "data/walkers/1.0.0"),
        *("tuned/search/trial_0/tuner0", "paper", "paper/runs/age/seed-0"),
    }
    assert {str(store.path.relative_to(job)) for store in stores if store.holds("anna") is None} == {
        *("runs/damaged", "left.keras", "device/identifier.onnx"),
    }
    (served,) = (store for store in stores if store.kind == "export")
    # ÇELIK of version 1 is found by its spelling alone; anna is not found in the middle of hanna.
    assert (served.holds("Çelik"), served.holds("ann"), served.holds("dora")) == (True, False, False)
    (own,) = (store for store in stores if store.path.name == "own")
    assert own.holds("C\u0327ELIK ")


def test_all_is_listed_with_whom_and_who_can_read_it(job, capsys):
    command(job)
    shown = " ".join(capsys.readouterr().out.split())
    assert "anna, ben, Çelik" in shown
    remarks = {store.kind: store.remark for store in storage.find_stores(job)}
    assert remarks["export"] == "of versions 1 the manifest says nothing"
    assert remarks["recordings"].endswith("walks") or "names of folder" in remarks["recordings"]
    assert "not everybody" in shown
    assert "recordings: walks as they were recorded" in shown


def test_a_person_is_listed_with_what_is_to_be_done(job, capsys):
    command(job, "--person", "anna")
    shown = " ".join(capsys.readouterr().out.split())
    assert "no person can be taken out of trained weights" in shown
    assert f"{job / 'left.keras'}: model that does not say of whom it is" in shown
    assert (job / "own" / "anna" / "0.npy").exists()
    command(job / "own", "--person", "nobody")
    assert "nobody: in none of 1 places" in capsys.readouterr().out


def test_recordings_are_deleted_and_models_are_named_that_are_left(job, capsys):
    run(job / "own" / "anna" / "run", ["ben", "Çelik"])
    command(job, "--person", "anna", "--delete", "--yes", status=1)
    shown = capsys.readouterr()
    assert sorted(path.name for path in (job / "own" / "anna").iterdir()) == ["consent.pdf", "run"]
    assert (job / "own" / "anna" / "run" / "encoder.keras").exists()
    assert not (job / "split" / "train" / "anna").exists()
    assert not (job / "inbox" / "anna.npy").exists()
    assert (job / "split" / "train" / "dora" / "w1" / "1_skel.txt").exists()
    assert (job / "inbox" / "zoe.npy").exists()
    assert (job / "runs" / "a" / "run.json").exists()
    assert "unlinked, not overwritten" in shown.out
    (line,) = shown.err.splitlines()
    assert line.startswith("agegait: anna: still in ")
    for left in ("runs/a", "runs/b", "served", "runs/damaged", "left.keras", "own/anna"):
        assert str(job / left) in line
    assert str(job / "runs" / "c") not in line


def test_where_recordings_are_all_there_is_nothing_is_left(job, capsys):
    (job / "own" / "anna" / "consent.pdf").unlink()
    command(job / "own", "--person", "ANNA", "--delete", "--yes")
    assert not (job / "own" / "anna").exists()
    command(job / "own", "--person", "ben", "--delete", "--yes")
    command(job / "own", "--person", "Çelik", "--delete", "--yes")  # alone, so no layout any more
    assert list((job / "own").iterdir()) == []
    assert capsys.readouterr().err == ""


def test_links_are_not_followed(job, tmp_path, capsys):
    elsewhere = tmp_path / "elsewhere"
    (job / "own" / "anna").rename(elsewhere)
    (job / "own" / "anna").symlink_to(elsewhere)
    command(job / "own", "--person", "anna", "--delete", "--yes", status=1)
    assert (elsewhere / "0.npy").exists()
    assert f"anna: still in {job / 'own' / 'anna'}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nowhere",), "nowhere: expected a folder, or a walk's file, found none."),
        ((".", "--delete"), "--person: expected with --delete, received none."),
    ],
)
def test_a_mistake_is_a_line(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    command(*words, status=1)
    assert capsys.readouterr().err == f"agegait: {message}\n"


def asked(answer, *words):
    """The command on a terminal where somebody types an answer."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "agegait", "stored", *map(str, words)]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        os.close(theirs)
        os.write(ours, answer.encode())
        out, err = process.communicate(timeout=120)
    os.close(ours)
    return process.returncode, out, err


def test_nothing_is_deleted_unless_somebody_says_so(job):
    words = (job / "own", "--person", "anna", "--delete")
    (job / "own" / "anna" / "consent.pdf").unlink()
    done = subprocess.run(
        [sys.executable, "-m", "agegait", "stored", *map(str, words)],
        **{"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "check": False},
    )
    assert (done.returncode, done.stderr) == (
        1,
        "agegait: --yes: expected where no terminal can confirm, received none.\n",
    )
    status, out, err = asked("no\n", *words)
    assert (status, err) == (1, "agegait: nothing was deleted\n")
    assert f"Delete for good what is recorded of anna?\n2 files in {job / 'own' / 'anna'}\n" in out
    assert (job / "own" / "anna" / "0.npy").exists()
    status, out, err = asked("yes\n", *words)
    assert (status, err) == (0, "")
    assert not (job / "own" / "anna").exists()


def test_it_needs_no_tensorflow(job):
    code = "import sys; from agegait import cli; cli.main(sys.argv[1:]); assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, "stored", str(job)], check=True, capture_output=True)
