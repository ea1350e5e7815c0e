"""What commands leave on a disk: for its owner alone, from the first moment, and whole or not at all."""

import contextlib
import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from support import forked
from support.disk_room import room
from support.tiny_run import WORDS

from agegait import cli
from agegait.export import saved_models
from agegait.storage.disk_full import DiskFullError, naming_full_disk
from agegait.storage.private_files import OpenFolderWarning, is_open, private_files, private_folder
from agegait.storage.whole_file import whole_file, write_text
from tfds_builders.walkers import generator

OUT_OF_ROOM = "expected room to write it, found none: File too large."


@pytest.fixture(autouse=True)
def umask():
    """What most machines have."""
    before = os.umask(0o022)
    yield
    assert os.umask(before) == 0o022


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def open_paths(folder):
    """What others than the owner could do something with."""
    return [path for path in (folder, *folder.rglob("*")) if path.lstat().st_mode & 0o077]


def agegait(*words):
    return cli.main([str(word) for word in words])


@pytest.fixture(scope="module")
def data_dir(walkers_dir):
    return walkers_dir


@pytest.fixture(scope="module")
def run(tiny_run):
    return tiny_run


def test_a_run_is_its_owners_alone(trained_once, run, data_dir):
    assert open_paths(trained_once) == open_paths(run) == []
    assert open_paths(data_dir) == []
    assert {path.name for path in run.iterdir()} >= {"run.json", "encoder.keras", "recognizer.keras", "history"}


@pytest.mark.slow
def test_an_evaluation_and_its_report_are_their_owners_alone(run, data_dir):
    assert agegait("evaluate", run, "--report", "--data-dir", data_dir) == 0
    assert (run / "report.html").exists()
    assert open_paths(run) == []


@pytest.mark.slow
def test_an_export_is_its_owners_alone(run, tmp_path):
    assert agegait("export", run, "--out", tmp_path / "deep" / "served") == 0
    assert open_paths(tmp_path) == []


def test_a_picture_is_its_owners_alone(tmp_path):
    for person in ("anna", "ben"):
        (tmp_path / "own" / person).mkdir(parents=True)
        for number in range(2):
            np.save(tmp_path / "own" / person / f"{number}.npy", generator.walk(ord(person[0]) % 20, "a", number)[0])
    assert agegait("inspect", tmp_path / "own", "--picture", tmp_path / "skeleton.png") == 0
    assert mode(tmp_path / "skeleton.png") == 0o600


