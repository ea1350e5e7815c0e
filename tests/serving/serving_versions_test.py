"""What may lie in a model's folder: odd names, odd files, damage. The model that serves keeps serving."""

import contextlib
import logging
import os
import shutil
import socket
import threading
from pathlib import Path

import grpc
import numpy as np
import pytest
from support.export_walker import FRAMES, JOINTS, NOT_SERVING, export, refused, serving, until, walks_request

from agegait.export.version_manifest import VersionManifest
from agegait.export.warmup import WARMUP_FILE, write_warmup
from agegait.serving import Server
from agegait.serving.server.loader import Loader
from agegait.serving.server.source import version_folders

Code = grpc.StatusCode
MANIFEST = VersionManifest.FILE
LARGEST = 2**63 - 1


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("original") / "walker"
    folder.mkdir()
    for version in (1, 2):
        write_manifest(export(folder, version, warmup=noise))
    return folder


@pytest.fixture
def folder(original, tmp_path):
    """A folder of its own with one model, `walker`, at version 1."""
    shutil.copytree(original / "1", tmp_path / "models/walker/1")
    return tmp_path / "models"


def noise(folder):
    write_warmup(folder, "walker", {"": [{"skeletons": np.ones((2, FRAMES, JOINTS, 3), np.float32)}] * 3})


def write_manifest(folder):
    (folder / MANIFEST).unlink(missing_ok=True)
    VersionManifest.from_files(folder).write(folder)


def place(original, folder, change=lambda path: None, version=2):
    """Version 2, changed, in one move."""
    aside = shutil.copytree(original / "2", folder / ".aside")
    change(aside)
    return aside.rename(folder / "walker" / str(version))


def failed(plain, version=2):
    until(lambda: plain.states().get(version) and plain.states()[version].state == 50)
    status = plain.states()[version].status
    assert status.error_code != 0
    assert "\n" not in status.error_message
    assert len(status.error_message) <= 300
    return status.error_message


@pytest.mark.parametrize("name", ["20261128093000000000", str(LARGEST + 1), "-1", "+3", " 3", "3 ", "1.5", "٣", "0x3"])
def test_a_folder_whose_name_is_no_int64_is_left_alone(original, folder, name):
    shutil.copytree(original / "2", folder / "walker" / name)
    with serving(folder) as (_, plain):
        assert plain.score() == 1
        assert set(plain.states()) == {1}


@pytest.mark.parametrize(("name", "version"), [(str(LARGEST), LARGEST), ("007", 7), ("0", 0)])
def test_every_int64_is_a_version(original, folder, name, version):
    shutil.rmtree(folder / "walker/1")
    shutil.copytree(original / "2", folder / "walker" / name)
    with serving(folder) as (_, plain):
        assert plain.predict().model_spec.version.value == version
        assert plain.score(version=version) == 2
        assert plain.states()[version].state == 30


def test_of_names_with_the_same_number_the_one_without_zeros_is_the_version(tmp_path):
    for name in ("1", "01", "001", "02"):
        (tmp_path / name).mkdir()
    assert version_folders(tmp_path) == {1: tmp_path / "1", 2: tmp_path / "02"}


def test_a_link_to_itself_is_no_version(folder):
    (folder / "walker/2").symlink_to("2")
    with serving(folder) as (_, plain):
        assert plain.score() == 1


def fifo(name):
    def change(path):
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).unlink(missing_ok=True)
        os.mkfifo(path / name)

    return change


def device(path):
    (path / "saved_model.pb").unlink()
    (path / "saved_model.pb").symlink_to("/dev/zero")


def listener(path):
    # A socket's path is short, so it is made from its folder.
    (path / "saved_model.pb").unlink()
    with contextlib.chdir(path), socket.socket(socket.AF_UNIX) as made:
        made.bind("saved_model.pb")


