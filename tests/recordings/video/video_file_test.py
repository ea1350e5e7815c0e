import contextlib
import os

import numpy as np
import pytest
from support.made_videos import turn, write_video

from agegait.recordings import registry
from agegait.recordings.video.video_file import VideoFile

pytest.importorskip("cv2", reason="needs OpenCV, which comes with agegait[video]")


def read(path):
    with VideoFile(path) as video:
        return list(video)


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "mp4v"), ("a.mov", "mp4v"), ("a.avi", "MJPG"), ("a.webm", "VP80")]
)
def test_frames_come_in_order_with_their_times(tmp_path, name, codec):
    frames = read(write_video(tmp_path / name, 40, 25.0, codec=codec))
    np.testing.assert_allclose(np.diff([seconds for seconds, _ in frames]), 1 / 25, atol=2e-3)
    assert len(frames) == 40
    left = [picture[:, :30].mean() for _, picture in frames]
    assert left[-1] > left[10] > left[0]
    assert registry.format_of(tmp_path / name).name == "video"


def test_a_phone_held_upright_gives_upright_pictures(tmp_path):
    path = write_video(tmp_path / "a.mp4", size=(64, 48))
    turn(path)
    _, picture = read(path)[-1]
    assert picture.shape == (64, 48, 3)
    assert picture[:30].mean() > picture[34:].mean(), "what was at the left is at the top"


def test_a_cut_off_video_says_so(tmp_path):
    whole = write_video(tmp_path / "a.avi", 90, size=(320, 240), codec="MJPG").read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 3])
    with pytest.raises(
        ValueError, match=r"cut\.avi: expected 3\.0 s of video, found 0\.\d s: it is damaged or cut off"
    ):
        read(tmp_path / "cut.avi")
    whole = write_video(tmp_path / "a.mp4", 90).read_bytes()  # whose index stands at its end
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"cut\.mp4: expected a video, found one that is damaged, cut off or"):
        read(tmp_path / "cut.mp4")


def test_what_is_no_video_is_refused_unread(tmp_path):
    path = tmp_path / "list.mp4"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n")
    with pytest.raises(ValueError, match=r"list\.mp4: expected a video, found something else"):
        registry.format_of(path)


def test_a_damaged_video_is_an_error_and_nothing_on_standard_error(tmp_path, capfd):
    content = bytearray(write_video(tmp_path / "a.mp4", 90).read_bytes())
    random = np.random.default_rng(0)
    for _ in range(20):
        for place in random.integers(8, len(content), 40):
            content[place] = random.integers(256)
        (tmp_path / "b.mp4").write_bytes(content)
        with contextlib.suppress(ValueError):  # of some, what is left is a video
            read(tmp_path / "b.mp4")
    assert capfd.readouterr().err == ""


def test_too_few_frames_a_second_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a\.mp4: expected at least 10 frames a second to see steps, found 5\.0"):
        read(write_video(tmp_path / "a.mp4", 30, 5.0))


def test_other_things_than_files_are_refused(tmp_path):
    os.mkfifo(tmp_path / "a.mp4")
    with pytest.raises(ValueError, match="expected a regular file, found a FIFO"):
        read(tmp_path / "a.mp4")
