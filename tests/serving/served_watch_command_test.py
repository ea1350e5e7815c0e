"""`agegait watch` with the gallery of a server, beside that with the same gallery here."""

import json
from pathlib import Path

import pytest
from support.made_poses import made_estimator, made_pose
from support.made_videos import write_video
from support.served_bodies import BoneLengths, serving_bones

import agegait
from agegait.cli import main, opened_gallery, watch
from agegait.recordings.video import live_walk, pose_estimation, video_format

cv2 = pytest.importorskip("cv2", reason="needs OpenCV, which comes with agegait[video]")

DOOR, DESK = "d" * 32, "e" * 32
FRAMES = 130
HIDDEN = range(60, 69)
"""Pictures in which the second body is not seen: longer than is filled, shorter than it is given up."""


def poses(frame):
    if frame >= 110:  # gone
        return []
    first = made_pose(-1 + frame / 60, phase=0.2 * frame)
    second = made_pose(1.8, 4, 0.8, phase=0.1 * frame)
    return [first] if frame in HIDDEN else [first, second]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", FRAMES, size=(320, 180))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder: files of tokens and roles, and a pose model's place."""
    tmp_path.chmod(0o700)
    for name, text in {
        "tokens": f"door: {DOOR}\ndesk: {DESK}\n",
        "roles": "token door identify\ntoken desk manage\n",
        "desk": DESK,
        "door": DOOR,
        "model.task": "",
    }.items():
        (tmp_path / name).touch(0o600)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AGEGAIT_POSE_MODEL", "model.task")
    for module in (video_format, pose_estimation):
        monkeypatch.setattr(module, "PoseEstimator", made_estimator(poses))


@pytest.fixture
def served(bones_folder, gallery_url, folder):
    """Words for the server of a gallery with the first body in it."""
    roles = {"token_file": Path("tokens"), "roles": Path("roles")}
    with serving_bones(bones_folder, gallery_url, **roles) as (server, _):
        yield "--server", server.address, "--timeout", "60", "--token-file"


@pytest.fixture
def run(capsys, clip):
    """Runs a command on the clip; gives its status, results and messages."""

    def run(command, *words):
        status = main([*command.split(), str(clip), *map(str, words)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.mark.parametrize("longest", [1.5, 10.0])
def test_it_says_what_a_gallery_here_does(run, served, gallery_url, monkeypatch, longest):
    monkeypatch.setattr(watch, "_EVERY", 0.2)
    monkeypatch.setattr(live_walk, "LONGEST", longest)
    poses_of_one = made_estimator(lambda frame: poses(frame)[:1])
    with monkeypatch.context() as patch:
        patch.setattr(video_format, "PoseEstimator", poses_of_one)
        status, _, said = run("enrol Anna", *served, "desk", "--consent", "form 1")
    assert status == 0, said
    words = ("--headless", "--json", "--threshold", "0.01")
    status, there, said = run("watch", *words, *served, "door")
    assert (status, said) == (0, "")
    monkeypatch.setattr(opened_gallery, "load_embedder", lambda model: BoneLengths())
    monkeypatch.setattr(opened_gallery, "load_calibration", lambda model, embedder: None)
    status, here, said = run("watch", *words, "--gallery", gallery_url)
    assert (status, said) == (0, "")
    there, here = ([json.loads(line) for line in lines.splitlines()] for lines in (there, here))
    assert [set(line) for line in there] == [set(line) for line in here]
    for one, other in zip(there, here, strict=True):
        assert one == pytest.approx(other, abs=1e-6)
    states = [(line["body"], line["state"], line["person"]) for line in there]
    assert (1, "known", "Anna") in states
    assert (2, "unknown", None) in states
    assert states[-2:] == [(1, "gone", "Anna"), (2, "gone", None)]
    with agegait.Gallery.open(gallery_url) as gallery:
        noted = [entry.detail for entry in gallery.audit() if (entry.action, entry.actor) == ("identify", "token door")]
    assert sorted(noted) == ["accepted", "unknown", "unknown"]  # once more after it was hidden


def test_what_was_recorded_before_the_server_went_is_kept(run, bones_folder, gallery_url, folder, monkeypatch):
    roles = {"token_file": Path("tokens"), "roles": Path("roles")}
    with serving_bones(bones_folder, gallery_url, **roles) as (server, _):

        def until_it_goes(frame):
            if frame == 60:
                server.stop()
            return poses(frame)

        monkeypatch.setattr(pose_estimation, "PoseEstimator", made_estimator(until_it_goes))
        words = ("--headless", "--threshold", "1", "--record", "seen.mp4", "--timeout", "1", "--token-file", "door")
        status, _, said = run("watch", *words, "--server", server.address)
    assert (status, said.startswith(f"agegait: {server.address}: ")) == (1, True), said
    seen = cv2.VideoCapture("seen.mp4")
    assert seen.get(cv2.CAP_PROP_FRAME_COUNT) >= 60
    assert seen.read()[0]
    assert list(Path().glob("*seen*")) == [Path("seen.mp4")]


def test_who_may_not_watch_hears_it_at_once(run, served):
    Path("other").touch(0o600)
    Path("other").write_text("f" * 32)
    status, out, said = run("watch", "--headless", *served, "other")
    assert (status, out) == (1, "")
    assert "(UNAUTHENTICATED)" in said
    status, out, said = run("watch", "--headless", "--server", "127.0.0.1:1", "--timeout", "1")
    assert (status, out) == (1, "")
    assert said.startswith("agegait: 127.0.0.1:1: ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--server", "127.0.0.1:1", "--model", "walkers"), "--model: expected without --server"),
        (("--gallery", "g.db", "--token-file", "desk"), "--token-file: expected with --server, received without."),
    ],
)
def test_options_that_do_not_go_together(run, folder, words, message):
    status, out, said = run("watch", "--headless", *words)
    assert (status, out) == (1, "")
    assert message in said
