"""Coordinates that are missing: refused by their place, or filled."""

import numpy as np
import pytest
from support.walk_writing import KINECT_V2, kinect_v2, long_text, wide_text, write

from agegait import skeletons
from agegait.data import WalkFormat, load_walk, read_walk
from tfds_builders.walkers import generator

J = len(skeletons.JOINTS)


@pytest.fixture
def person():
    """A walker's first frames, [40, 20, 3] in canonical joints."""
    return generator.walk(0, "a", 0)[0][:40].astype(float)


@pytest.fixture
def walk():
    return np.random.default_rng(0).standard_normal((7, J, 3))


def test_nan_and_empty_fields_are_refused_by_their_place(tmp_path, person):
    full = kinect_v2(person)
    full[3, KINECT_V2.index("KneeLeft"), 1] = np.nan
    np.save(tmp_path / "walk.npy", full)
    with pytest.raises(ValueError, match=r"walk\.npy, frame 3, joint 13: expected coordinates, found none \(NaN"):
        read_walk(tmp_path / "walk.npy")
    for text in (wide_text(full), wide_text(full).replace("nan", ""), wide_text(full).replace("nan", "#N/A")):
        write(tmp_path / "walk.csv", "\n" + text)
        with pytest.raises(ValueError, match=r"walk\.csv, line 6, frame 3, joint KneeLeft: expected coordinates"):
            read_walk(tmp_path / "walk.csv")
    lines = long_text(full).splitlines(keepends=True)
    write(tmp_path / "walk.csv", "".join(line for line in lines if "nan" not in line))
    with pytest.raises(ValueError, match=r"frame 3, joint KneeLeft: expected coordinates, found none"):
        read_walk(tmp_path / "walk.csv")


def test_gaps_are_filled_along_a_straight_line_in_time_and_held_at_the_ends(tmp_path):
    walk = np.random.default_rng(0).standard_normal((6, J, 3))
    seconds = np.array([0, 0.1, 0.2, 0.5, 0.6, 0.7])
    walk[[0, 2, 3, 5], 4, :2] = np.nan  # a joint is missing as a whole if one coordinate is
    text = wide_text(walk, skeletons.JOINTS, columns={"time_s": seconds})
    read = load_walk(write(tmp_path / "walk.csv", text), WalkFormat(missing="interpolate"))
    one, four = walk[1, 4], walk[4, 4]
    expected = walk.copy()
    expected[:, 4] = [one, one, one + 0.2 * (four - one), one + 0.8 * (four - one), four, four]
    np.testing.assert_allclose(read.skeleton, expected, atol=1e-6)
    assert not read.tracked[[0, 2, 3, 5], 4].any()
    assert read.tracked.sum() == 6 * J - 4


def test_a_joint_that_is_never_there(tmp_path, person):
    full = kinect_v2(person)
    full[:, KINECT_V2.index("HandTipLeft")] = np.nan  # not needed
    np.save(tmp_path / "walk.npy", full)
    np.testing.assert_allclose(read_walk(tmp_path / "walk.npy"), person, atol=1e-6)
    write(tmp_path / "walk.csv", wide_text(full[:, ::-1], KINECT_V2[::-1]))
    np.testing.assert_allclose(read_walk(tmp_path / "walk.csv"), person, atol=1e-6)
    full[:, KINECT_V2.index("HandLeft")] = np.nan
    write(tmp_path / "walk.csv", wide_text(full))
    with pytest.raises(ValueError, match="expected coordinates of joint HandLeft, found none in any frame"):
        read_walk(tmp_path / "walk.csv", WalkFormat(missing="interpolate"))


@pytest.mark.parametrize("wrong", [np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("missing", ["refuse", "interpolate"])
def test_infinity_is_always_refused(tmp_path, walk, wrong, missing):
    walk[4, 3, 1] = walk[6, 0, 0] = wrong
    np.save(tmp_path / "walk.npy", walk)
    with pytest.raises(ValueError, match=r"frame 4, joint 3: expected a finite coordinate, found infinity"):
        read_walk(tmp_path / "walk.npy", WalkFormat(missing=missing))


def test_joints_that_a_schema_has_not(tmp_path, person):
    coco = skeletons.SCHEMAS["coco_17"].joints
    write(tmp_path / "walk.csv", wide_text(np.ones((4, 17, 3)), coco))
    with pytest.raises(ValueError, match=r"walk\.csv: .*COCO-17 has no HipCenter"):
        read_walk(tmp_path / "walk.csv")
    assert read_walk(tmp_path / "walk.csv", WalkFormat(missing="interpolate")).shape == (4, J, 3)


def test_zeros_are_joints_that_the_sensor_did_not_see_unless_the_walk_is_centred_there(tmp_path, person):
    centred = person - person[:, :1]
    centred[2, 5] = 0
    centred[7] = 0
    np.save(tmp_path / "walk.npy", centred)
    tracked = np.ones((40, J), bool)
    tracked[2, 5] = tracked[7] = False
    np.testing.assert_array_equal(load_walk(tmp_path / "walk.npy").tracked, tracked)


def test_a_last_column_that_is_empty(tmp_path, person):
    person[:, -1, 2] = np.nan
    write(tmp_path / "walk.csv", wide_text(person, skeletons.JOINTS).replace("nan", ""))
    with pytest.raises(ValueError, match="line 2, frame 0, joint FootRight: expected coordinates, found none"):
        read_walk(tmp_path / "walk.csv")