def a_folder(path):
    (path / "saved_model.pb").unlink()
    (path / "saved_model.pb").mkdir()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (fifo("saved_model.pb"), "saved_model.pb: not a regular file"),
        *(
            pytest.param(fifo(name), f"{name}: not a regular file", marks=pytest.mark.slow)
            for name in (
                "variables/variables.index",
                "variables/variables.data-00000-of-00001",
                "assets/words",
                str(WARMUP_FILE),
                str(MANIFEST),
                "assets.extra/agegait.json",
                "fingerprint.pb",
            )
        ),
        (device, "saved_model.pb: not a regular file"),
        (listener, "saved_model.pb: not a regular file"),
        (a_folder, "manifest: saved_model.pb: missing"),
    ],
)
def test_what_is_no_regular_file_is_refused_and_holds_nobody_up(original, folder, change, words):
    with serving(folder) as (_, plain):
        place(original, folder, change)
        assert failed(plain) == words
        assert plain.score() == 1
        # Once the files are whole it loads.
        shutil.rmtree(folder / "walker/2")
        place(original, folder)
        until(lambda: plain.score() == 2)


def test_a_link_that_goes_round_is_refused(original, folder):
    with serving(folder) as (_, plain):
        place(original, folder, lambda path: (path / "assets/around").symlink_to(".."))
        assert failed(plain) == "assets/around: a link to a folder that it is in"
        assert plain.score() == 1


def test_links_to_regular_files_are_followed(original, folder, tmp_path):
    """As Kubernetes mounts a ConfigMap: files and folders are links to what lies in a folder with a hidden name."""

    def mount(path):
        data = path / "..2026_11_28"
        data.mkdir()
        for child in list(path.iterdir()):
            if child != data:
                child.rename(data / child.name)
                child.symlink_to(Path("..data") / child.name)
        (path / "..data").symlink_to(data.name)

    with serving(folder) as (_, plain):
        place(original, folder, mount)
        until(lambda: plain.score() == 2)
        shutil.copytree(original / "2", tmp_path / "elsewhere")
        (folder / "walker/3").symlink_to(tmp_path / "elsewhere")
        until(lambda: plain.predict().model_spec.version.value == 3)


def flipped(name, place=-1):
    def change(path):
        content = bytearray((path / name).read_bytes())
        content[place] ^= 0xFF
        (path / name).write_bytes(content)

    return change


def removed(name):
    return lambda path: (path / name).unlink()


def written(name, content):
    return lambda path: (path / name).write_bytes(content)


DATA, INDEX = "variables/variables.data-00000-of-00001", "variables/variables.index"


