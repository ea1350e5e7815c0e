"""The commands of a gallery whose file, or whose folder, cannot be written."""

import numpy as np
import pytest
from support.file_rights import bound_by_file_bits
from support.gallery_bodies import BoneLengths, walk

import agegait
from agegait.cli import main, opened_gallery


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with a walk and `place/gallery.db`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "place").mkdir(0o700)
    np.save("walk.npy", walk(0, 1))
    with agegait.Gallery.open("sqlite:///place/gallery.db", BoneLengths()) as gallery:
        gallery.enrol("Anna", walk(0), consent="form")
    yield tmp_path
    (tmp_path / "place").chmod(0o700)


@pytest.fixture
def run(folder, capsys, monkeypatch):
    """Runs a command with the gallery; gives its status, results, and what is said to be wrong."""
    monkeypatch.setattr(opened_gallery, "load_embedder", lambda model: BoneLengths())
    monkeypatch.setattr(opened_gallery, "load_calibration", lambda model, embedder: None)

    def run(command, *words):
        with bound_by_file_bits():
            status = main([command, *words, "--gallery", "place/gallery.db"])
        said = capsys.readouterr()
        return status, said.out, [line for line in said.err.splitlines() if line.startswith("agegait: ")]

    return run


IDENTIFY = ("identify", "walk.npy", "--threshold", "0.2")
ENROL = ("enrol", "Ben", "walk.npy", "--consent", "form")
PEOPLE = ("people",)
FORGET = ("forget", "Anna", "--yes")
REASON = "expected a file and a folder that can be written, as SQLite keeps its log beside the file, received: "


@pytest.mark.parametrize("words", [IDENTIFY, ENROL, PEOPLE, FORGET], ids=lambda words: words[0])
@pytest.mark.parametrize(
    ("file_bits", "folder_bits", "reason"),
    [
        (0o600, 0o500, "attempt to write a readonly database"),
        (0o400, 0o500, "attempt to write a readonly database"),
        (0o000, 0o700, "unable to open database file"),
    ],
)
def test_what_is_wrong_is_said(run, folder, file_bits, folder_bits, reason, words):
    (folder / "place/gallery.db").chmod(file_bits)
    (folder / "place").chmod(folder_bits)
    assert run(*words) == (1, "", [f"agegait: sqlite:///place/gallery.db: {REASON}{reason}"])
    (folder / "place").chmod(0o700)
    (folder / "place/gallery.db").chmod(0o600)
    status, out, _ = run("people", "--json")  # nothing was half done
    assert (status, out.count('"person": "Anna"'), out.count('"person"')) == (0, 1, 1)


def test_a_file_that_can_be_read_alone_lists_people(run, folder):
    (folder / "place/gallery.db").chmod(0o400)
    status, out, wrong = run("people")
    assert (status, "Anna" in out, wrong) == (0, True, [])
    for words in (IDENTIFY, ENROL):  # which the audit trail is to note
        assert run(*words)[2] == [f"agegait: sqlite:///place/gallery.db: {REASON}attempt to write a readonly database"]


def test_a_gallery_that_cannot_be_made(run, folder):
    (folder / "place/gallery.db").unlink()
    (folder / "place").chmod(0o500)
    assert run(*ENROL) == (1, "", [f"agegait: sqlite:///place/gallery.db: {REASON}unable to open database file"])
    assert not any((folder / "place").iterdir())
