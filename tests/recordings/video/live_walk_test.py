import numpy as np
import pytest
from support.made_poses import made_pose

from agegait.recordings.video.live_walk import FRAME_RATE, LONGEST, LiveWalk


def live(times):
    walk = LiveWalk()
    for seconds in times:
        walk.add(seconds, made_pose(seconds, phase=6 * seconds))
    return walk


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
