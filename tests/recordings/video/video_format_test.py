"""What becomes of the people in a video: with made-up poses, and where they are there, with real ones."""

import dataclasses

import numpy as np
import pytest
from support.made_poses import made_pose
from support.made_videos import write_video
from support.outside import POSE_MODEL, VIDEO, needs_video

import agegait
from agegait.recordings import Walk, WalkFormat, load_walk, read_recordings
from agegait.recordings.video import video_format
from agegait.skeletons import JOINTS

pytest.importorskip("cv2", reason="needs OpenCV, which comes with agegait[video]")


@pytest.fixture
def video(tmp_path, monkeypatch):
    """Writes a video in which the poses of each frame are those given; gives its path."""

    def video(*frames, rate=30.0):
        class Estimator:
            def __init__(self, model):
                self.frames = iter(frames)

            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

            def estimate(self, picture, seconds):
                return next(self.frames)

        monkeypatch.setattr(video_format, "PoseEstimator", Estimator)
        (tmp_path / "model.task").touch()
        monkeypatch.setenv("AGEGAIT_POSE_MODEL", str(tmp_path / "model.task"))
        return write_video(tmp_path / "clip.mp4", len(frames), rate)

    return video


def walk(frame, start=-1.0):
    return made_pose(start + frame / 30, phase=0.2 * frame)


def test_each_person_is_a_recording(video):
    frames = [[walk(frame), walk(frame, 1.5)][:: 1 if frame % 2 else -1] for frame in range(60)]
    frames[0] = []
    frames[20].append(made_pose(-2.5, size=0.5))
    one, two = read_recordings(video(*frames))
    assert (one.body, two.body) == ("1", "2")
    assert one.coordinates.shape == (59, 33, 3)
    assert (one.units, one.up, one.names[0], one.breaks) == ("m", "-y", "nose", ())
    np.testing.assert_allclose(one.seconds, np.arange(1, 60) / 30, atol=1e-3)
    assert one.frame_rate == pytest.approx(30)
    assert one.remarks == (
        "1 of 60 frames show nobody",
        "left out: 1 person seen for less than a second",
    )


def test_a_short_hole_is_filled_and_a_long_one_breaks_the_walk(video):
    frames = [[walk(frame)] for frame in range(90)]
    frames[30:33] = [[], [], []]
    frames[50:60] = [[]] * 10
    (one,) = read_recordings(video(*frames))
    assert one.coordinates.shape == (80, 33, 3)
    assert one.tracked.all(axis=1).tolist() == [True] * 30 + [False] * 3 + [True] * 47
    expected = 0.75 * frames[29][0].world + 0.25 * frames[33][0].world
    np.testing.assert_allclose(one.coordinates[30], expected, atol=1e-3)
    assert one.breaks == (50,)
    assert one.seconds[50] - one.seconds[49] == pytest.approx(11 / 30, abs=1e-3)


def test_a_video_is_a_walk_without_further_options(video):
    walk_read = load_walk(video(*[[walk(frame)] for frame in range(60)]))
    assert walk_read.skeleton.shape == (60, len(JOINTS), 3)
    assert walk_read.frame_rate == pytest.approx(30)


@pytest.mark.parametrize(("frames", "what"), [(60, "nobody"), (20, "nobody for more than 0.7 s")])
def test_a_video_without_people_says_so(video, frames, what):
    path = video(*([[]] * 40 + [[walk(frame)] if frames == 20 else [] for frame in range(20)]))
    with pytest.raises(ValueError, match=rf"clip\.mp4: expected somebody who is seen for 1 s, found {what}\."):
        read_recordings(path)


def _part(recording, frames):
    """The skeletons of a part of a recording."""
    part = dataclasses.replace(
        recording,
        coordinates=recording.coordinates[frames],
        tracked=recording.tracked[frames],
        seconds=recording.seconds[frames],
        breaks=(),
    )
    return Walk.of(part, WalkFormat()).skeleton


@needs_video
@pytest.mark.slow
def test_real_people_are_tracked_apart(capfd):
    """One person jumps on a roof and leaves it, another walks below from the right to the left, for four seconds."""
    jumper, walker = read_recordings(VIDEO, walk_format=WalkFormat(pose_model=str(POSE_MODEL)))
    assert capfd.readouterr().err == ""
    assert len(jumper.coordinates) > 100
    assert walker.seconds[0] == pytest.approx(2, abs=0.2)
    assert walker.seconds[-1] == pytest.approx(6.6, abs=0.3)
    embedder = agegait.GaitEmbedder.from_preset("walkers")
    half = len(walker.coordinates) // 2
    parts = [_part(walker, slice(0, half)), _part(walker, slice(half, None)), _part(jumper, slice(0, None))]
    first, second, other = embedder.embed(parts)
    assert first @ second > 0.8, "the same person"
    assert max(first @ other, second @ other) < 0.7, "another person, who does not walk"
    thighs = np.linalg.norm(walker.coordinates[:, [23, 24]] - walker.coordinates[:, [25, 26]], axis=-1)
    assert np.median(thighs) == pytest.approx(0.38, abs=0.02)