@pytest.mark.slow
def test_an_open_folder_is_said_in_a_line_and_left_as_it_is(run, data_dir, capsys, monkeypatch):
    for folder in (run, *run.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            # /tmp/pytest-of-... is private itself: look at the folder alone.
            monkeypatch.setattr("agegait.storage.private_files.is_open", lambda path: bool(path.stat().st_mode & 0o005))
    run.chmod(0o755)
    assert agegait("evaluate", run, "--data-dir", data_dir) == 0
    shown = capsys.readouterr().err.splitlines()
    assert [line for line in shown if "chmod" in line] == [
        f"agegait: {run}: everybody on this machine can look into this folder, where biometrics go. To close it: "
        f"chmod -R o= {run}"
    ]
    assert mode(run) == 0o755
    run.chmod(0o700)


def test_a_folder_is_open_if_everybody_can_come_to_it(tmp_path):
    folder = private_folder(tmp_path / "a" / "b")
    assert mode(folder) == mode(folder.parent) == 0o700
    folder.chmod(0o755)
    assert not is_open(folder)
    assert is_open(Path("/usr"))
    with pytest.warns(OpenFolderWarning, match="chmod -R o= /usr"):
        private_folder("/usr")


def test_private_is_private_for_all_who_are_inside(tmp_path):
    inside, leave = threading.Event(), threading.Event()

    @private_files()
    def stay():
        inside.set()
        assert leave.wait(60)

    other = threading.Thread(target=stay)
    other.start()
    assert inside.wait(60)
    with private_files():
        pass
    (tmp_path / "private").touch()
    leave.set()
    other.join()
    (tmp_path / "open").touch()
    assert (mode(tmp_path / "private"), mode(tmp_path / "open")) == (0o600, 0o644)


def test_a_stricter_umask_stays(tmp_path):
    os.umask(0o277)
    with private_files():
        (tmp_path / "file").touch()
    assert mode(tmp_path / "file") == 0o400
    os.umask(0o022)


def test_a_whole_file_is_private_before_it_has_its_name(tmp_path):
    path = tmp_path / "walk.npy"
    with whole_file(path) as aside:
        np.save(aside, np.zeros(3))
        assert mode(aside) == 0o600
        assert not path.exists()
    assert list(tmp_path.iterdir()) == [path]
    assert mode(path) == 0o600


def test_a_whole_file_passes_on_permissions_and_does_not_inherit_those_of_a_leftover(tmp_path):
    path = tmp_path / "run.json"
    write_text(path, "old")
    path.chmod(0o640)
    leftover = tmp_path / ".partial.run.json"
    leftover.write_text("what a killed process left")
    with whole_file(path) as aside:
        assert aside == leftover
        aside.write_text("new")
        assert mode(aside) == 0o600
    assert (path.read_text(), mode(path)) == ("new", 0o640)


def some_group():
    """A group to share a file with: another than the one that new files get, if this user may give files to any."""
    others = [65532] if os.getuid() == 0 else [group for group in os.getgroups() if group != os.getgid()]
    return others[0] if others else os.getgid()


def test_a_shared_files_group_stays(tmp_path):
    path = tmp_path / "run.json"
    path.touch()
    group = some_group()
    os.chown(path, -1, group)
    path.chmod(0o640)
    write_text(path, "new")
    assert (path.stat().st_gid, mode(path)) == (group, 0o640)


def test_what_fails_leaves_all_as_it_was(tmp_path):
    path = tmp_path / "run.json"
    path.write_text("old")

    def write():
        with whole_file(path) as aside:
            aside.write_text("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("run.json", "old")]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError("3072 requested and 1024 written"),
        RuntimeError("Can't write data (errno = 28, error message = 'No space left on device')"),
        LookupError("save_v2_ops.cc: /x/part-00000; No space left on device"),
    ],
)
def test_a_full_disk_is_one_kind_of_error_whoever_finds_it(error):
    full = pytest.raises(DiskFullError, match=r"^x/run\.json: expected room to write it, found none: ")
    with full, naming_full_disk("outer"), naming_full_disk("x/run.json"):
        raise error


def test_other_errors_stay_what_they_are():
    with pytest.raises(KeyError), naming_full_disk("x"):
        raise KeyError("x")
    with pytest.raises(FileNotFoundError), naming_full_disk("x"):
        open("/nowhere/at/all")  # noqa: SIM115


def states(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("bytes_", "file"),
    [(1000, "run.json"), pytest.param(12_000, "checkpoints/encoder-000001.npz", marks=pytest.mark.slow)],
)
def test_training_on_a_full_disk(tmp_path, data_dir, capsys, bytes_, file):
    out = tmp_path / "run"
    with room(bytes_):
        assert agegait("train", "--dataset", "walkers", *WORDS, "--data-dir", data_dir, "--out", out) == 1
    assert capsys.readouterr().err.splitlines()[-1] == f"agegait: {out / file}: {OUT_OF_ROOM}"
    assert not (out / file).exists()
    assert list(tmp_path.rglob(".*")) == []


@pytest.mark.slow
@pytest.mark.parametrize(("bytes_", "file"), [(10_000, "evaluation.json"), (200_000, "report.html")])
def test_evaluating_on_a_full_disk(run, data_dir, capsys, bytes_, file):
    before = states(run)
    with room(bytes_):
        assert agegait("evaluate", run, "--report", "--data-dir", data_dir) == 1
    assert capsys.readouterr().err.splitlines()[-1] == f"agegait: {run / file}: {OUT_OF_ROOM}"
    after = states(run)
    assert after.keys() == before.keys() | ({run / "evaluation.json"} if file == "report.html" else set())
    assert after.get(run / file) == before.get(run / file)


