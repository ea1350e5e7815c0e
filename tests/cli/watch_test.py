"""`agegait watch`, with made-up poses before a real gallery."""

import json
import shutil
import sys

import numpy as np
import pytest
from support.made_poses import made_estimator, made_pose
from support.made_videos import write_video

import agegait
from agegait.cli import main, watch
from agegait.recordings.video import pose_estimation, video_format
from agegait.recordings.video.pose import Pose

pytestmark = pytest.mark.usefixtures("eagerly")

cv2 = pytest.importorskip("cv2", reason="needs OpenCV, which comes with agegait[video]")

FRAMES = 100


def poses(frame, two):
    if frame >= 75:  # gone
        return []
    both = [made_pose(-1 + frame / 40, phase=0.2 * frame), made_pose(1.8, 4, 0.8, phase=0.1 * frame)]
    return both[: 1 + two][:: -1 if frame % 2 else 1]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", FRAMES, size=(640, 360))


@pytest.fixture
def run(tmp_path, monkeypatch, capsys, clip):
    """Runs a command on the clip; gives its status, results and messages."""
    tmp_path.chmod(0o700)
    (tmp_path / "model.task").touch()
    monkeypatch.setenv("AGEGAIT_POSE_MODEL", str(tmp_path / "model.task"))

    def run(command, *words, two=False, stop=FRAMES, made=poses):
        estimator = made_estimator(lambda frame: made(frame, two), stop)
        monkeypatch.setattr(video_format, "PoseEstimator", estimator)
        monkeypatch.setattr(pose_estimation, "PoseEstimator", estimator)
        status = main([command, *map(str, words), "--gallery", str(tmp_path / "gallery.db")])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def enrolled(run, clip, tmp_path):
    kept = clip.with_suffix(".db")  # of the first test that asked for it
    if not kept.exists():
        status, _, said = run("enrol", "Anna", clip, "--consent", "form 1")
        assert status == 0, said
        assert not (tmp_path / "gallery.db-wal").exists()
        shutil.copy2(tmp_path / "gallery.db", kept)
    shutil.copy2(kept, tmp_path / "gallery.db")


@pytest.mark.usefixtures("enrolled")
def test_each_change_is_a_line(run, clip):
    status, said, _ = run("watch", clip, "--headless", "--threshold", "0.2", two=True)
    assert status == 0
    lines = said.splitlines()
    assert lines[0] == "0:00.5 body 1: walk on: 14 more frames"
    (known,) = (line for line in lines if "Anna" in line)
    assert known.startswith("0:01.0 body ")
    assert "; distance 0." in known
    assert "threshold 0.200" in known
    assert sorted(line[-6:] for line in lines[-2:]) == [": gone", ": gone"]
    assert len(lines) == 6, "waiting, an answer and gone, of two people"


@pytest.mark.usefixtures("enrolled")
def test_the_audit_trail_has_a_line_of_each_person_and_change(run, clip, tmp_path, monkeypatch):
    monkeypatch.setattr(watch, "_EVERY", 0.2)
    assert run("watch", clip, "--headless", "--threshold", "0.2", two=True)[0] == 0
    with agegait.Gallery.open(f"sqlite:///{tmp_path}/gallery.db") as gallery:
        noted = [entry.detail for entry in gallery.audit() if entry.action == "identify"]
    assert sorted(noted) == ["accepted", "unknown"]


@pytest.mark.usefixtures("enrolled")
def test_changes_for_scripts_are_objects(run, clip):
    status, said, _ = run("watch", clip, "--headless", "--json", "--threshold", "2")
    assert status == 0
    first, second, third = map(json.loads, said.splitlines())
    assert first == {"seconds": 0.5, "body": 1, "state": "walking", "person": None}
    assert (second["state"], second["person"], second["body"]) == ("known", "Anna", 1)
    assert second["distance"] == pytest.approx(0, abs=0.2)
    assert (third["state"], third["seconds"]) == ("gone", pytest.approx(3, abs=0.1))


@pytest.mark.usefixtures("enrolled")
def test_poses_of_no_body_do_not_stop_it(run, clip):
    def lying(frame, two):
        return [Pose(pose.image, pose.world[:, [1, 0, 2]], pose.visibility) for pose in poses(frame, two)]

    status, said, _ = run("watch", clip, "--headless", "--json", "--threshold", "2", made=lying)
    assert status == 0
    first, second, third = map(json.loads, said.splitlines())
    assert (first["state"], second["state"], third["state"]) == ("walking", "poor", "gone")
    assert second["fault"].startswith("expected -y to point up, as the file says, found a body that stands along -x")


@pytest.mark.usefixtures("enrolled")
@pytest.mark.parametrize("stop", [FRAMES, 50])
def test_what_is_drawn_is_recorded_also_when_stopped(run, clip, tmp_path, stop):
    seen = tmp_path / "seen.mp4"
    status, _, said = run("watch", clip, "--headless", "--threshold", "2", "--record", seen, stop=stop)
    assert status == (0 if stop == FRAMES else 130), said
    before, after = cv2.VideoCapture(str(clip)), cv2.VideoCapture(str(seen))
    for frame in range(stop):
        (_, plain), (read, drawn) = before.read(), after.read()
        assert read
        changed = (np.abs(plain.astype(int) - drawn).max(axis=-1) > 80).mean()
        assert (changed > 2e-3) == (15 <= frame < 75), (frame, changed)
    assert not after.read()[0]
    assert seen.stat().st_mode & 0o777 == 0o600


def test_without_a_gallery_or_a_display_it_says_so(run, clip, monkeypatch):
    status, _, said = run("watch", clip, "--headless")
    assert status == 1
    assert "--gallery: expected a gallery" in said
    if sys.platform == "linux":
        for name in ("DISPLAY", "WAYLAND_DISPLAY"):
            monkeypatch.delenv(name, raising=False)
        status, _, said = run("watch", clip)
        assert status == 1
        assert said.startswith("agegait: --headless: expected, as OpenCV can open no window here")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nothing.mp4", "--headless"), "nothing.mp4: No such file or directory"),
        (("97", "--headless"), "camera 97: expected a camera that can be opened, found none."),
        (("x.mp4", "--headless", "--record", "x.avi"), "--record: expected a file that ends in .mp4, received x.avi."),
        (("x.mp4", "--headless", "--pose-model", "no"), "--pose-model: expected a file, received no."),
    ],
)
def test_wrong_words_are_a_line(run, words, message):
    status, _, said = run("watch", *words)
    assert status == 1
    assert said.strip() == f"agegait: {message}"
