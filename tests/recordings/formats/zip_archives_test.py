"""Archives of recordings."""

import zipfile

import numpy as np
import pytest
from support.bodies import walk
from support.frame_trees import encrypt
from support.walk_writing import KINECT_V2, kinect_v2, refused, wide_text

from agegait.cli import main
from agegait.data import WalkFolder
from agegait.recordings import read_recordings
from agegait.recordings.files import limits
from agegait.recordings.formats import zip_archives

BODIES = [walk(40, person, number).astype(float) for person in range(2) for number in range(2)]


def archive(tmp_path, files):
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return tmp_path / "all.zip"


def tables(*names):
    return {name: wide_text(kinect_v2(body), KINECT_V2) for name, body in zip(names, BODIES, strict=False)}


NAMES = ("walks/anna/1.csv", "walks/anna/2.csv", "walks/ben/1.csv", "walks/ben/2.csv")


def test_folders_in_it_are_people(tmp_path):
    path = archive(tmp_path, {**tables(*NAMES), "walks/README.md": "of 2024", "__MACOSX/walks/anna/._1.csv": "x"})
    found = read_recordings(path)
    assert [(one.person, one.walk) for one in found] == [("anna", "1"), ("anna", "2"), ("ben", "1"), ("ben", "2")]
    np.testing.assert_allclose(found[0].coordinates, kinect_v2(BODIES[0]), atol=1e-5)
    assert found[0].source == f"{path}/{NAMES[0]}"
    assert all("not read: walks/README.md" in one.remarks for one in found)
    folder = WalkFolder(path)
    assert list(folder.persons) == ["anna", "ben"]
    assert [walk.name for walk in folder.walks] == ["anna/1", "anna/2", "ben/1", "ben/2"]


def test_it_is_converted(tmp_path, capsys):
    path = archive(tmp_path, tables(*NAMES))
    assert main(["convert-recordings", str(path), "--out", str(tmp_path / "walks")]) in (0, None)
    assert sorted(str(file.relative_to(tmp_path / "walks")) for file in (tmp_path / "walks").rglob("*.npz")) == [
        f"{person}/{walk}.npz" for person in ("anna", "ben") for walk in (1, 2)
    ]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a/walks.zip": "x"}, "expected files of whole walks, found walks.zip; unpack it first"),
        ({"a/1_keypoints.json": "{}"}, "expected files of whole walks, found 1_keypoints.json"),
        ({"README.md": "x"}, "expected files of walks in it, found README.md"),
        ({}, "expected files of walks in it, found none"),
        ({"a/1.csv": "Head_x,Head_y\n1,2\n"}, r"all\.zip/a/1\.csv"),
        ({"a/1.csv": b"0" * (2 << 20)}, "expected at most 1 MiB in all, found more"),
    ],
)
def test_what_is_no_archive_of_walks(tmp_path, monkeypatch, files, message):
    monkeypatch.setattr(zip_archives, "MOST_BYTES", limits.MIB)
    refused(archive(tmp_path, files), message)


def test_damaged_and_encrypted_archives_are_refused(tmp_path):
    path = archive(tmp_path, tables(NAMES[0]))
    sound = path.read_bytes()
    path.write_bytes(sound[:-30])
    refused(path, "expected an archive")
    path.write_bytes(sound[:200] + bytes(50) + sound[250:])
    refused(path, "expected a file that can be unpacked")
    path.write_bytes(sound)
    encrypt(path)
    refused(path, "expected a file that can be unpacked.*encrypted")


def test_names_lead_nowhere(tmp_path):
    (found,) = read_recordings(archive(tmp_path, tables("../../etc/1.csv")))
    assert (found.person, found.walk) == ("etc", "1")