@pytest.mark.parametrize("bytes_", [1000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_exporting_on_a_full_disk(run, tmp_path, capsys, bytes_):
    with room(bytes_):
        assert agegait("export", run, "--out", tmp_path / "deep" / "served") == 1
    assert capsys.readouterr().err.splitlines()[-1] == f"agegait: {tmp_path / 'deep/served/encoder'}: {OUT_OF_ROOM}"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_disk_that_is_really_full(run, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)]
    with contextlib.suppress(FileNotFoundError):
        if subprocess.run(mount, check=False, capture_output=True).returncode == 0:
            try:
                command = [sys.executable, "-m", "agegait", "export", str(run), "--out", str(disk / "served")]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                left = list(disk.iterdir())
            finally:
                subprocess.run(["umount", str(disk)], check=True)
            said = f"agegait: {disk / 'served/encoder'}: {OUT_OF_ROOM}".replace(
                "File too large", "No space left on device"
            )
            assert (done.returncode, done.stdout, done.stderr, left) == (1, "", f"{said}\n", [])
            return
    pytest.skip("no file system can be mounted here")


class Parts:
    """As much of an identifier as an export looks at before it writes."""

    encoder = recognizer = normalization = persons = built = True


def export_nothing(out, set_attribute=setattr, seconds=0.0):
    """An export as it is, but for what it writes and the time that it takes."""

    def write(folder, *_):
        folder.mkdir()
        (folder / "saved_model.pb").write_bytes(b"half")
        print("writing", flush=True)
        time.sleep(seconds)

    set_attribute(saved_models, "_write", write)
    set_attribute(saved_models.Exportable, "endpoints", lambda exportable: {"encoder": {}})
    set_attribute(saved_models.Exportable, "names", ("encoder",))
    set_attribute(saved_models.Exportable, "metres", 1.0)
    set_attribute(saved_models, "_manifest", lambda *_: {})
    saved_models.save(Parts(), out)


@contextlib.contextmanager
def exporting(out):
    """A process that is in the middle of an export."""
    code = "import sys, biometric_files_test; biometric_files_test.export_nothing(sys.argv[1], seconds=600)"
    command = [sys.executable, "-c", code, str(out)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, Path(__file__).parents[:2]))}
    with forked.Popen(command, stdout=forked.PIPE, stderr=forked.DEVNULL, text=True, env=environment) as process:
        try:
            assert process.stdout.readline() == "writing\n"
            yield process
        finally:
            process.kill()


def asides(out):
    return sorted(path for path in out.iterdir() if path.name.startswith(".export-"))


@pytest.mark.slow
def test_what_a_killed_export_has_left_goes_with_the_next_one_and_a_living_ones_stays(tmp_path, monkeypatch):
    out, elsewhere = tmp_path / "served", tmp_path / "elsewhere"
    with exporting(out) as process:
        (aside,) = asides(out)
        elsewhere.mkdir()
        (out / ".export-link").symlink_to(elsewhere)
        export_nothing(out, monkeypatch.setattr)
        assert (aside / "encoder" / "saved_model.pb").exists()
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    assert (aside / "encoder" / "saved_model.pb").exists()
    export_nothing(out, monkeypatch.setattr)
    left = {path.name for path in out.iterdir()}
    assert left == {"encoder", "models.config", "manifest.json", ".export-link"}
    assert elsewhere.exists()


READ = "import pathlib, sys; print(len([p.read_bytes() for p in pathlib.Path(sys.argv[1]).rglob('*') if p.is_file()]))"


@pytest.mark.skipif(
    os.getuid() != 0,
    reason="only root may start a process as another user, as .ci/run does; the test below checks the modes and the "
    "group that let the server read, as any user",
)
@pytest.mark.parametrize("shared", [True, False])
def test_who_serves_can_read_what_is_shared_with_it_and_nothing_else(monkeypatch, shared):
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        os.chmod(place, 0o711)
        out = Path(place) / "served"
        out.mkdir()
        os.chown(out, -1, 65532)
        out.chmod(0o2750 if shared else 0o750)
        export_nothing(out, monkeypatch.setattr)
        done = subprocess.run(
            ["/usr/bin/env", "python3", "-c", READ, str(out)],
            **{"user": 65532, "group": 65532, "extra_groups": [], "capture_output": True, "text": True, "cwd": "/"},
            check=False,
        )
        assert (done.returncode == 0) == shared, done.stderr
        assert done.stdout == ("3\n" if shared else "")


@pytest.mark.parametrize(("bits", "folder", "file"), [(0o2750, 0o750, 0o640), (0o0750, 0o700, 0o600)])
def test_an_export_into_a_folder_that_is_shared_with_a_group(tmp_path, monkeypatch, bits, folder, file):
    out = tmp_path / "served"
    out.mkdir()
    group = some_group()
    os.chown(out, -1, group)
    out.chmod(bits)
    for _ in range(2):
        export_nothing(out, monkeypatch.setattr)
    for path in out.rglob("*"):
        assert mode(path) & 0o777 == (folder if path.is_dir() else file), path
        assert not bits & stat.S_ISGID or path.stat().st_gid == group
    assert (out / "encoder" / "2" / "saved_model.pb").exists()
    assert mode(out) == bits
