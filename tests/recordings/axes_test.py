"""Which way is up: turns, never mirrors, and nothing upside down without a word."""

import numpy as np
import pytest
from support.bodies import walk

from agegait import skeletons
from agegait.data import WalkFormat, load_walk
from agegait.recordings import Recording, Walk
from agegait.recordings.axes import UPS, turned

BODY = walk(40, 1, 1).astype(float)


@pytest.mark.parametrize("up", UPS)
def test_each_axis_is_turned_up(up):
    assert np.linalg.det(UPS[up]) == pytest.approx(1)
    axis = np.zeros(3)
    axis["xyz".index(up[-1])] = -1 if up[0] == "-" else 1
    np.testing.assert_array_equal(turned(axis, up), [0, 1, 0])


@pytest.mark.parametrize("up", UPS)
def test_up_is_asked_for_and_then_believed(tmp_path, up):
    np.save(tmp_path / "walk.npy", BODY @ UPS[up])  # the turn back
    if up == "y":
        assert load_walk(tmp_path / "walk.npy").up == "y"
        return
    with pytest.raises(ValueError, match=rf'expected y to point up, found a body .*: up="{up}" turns it'):
        load_walk(tmp_path / "walk.npy")
    read = load_walk(tmp_path / "walk.npy", WalkFormat(up=up))
    np.testing.assert_allclose(read.skeleton, BODY, atol=1e-6)
    assert read.up == up


def test_what_a_file_says_is_believed_unless_overruled_or_untrue():
    lying = BODY @ UPS["z"]
    np.testing.assert_allclose(Walk.of(Recording("a", lying, up="z"), WalkFormat()).skeleton, BODY, atol=1e-6)
    read = Walk.of(Recording("a", lying, up="-z"), WalkFormat(up="z"))
    np.testing.assert_allclose(read.skeleton, BODY, atol=1e-6)
    with pytest.raises(ValueError, match="expected -z to point up, as the file says, found a body that is upside down"):
        Walk.of(Recording("a", lying, up="-z"), WalkFormat())


def test_sensors_whose_y_is_down_are_turned_and_it_is_said():
    schema = skeletons.SCHEMAS["azure_kinect"]
    body = np.zeros((40, len(schema.joints), 3))
    for place, names in enumerate(schema.sources):
        for name in names:
            body[:, schema.joints.index(name)] = BODY[:, place]
    read = Walk.of(Recording("a", body @ UPS["-y"], names=schema.joints), WalkFormat())
    assert (read.up, read.remarks) == ("-y", ("y points down, as these joints' sensor has it, and was turned up",))
    upright = Walk.of(Recording("a", body, names=schema.joints), WalkFormat())
    np.testing.assert_allclose(read.skeleton, upright.skeleton, atol=1e-6)
    assert (upright.up, upright.remarks) == ("y", ())


def test_a_sensor_with_y_down_is_turned_up_though_a_shoulder_is_badly_estimated(tmp_path):
    joints, schema = skeletons.JOINTS, skeletons.SCHEMAS["mediapipe_pose"]
    body = BODY.copy()
    body[:, joints.index("ShoulderLeft")] = 0.25 * body[:, joints.index("ShoulderLeft")] + 0.75 * body[:, 2]
    landmarks = np.zeros((len(body), len(schema.joints), 3)) + body[:, [joints.index("Head")]]
    for joint, names in zip(joints, schema.sources, strict=True):
        if len(names) == 1:
            landmarks[:, schema.joints.index(names[0])] = body[:, joints.index(joint)]
    names = [f"landmark_{number}_{axis}" for number in range(33) for axis in "xyz"]
    np.savetxt(
        tmp_path / "walk.csv",
        (landmarks * [-1, -1, 1]).reshape(len(body), -1),
        "%.5f",
        ",",
        header=",".join(names),
        comments="",
    )
    found = load_walk(tmp_path / "walk.csv", WalkFormat(missing="interpolate"))
    assert found.up == "-y"
    assert (found.skeleton[:, joints.index("Head"), 1] > found.skeleton[:, joints.index("AnkleLeft"), 1]).all()
