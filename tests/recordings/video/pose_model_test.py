"""Where the pose model comes from, with a server of our own in place of its publisher's."""

import hashlib
import http.server
import threading

import pytest

from agegait.recordings import WalkFormat
from agegait.recordings.video import pose_model
from agegait.recordings.video.pose_estimation import PoseEstimator
from agegait.recordings.video.pose_model import pose_model_file

MODEL = b"a model" * 1000


@pytest.fixture
def publisher(tmp_path, monkeypatch):
    """Serves `MODEL`; gives the list of what was asked for, and the folder that downloads go to."""
    pooch = pytest.importorskip("pooch", reason="needs pooch, which comes with agegait[video]")
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(MODEL)))
            self.end_headers()
            self.wfile.write(MODEL)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.delenv(pose_model.VARIABLE, raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)
    monkeypatch.setattr(pose_model, "ADDRESS", f"http://127.0.0.1:{server.server_port}/models/full.task")
    monkeypatch.setattr(pose_model, "SHA256", hashlib.sha256(MODEL).hexdigest())
    yield asked, tmp_path / "cache" / "agegait"
    server.shutdown()
    server.server_close()


def test_it_is_downloaded_once(publisher):
    asked, folder = publisher
    path = pose_model_file()
    assert path == pose_model_file() == folder / "full.task"
    assert path.read_bytes() == MODEL
    assert asked == ["/models/full.task"]
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_damaged_download_is_replaced(publisher):
    asked, _ = publisher
    pose_model_file().write_bytes(MODEL[:100])
    assert pose_model_file().read_bytes() == MODEL
    assert len(asked) == 2


def test_another_checksum_is_an_error_and_leaves_nothing(publisher, monkeypatch):
    monkeypatch.setattr(pose_model, "SHA256", "0" * 64)
    with pytest.raises(
        ValueError, match=r"^pose_model: .*could not be downloaded: .*hash.* pose_model=pose_landmarker"
    ):
        pose_model_file()
    assert list(publisher[1].iterdir()) == []


def test_no_network_is_an_error_that_says_what_to_do(publisher, monkeypatch):
    monkeypatch.setattr(pose_model, "ADDRESS", "http://127.0.0.1:9/full.task")
    with pytest.raises(
        ValueError, match=r"^pose_model: .*could not be downloaded: no connection\. .*name the file: pose_model="
    ):
        pose_model_file()
    assert list(publisher[1].iterdir()) == []


def test_a_named_file_comes_first(publisher, tmp_path, monkeypatch):
    one, other = tmp_path / "one.task", tmp_path / "other.task"
    one.touch()
    other.touch()
    monkeypatch.setenv(pose_model.VARIABLE, str(one))
    assert pose_model_file() == one
    assert pose_model_file(other) == other
    assert publisher[0] == []
    with pytest.raises(ValueError, match=r"^pose_model: expected a file, received /nowhere\."):
        pose_model_file("/nowhere")
    monkeypatch.setenv(pose_model.VARIABLE, "/nowhere")
    with pytest.raises(ValueError, match=r"^AGEGAIT_POSE_MODEL: expected a file, received /nowhere\."):
        pose_model_file(WalkFormat().pose_model)


def test_a_file_that_is_no_model_is_refused(tmp_path):
    pytest.importorskip("mediapipe", reason="needs MediaPipe, which comes with agegait[video]")
    (tmp_path / "a.task").write_bytes(MODEL)
    with pytest.raises(
        ValueError, match=r"^pose_model: expected a model of MediaPipe's PoseLandmarker .*a\.task: Unable"
    ):
        PoseEstimator(tmp_path / "a.task")
