"""What is no body in space is refused, and what is one is not."""

import numpy as np
import pytest
from support.bodies import walk
from support.walk_writing import KINECT_V2, kinect_v2, wide_text, write

from agegait import skeletons
from agegait.data import WalkFolder, WalkFormat, load_walk, read_walk
from agegait.recordings import Recording, Walk
from agegait.recordings.walk import SIDES_EXCHANGED

BODY = walk(60, 1, 1).astype(float)
COCO = skeletons.SCHEMAS["coco_17"]
HOW = WalkFormat(missing="interpolate")


def estimated(schema=COCO, body=BODY):
    """A body in a pose estimator's joints, y down as in a picture, hips in the middle."""
    places = {name: index for index, names in enumerate(schema.sources) for name in names}
    joints = [places.get(name, places[next(iter(schema.sources[3]))]) for name in schema.joints]
    found = body[:, joints] * [1, -1, -1]
    return found - found[:, [schema.joints.index("left_hip")]]


def scores(shape, seed=0):
    return np.random.default_rng(seed).uniform(0.7, 1, shape)


@pytest.mark.parametrize(("scale", "units"), [(400, "auto"), (400, "mm"), (1, "auto"), (0.5, "auto")])
def test_a_score_for_z(tmp_path, scale, units):
    keypoints = estimated() * scale + 2 * scale
    keypoints[..., 2] = scores(keypoints.shape[:2])
    np.save(tmp_path / "walk.npy", keypoints)
    with pytest.raises(ValueError, match=r"walk\.npy: no depth: the third number is a score"):
        read_walk(tmp_path / "walk.npy", WalkFormat(joints="coco_17", missing="interpolate", units=units))


def test_a_flat_body(tmp_path):
    np.save(tmp_path / "walk.npy", BODY * [1, 1, 0])
    with pytest.raises(ValueError, match="no depth: all joints of a frame have about the same z; walks in 3D"):
        read_walk(tmp_path / "walk.npy")
    keypoints = estimated() * [300, 300, 0] + [500, 500, 0]
    np.save(tmp_path / "walk.npy", keypoints)
    with pytest.raises(ValueError, match="no depth"):
        read_walk(tmp_path / "walk.npy", HOW)


@pytest.mark.parametrize("tall", [0.6, 1.0, 1.4])
def test_landmarks_of_a_picture(tmp_path, tall):
    schema = skeletons.SCHEMAS["mediapipe_pose"]
    world = estimated(schema)
    world *= tall / np.ptp(world[..., 1], axis=1).max()
    np.save(tmp_path / "walk.npy", world + [0.5, 0.5, 0])
    with pytest.raises(ValueError, match=r"look like image landmarks, .*world landmarks are needed"):
        read_walk(tmp_path / "walk.npy", HOW)
    np.save(tmp_path / "walk.npy", world)
    read_walk(tmp_path / "walk.npy", WalkFormat(missing="interpolate", up="-y"))


def test_head_and_neck_exchanged_and_the_names_overruled(tmp_path):
    lying = list(KINECT_V2)
    lying[2:4] = "Head", "Neck"
    write(tmp_path / "walk.csv", wide_text(kinect_v2(BODY), lying))
    with pytest.raises(ValueError, match=r"Head and Neck look exchanged.*joints=kinect_v2"):
        read_walk(tmp_path / "walk.csv")
    read = load_walk(tmp_path / "walk.csv", WalkFormat(joints="kinect_v2"))
    np.testing.assert_allclose(read.skeleton, BODY, atol=1e-6)
    assert "names of joints overruled" in read.remarks[-1]


def test_right_names_in_another_order_are_not_overruled_by_the_schema_that_they_are_of(tmp_path):
    order = np.random.default_rng(0).permutation(25)
    write(tmp_path / "walk.csv", wide_text(kinect_v2(BODY)[:, order], [KINECT_V2[joint] for joint in order]))
    read = load_walk(tmp_path / "walk.csv", WalkFormat(joints="kinect_v2"))
    np.testing.assert_allclose(read.skeleton, BODY, atol=1e-6)
    assert read.remarks == ()


@pytest.mark.parametrize("feet", [True, False])
def test_sides_exchanged_are_said(tmp_path, feet):
    body = BODY.copy()
    if not feet:
        body[:, [15, 19]] = body[:, [14, 18]]
    exchanged = list(skeletons.MIRRORED)
    assert Walk.of(Recording("a", body), WalkFormat()).remarks == ()
    for wrong in (body * [-1, 1, 1], body[:, exchanged]):
        assert Walk.of(Recording("a", wrong), WalkFormat()).remarks == (SIDES_EXCHANGED,)
    for person in ("p1", "p2"):
        (tmp_path / person).mkdir()
        np.save(tmp_path / person / "w.npy", walk(60, int(person[1]), 1) * [-1, 1, 1])
    assert f"{SIDES_EXCHANGED} (p1/w, p2/w)" in WalkFolder(tmp_path).warnings


def test_a_part_of_a_schema(tmp_path):
    kept = [index for index, joint in enumerate(KINECT_V2) if "Hand" not in joint and joint != "SpineShoulder"]
    write(tmp_path / "walk.csv", wide_text(kinect_v2(BODY)[:, kept], [KINECT_V2[index] for index in kept]))
    with pytest.raises(ValueError, match="Kinect v2, found it without HandLeft, HandRight and SpineShoulder; missing="):
        read_walk(tmp_path / "walk.csv")
    read = load_walk(tmp_path / "walk.csv", HOW)
    assert read.schema == "kinect_v2"
    there = [index for index in range(20) if index not in (2, 7, 11)]
    np.testing.assert_allclose(read.skeleton[:, there], BODY[:, there], atol=1e-6)
    np.testing.assert_allclose(read.skeleton[:, 2], BODY[:, [4, 8]].mean(axis=1), atol=1e-6)


def test_joints_beside_those_of_a_schema_are_left_out(tmp_path):
    more = np.concatenate([BODY[:, :2] + 1, BODY], axis=1)
    np.savez(tmp_path / "walk.npz", skeleton=more, joints=["Wand1x", "Cluster", *skeletons.JOINTS])
    read = load_walk(tmp_path / "walk.npz")
    np.testing.assert_allclose(read.skeleton, BODY, atol=1e-6)
    assert read.remarks == ("joints of no use here: Wand1x, Cluster",)