@pytest.mark.parametrize(
    ("change", "verified", "unverified"),
    [
        (flipped("saved_model.pb", 100), "manifest: saved_model.pb: SHA-256 differs", None),
        (flipped(DATA), f"manifest: {DATA}: SHA-256 differs", "variables: missing or damaged"),
        (flipped(INDEX), f"manifest: {INDEX}: SHA-256 differs", "variables: missing or damaged"),
        (removed(DATA), f"manifest: {DATA}: missing", "variables: missing or damaged"),
        (removed(INDEX), f"manifest: {INDEX}: missing", "variables: missing or damaged"),
        (removed("saved_model.pb"), "manifest: saved_model.pb: missing", "saved_model.pb: missing"),
        (
            written("saved_model.pb", b"no model"),
            "manifest: saved_model.pb: SHA-256 differs",
            "saved_model.pb: not a SavedModel",
        ),
        (
            written("saved_model.pb", b""),
            "manifest: saved_model.pb: SHA-256 differs",
            "saved_model.pb: not a SavedModel",
        ),
        (written("assets/more", b""), "manifest: assets/more: not listed", None),
        (written("more", b""), "manifest: more: not listed", None),
        (written(".DS_Store", b""), None, None),
        (written(MANIFEST, b"{}"), f"{MANIFEST}: not a manifest", None),
        (written(MANIFEST, b"[" * 100_000), f"{MANIFEST}: not a manifest", None),
        (
            written(MANIFEST, b'{"sha256": {"saved_model.pb": 1}}'),
            f"{MANIFEST}: not a manifest",
            None,
        ),
        (
            written("assets.extra/agegait.json", b'{"min_frames": 3}'),
            "manifest: assets.extra/agegait.json: SHA-256 differs",
            "assets.extra/agegait.json: expected numbers by field and signature",
        ),
    ],
)
@pytest.mark.parametrize("verify", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_damage_is_told_in_one_line_without_paths(original, folder, change, verified, unverified, verify):
    words = verified if verify else unverified
    with serving(folder, verify=verify) as (_, plain):
        place(original, folder, change)
        if words is None:
            until(lambda: plain.score() == 2)
            return
        assert failed(plain) == words
        assert plain.score() == 1


def test_a_version_without_a_manifest_loads_and_the_log_says_so(original, folder, caplog):
    with caplog.at_level(logging.INFO, "agegait.serving"), serving(folder) as (_, plain):
        place(original, folder, removed(MANIFEST))
        until(lambda: plain.score() == 2)
    assert [line for line in caplog.messages if "manifest" in line] == [
        "model walker version 2: no manifest, not verified"
    ]


def test_a_half_copied_version_is_taken_up_once_it_is_whole(original, folder):
    with serving(folder) as (_, plain):
        shutil.copytree(original / "2/assets.extra", folder / "walker/2/assets.extra")
        assert "missing" in failed(plain)
        shutil.copytree(original / "2", folder / "walker/2", dirs_exist_ok=True)
        until(lambda: plain.score() == 2)


def test_a_warmup_request_that_fails_is_told_by_its_number(original, folder):
    def spoil(path):
        walks = [np.ones((1, FRAMES, JOINTS, 3), np.float32)] * 2 + [np.full((1, FRAMES, JOINTS, 3), 123, np.float32)]
        write_warmup(path, "walker", {"fussy": [{"skeletons": walk} for walk in walks]})
        write_manifest(path)

    with serving(folder) as (_, plain):
        place(original, folder, spoil)
        error = failed(plain)
        assert error == "warm-up: request 3 failed: the model refused the values of skeletons"


def test_nothing_that_tensorflow_says_reaches_callers(original, folder, caplog):
    def unknown(path):
        content = (path / "saved_model.pb").read_bytes()
        (path / "saved_model.pb").write_bytes(content.replace(b"ReadVariableOp", b"ReadVariableOq"))
        write_manifest(path)

    with caplog.at_level(logging.DEBUG, "agegait.serving"), serving(folder) as (_, plain):
        place(original, folder, unknown)
        assert failed(plain) == "saved_model.pb: TensorFlow can't load its graph"
    assert "ReadVariableOq" in caplog.text


@pytest.mark.parametrize(
    "name",
    [
        "[x] a*b?",
        "Ünï çødé 歩",
        "é".encode("latin-1"),
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("[!]a-z]", "back\\slash", "a b  c", "new\nline", "{a,b}", "100%", "-n")
        ),
    ],
)
def test_any_path_will_do(original, tmp_path, name):
    base = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + os.fsencode(name)))
    shutil.copytree(original / "1", base / "walker/1")
    with serving(base) as (_, plain):
        assert plain.score() == 1
        shutil.copytree(original / "2", base / ".aside").rename(base / "walker/2")
        until(lambda: plain.score() == 2)


def test_a_model_that_is_gone_leaves_no_open_folder(original, tmp_path):
    base = tmp_path / "[x]"
    shutil.copytree(original, base / "walker")

    def open_folders():
        links = [Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd")]
        return [link for link in links if link.is_symlink() and os.readlink(link).startswith(str(base))]

    with serving(base) as (_, plain):
        assert len(open_folders()) == 1
        shutil.rmtree(base / "walker/2")
        shutil.rmtree(base / "walker/1")
        until(lambda: plain.serving() == NOT_SERVING)
        until(lambda: not open_folders())


def test_requests_are_answered_while_a_version_loads(original, folder, monkeypatch):
    go, entered, load = threading.Event(), threading.Event(), Loader.load

    def slow(loader, name, number, folder):
        if number == 2:
            entered.set()
            assert go.wait(60)
        return load(loader, name, number, folder)

    monkeypatch.setattr(Loader, "load", slow)
    with serving(folder) as (_, plain):
        try:
            place(original, folder)
            assert entered.wait(60)
            assert plain.score() == 1
            assert plain.states()[2].state == 20
            assert plain.serving() == 1
            with refused(Code.UNAVAILABLE, "Servable is loading: Specific(walker, 2)"):
                plain.predict(walks_request(version=2))
        finally:
            go.set()
        until(lambda: plain.score() == 2)


def test_a_start_without_a_model_says_what_is_wrong_with_each(folder):
    flipped(DATA)(folder / "walker/1")
    with pytest.raises(ValueError, match=rf"no model loads: walker/1: manifest: {DATA}: SHA-256 differs"):
        Server(folder, port=0).start()
