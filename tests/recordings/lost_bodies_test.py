"""Frames in which a sensor lost its body."""

import numpy as np
import pytest
from support.bodies import walk

from agegait.data import WalkFormat, load_walk, load_walks
from agegait.recordings import Recording
from agegait.recordings.lost_bodies import without_lost

BODY = walk(60, 1, 1).astype(float)


@pytest.mark.parametrize("nothing", [0, np.nan])
def test_a_walk_is_split_where_its_body_was_lost(tmp_path, nothing):
    body = BODY.copy()
    body[20:35] = nothing
    np.save(tmp_path / "w.npy", body)
    one, other = load_walks(tmp_path / "w.npy", WalkFormat(missing="interpolate"))
    np.testing.assert_allclose(one.skeleton, BODY[:20], atol=1e-6)
    np.testing.assert_allclose(other.skeleton, BODY[35:], atol=1e-6)
    assert "15 frames in which no joint was seen were left out" in one.remarks


def test_states_say_so_too_unless_they_say_it_of_all():
    tracked = np.ones((60, 20), bool)
    tracked[:10] = False
    found = without_lost(Recording("w", BODY, tracked=tracked, seconds=np.arange(60) / 30, breaks=(15,)))
    assert len(found.coordinates) == len(found.tracked) == len(found.seconds) == 50
    assert found.breaks == (5,)
    assert without_lost(Recording("w", BODY, tracked=np.zeros((60, 20), bool))).breaks == ()


def test_single_joints_at_the_sensor_are_told_or_filled(tmp_path):
    body = BODY.copy()
    body[20:24, 5] = 0
    np.save(tmp_path / "w.npy", body)
    read = load_walk(tmp_path / "w.npy")
    assert 'as if not seen: missing="interpolate" would fill them' in read.remarks[0]
    assert read.remarks[0].startswith("4 places of joints are (0, 0, 0)")
    filled = load_walk(tmp_path / "w.npy", WalkFormat(missing="interpolate"))
    assert filled.remarks == ()
    assert filled.tracked.sum() == 60 * 20 - 4
    assert np.abs(filled.skeleton - BODY)[20:24, 5].max() < 0.2


@pytest.mark.parametrize("far", [50, 1e30])
def test_a_joint_that_is_nowhere_near_its_body_is_refused(tmp_path, far):
    body = BODY.copy()
    body[30, 5] = far
    np.save(tmp_path / "w.npy", body)
    with pytest.raises(ValueError, match="expected the joints of a body near each other, found ElbowLeft of frame 30"):
        load_walk(tmp_path / "w.npy")
