"""Arrays whose axes are in other orders, and arrays of several bodies."""

import numpy as np
import pytest
from support.walk_writing import kinect_v2, refused

from agegait.data import WalkFormat, load_walks
from agegait.recordings import read_recordings
from agegait.recordings.formats.array_layouts import layout_of
from tfds_builders.walkers import generator


@pytest.fixture(scope="module")
def person():
    """A walker's frames, [40, 25, 3] in the joints of Kinect v2."""
    return kinect_v2(generator.walk(0, "a", 0)[0][:40].astype(float))


@pytest.mark.parametrize(
    ("order", "axes"),
    [
        ((1, 2, 3, 0), "x, y, z, frames, joints, bodies"),
        ((2, 1, 0, 3), "frames, bodies, joints, x, y, z"),
    ],
)
def test_an_array_of_two_bodies(tmp_path, person, order, axes):
    other = person + [1, 0, 0]
    bodies = np.stack([person, other])  # M, T, J, C
    stored = bodies.transpose(3, 1, 2, 0) if axes.startswith("x") else bodies.transpose(1, 0, 2, 3)
    np.save(tmp_path / "walk.npy", stored)
    first, second = read_recordings(tmp_path / "walk.npy")
    np.testing.assert_array_equal(first.coordinates, person)
    np.testing.assert_array_equal(second.coordinates, other)
    assert (first.body, second.body) == ("1", "2")
    assert f"axes taken as {axes}" in first.remarks


@pytest.mark.parametrize(
    "stored",
    [
        lambda walk: np.stack([walk, np.zeros_like(walk)]),
        lambda walk: np.stack([walk, np.zeros_like(walk)], axis=1),
        lambda walk: np.stack([walk, np.zeros_like(walk)], axis=-1).transpose(2, 0, 1, 3),
        lambda walk: np.stack([walk, np.zeros_like(walk)], axis=-1).transpose(2, 0, 1, 3)[None],
        lambda walk: np.concatenate([walk, np.zeros_like(walk)], axis=1),
        lambda walk: np.concatenate([walk, np.zeros_like(walk)], axis=1).reshape(len(walk), 150),
        lambda walk: walk.transpose(2, 0, 1),
        lambda walk: walk.transpose(0, 2, 1),
        lambda walk: walk.transpose(1, 2, 0),
        lambda walk: np.concatenate([walk, np.full((*walk.shape[:2], 1), 2.0)], axis=-1),
    ],
)
def test_one_body_in_arrays_of_other_orders(tmp_path, person, stored):
    np.save(tmp_path / "walk.npy", stored(person))
    (recording,) = read_recordings(tmp_path / "walk.npy")
    np.testing.assert_array_equal(recording.coordinates, person)
    assert recording.body is None
    assert len(load_walks(tmp_path / "walk.npy")) == 1


@pytest.mark.parametrize("shape", [(3, 20, 25), (25, 3, 20), (3, 40, 24), (40, 24, 4), (9, 40, 25, 3), (3, 2, 25, 40)])
def test_an_order_that_is_not_sure_is_none(shape):
    assert layout_of(shape) is None


def test_fifty_joints_are_not_parted_where_a_map_or_names_tell_which_they_are(tmp_path, person):
    both = np.concatenate([person, person + [1, 0, 0]], axis=1)
    np.savez(tmp_path / "walk.npz", skeleton=both, joints=[f"j{joint}" for joint in range(50)])
    assert len(read_recordings(tmp_path / "walk.npz")) == 1
    np.save(tmp_path / "walk.npy", both)
    assert len(read_recordings(tmp_path / "walk.npy", walk_format=WalkFormat(joint_map={"HipCenter": 0}))) == 1
    assert len(read_recordings(tmp_path / "walk.npy")) == 2


def test_a_fourth_number_is_a_state_or_refused(tmp_path, person):
    states = np.full((*person.shape[:2], 1), 2.0)
    states[3:5] = 0
    np.save(tmp_path / "walk.npy", np.concatenate([person, states], axis=-1))
    (recording,) = read_recordings(tmp_path / "walk.npy")
    np.testing.assert_array_equal(recording.tracked, states[..., 0] > 0)
    np.save(tmp_path / "other.npy", np.concatenate([person, 100 * states], axis=-1))
    refused(tmp_path / "other.npy", "expected x, y, z and a state of tracking of 0 to 3 of each joint")
