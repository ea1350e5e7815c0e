import numpy as np
import pytest
from support.made_poses import made_pose

from agegait.recordings.video import live_walk
from agegait.recordings.video.live_walk import FRAME_RATE, LONGEST, LiveWalk
from agegait.recordings.video.pose import Pose


def live(times):
    walk = LiveWalk()
    for seconds in times:
        walk.add(seconds, made_pose(seconds, phase=6 * seconds))
    return walk


def unsteady_pose(seconds):
    """A pose of which some joints are not seen now and then."""
    pose = made_pose(seconds, phase=6 * seconds)
    visibility = np.random.default_rng(int(1000 * seconds)).uniform(0.3, 1, 33)
    return Pose(pose.image, pose.world, visibility)


@pytest.mark.parametrize("rate", [12, 15, 30, 60])
def test_a_walk_has_the_same_frames_whatever_the_camera_takes(rate):
    walk = live(np.arange(0, 2, 1 / rate))
    found = walk.to_walk()
    assert found.frame_rate == FRAME_RATE
    assert len(found.skeleton) == walk.frames == pytest.approx(60, abs=60 / rate)
    np.testing.assert_allclose(found.skeleton[30], live([1.0]).to_walk().skeleton[0], atol=0.03)


def test_nothing_older_than_some_seconds_is_kept():
    assert live(np.arange(0, 3 * LONGEST, 1 / 30)).seconds == pytest.approx(LONGEST, abs=0.05)


def test_who_was_not_seen_begins_again():
    assert live([*np.arange(0, 2, 1 / 30), *np.arange(2.4, 3, 1 / 30)]).seconds == pytest.approx(0.6, abs=0.05)


def test_a_slow_camera_is_noticed():
    assert live(np.arange(0, 3, 1 / 7)).is_too_slow
    assert not live(np.arange(0, 3, 1 / 12)).is_too_slow


def test_frames_stay_as_they_are_whatever_comes_later(monkeypatch):
    monkeypatch.setattr(live_walk, "LONGEST", 1.0)
    times = np.cumsum(np.random.default_rng(0).uniform(1 / 40, 1 / 15, 100))
    whole, walk = live(times[:1]), live(times[:1])
    monkeypatch.setattr(live_walk, "LONGEST", 10.0)
    for seconds in times[1:]:
        whole.add(seconds, unsteady_pose(seconds))
    expected = whole.to_walk()
    monkeypatch.setattr(live_walk, "LONGEST", 1.0)
    for seconds in times[1:]:
        walk.add(seconds, unsteady_pose(seconds))
        last = walk.past + walk.frames
        found = walk.to_walk()
        assert walk.frames == len(found.skeleton) <= 31
        np.testing.assert_allclose(found.skeleton, expected.skeleton[walk.past : last], atol=1e-6)
        np.testing.assert_array_equal(found.tracked, expected.tracked[walk.past : last])
    assert last == len(expected.skeleton) > 80
    assert not expected.tracked.all()
