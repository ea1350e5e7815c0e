"""`agegait enrol`, `verify`, `forget`, `people` and `identify` with the gallery of a server."""

import json

import numpy as np
import pytest
from support.gallery_bodies import BoneLengths, walk, walks
from support.served_bodies import NEAR, serving_bones

import agegait
from agegait.cli import main

DOOR, DESK = "d" * 32, "e" * 32


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Files of walks, tokens and roles."""
    for person in range(3):
        for number in range(3):
            np.save(tmp_path / f"{person}_{number}.npy", walk(person, number))
    np.save(tmp_path / "short.npy", walk(0)[:10])
    for name, text in {
        "tokens": f"door: {DOOR}\ndesk: {DESK}\n",
        "roles": "token door identify\ntoken desk manage\n",
        "desk": DESK,
        "door": DOOR,
    }.items():
        (tmp_path / name).touch(0o600)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def server(bones_folder, gallery_url, folder):
    roles = {"token_file": folder / "tokens", "roles": folder / "roles"}
    with serving_bones(bones_folder, gallery_url, **roles) as (server, _):
        yield server


@pytest.fixture
def run(server, capsys):
    """Runs a command with the server; gives its status, results and messages."""

    def run(command, *words, token="desk"):
        status = main([command, *words, "--server", server.address, "--token-file", token, "--timeout", "60"])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def test_all_that_a_gallery_here_does(run, server, capsys):
    anna = ("Anna", "0_0.npy", "0_1.npy", "--consent", "form 1")
    status, said, error = run("enrol", *anna, "--json")
    assert (status, said) == (0, '{"person": "Anna", "walks": 2, "expires": null}\n')
    assert "0_0.npy and 1 more: frame rate not known, taken as the model's; --frame-rate says it" in error
    status, said, _ = run("enrol", "Ben", "1_0.npy", "--consent", "form 2", "--expires", "2090-12-31")
    assert (status, said) == (0, "Ben: enrolled, 1 walk in all; deleted on 2090-12-31\n")
    status, said, _ = run("people", "--json")
    assert [(one["person"], one["walks"], one["consent"]) for one in json.loads(said)] == [
        ("Anna", 2, "form 1"),
        ("Ben", 1, "form 2"),
    ]
    assert "2 enrolled" in run("people")[1]
    near = ("--threshold", str(NEAR))
    status, said, _ = run("verify", "anna", "0_2.npy", *near, "--json", token="door")
    found = json.loads(said)
    assert (status, found["file"], found["person"], found["accepted"]) == (0, "0_2.npy", "Anna", True)
    status, said, error = run("verify", "Anna", "1_2.npy", *near, token="door")
    assert (status, said.startswith("1_2.npy: Anna, refused; distance ")) == (1, True)
    assert "1 of 1 walks are not accepted as Anna's" in error
    status, said, _ = run("identify", "1_2.npy", "2_0.npy", *near, "--json", "--served-gallery", token="door")
    known, unknown = map(json.loads, said.splitlines())
    assert (status, known["person"], unknown["person"], len(unknown["matches"])) == (0, "Ben", None, 2)
    assert set(known["threshold"]) == {"distance", "false_alarms", "generated"}
    status, said, error = run("identify", "short.npy", *near, "--served-gallery", token="door")
    assert (status, said) == (1, "short.npy: not good enough: expected at least 30 frames, received 10\n")
    status, _, error = run("forget", "Anna")
    assert (status, "--yes: expected where no terminal can confirm" in error) == (1, True)
    assert run("forget", "Anna", "--yes")[1].startswith("Anna: forgotten. Backups")
    assert run("forget", "Ben", "--yes", "--json")[1] == '{"person": "Ben", "forgotten": true}\n'
    assert run("people")[1] == "nobody is enrolled\n"


def test_a_walk_is_sent_with_its_frame_rate(run, folder, gallery_url):
    """At 15 Hz, 20 frames are enough, as they are of a gallery here; at the embedder's own rate they are not."""
    np.save(folder / "slow.npy", walk(0)[:32])
    enrolled = ("enrol", "Anna", "slow.npy", "--consent", "form", "--frame-rate", "15")
    assert run(*enrolled)[0] == 0
    with agegait.Gallery.open(gallery_url) as gallery:
        assert gallery.export("Anna").templates[0].frames == 63


def test_thresholds_of_the_servers_calibration(run, gallery_url):
    assert run("enrol", "Anna", "0_0.npy", "--consent", "form")[0] == 0
    status, _, error = run("verify", "Anna", "0_1.npy")
    assert status == 1
    assert "--threshold: expected one, as the gallery has no calibration: `agegait calibrate` makes one" in error
    with agegait.Gallery.open(gallery_url, BoneLengths()) as gallery:
        gallery.recalibrate(walks(range(100, 120)))
    assert run("verify", "Anna", "0_1.npy", "--false-accepts", "0.1")[0] == 0
    assert run("identify", "0_1.npy", "--served-gallery", "--false-alarms", "0.1")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("enrol", "Anna", "short.npy", "--consent", "form"), "short.npy: expected at least 30 frames, received 10"),
        (("enrol", "Anna", "0_0.npy", "--consent", " "), "--consent: expected a note of 1 to 10,000 characters"),
        (("enrol", "\t", "0_0.npy", "--consent", "form"), "NAME: expected a name of 1 to 200 characters"),
        (("enrol", "A", "0_0.npy", "--consent", "f", "--model", "walkers"), "--model: expected without --server"),
        (("identify", "0_0.npy", "--served-gallery", "--gallery", "g.db"), "--served-gallery: expected without"),
        (("enrol", "\udcff", "0_0.npy", "--consent", "form"), "NAME: expected Unicode, received bytes that are none."),
        (("enrol", "Anna", "0_0.npy", "--consent", "\udcff"), "--consent: expected Unicode"),
        (("forget", "\udcff", "--yes"), "NAME: expected Unicode"),
        (("verify", "\udcff", "0_0.npy", "--threshold", "0.1"), "NAME: expected Unicode"),
        (("identify", "0_0.npy", "--served-gallery", "-k", str(2**31)), "-k: expected at most 2,147,483,647, received"),
        (("forget", "Nobody", "--yes"), "expected somebody enrolled"),
        (("verify", "Nobody", "0_0.npy", "--threshold", "0.1"), "expected somebody enrolled"),
        (("identify", "0_0.npy", "--served-gallery", "--threshold", "3"), "--threshold: expected a distance in 0..2"),
    ],
)
def test_mistakes_in_the_words_of_the_command_line(run, words, said):
    status, out, error = run(*words)
    assert (status, out) == (1, "")
    assert said in error


def test_roles(run):
    for words in (("people",), ("forget", "Anna", "--yes"), ("enrol", "Anna", "0_0.npy", "--consent", "form")):
        status, _, error = run(*words, token="door")
        assert status == 1
        assert "(PERMISSION_DENIED)" in error


def test_a_gallery_is_here_or_there(capsys, folder):
    for words, said in (
        (("people",), "expected --gallery or --server, received neither."),
        (("people", "--gallery", "g.db", "--server", "127.0.0.1:1"), "--server: expected without --gallery."),
    ):
        with pytest.raises(SystemExit):
            main([*words])
        assert said in capsys.readouterr().err.replace("argument ", "")
    assert main(["people", "--gallery", "g.db", "--token-file=desk"]) == 1
    assert "--token-file: expected with --server, received without." in capsys.readouterr().err
    assert not (folder / "g.db").exists()


def test_what_became_of_a_change_is_not_known(capsys, folder):
    nobody = ("--server", "127.0.0.1:1", "--timeout", "1")
    assert main(["enrol", "Anna", "0_0.npy", "--consent", "form", *nobody]) == 1
    error = capsys.readouterr().err
    assert "It is not known whether it was done: `agegait people` tells" in error
    assert main(["people", *nobody]) == 1
    assert "127.0.0.1:1: " in (error := capsys.readouterr().err)
    assert "not known" not in error
