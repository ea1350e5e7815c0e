import re

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from agegait import skeletons
from agegait.skeletons.schemas import _spelled

NAMES = list(skeletons.SCHEMAS)
COUNTS = {
    **{"kinect_v1": 20, "kinect_v2": 25, "azure_kinect": 32, "mediapipe_pose": 33},
    **{"coco_17": 17, "openpose_body_25": 25, "openpose_coco_18": 18, "human36m": 17},
}

# Indices that the makers' documentation gives, picked so that a joint left out or exchanged before them would show.
DOCUMENTED = {
    "kinect_v1": {0: "HipCenter", 3: "Head", 7: "HandLeft", 11: "HandRight", 15: "FootLeft", 19: "FootRight"},
    "kinect_v2": {2: "Neck", 3: "Head", 11: "HandRight", 19: "FootRight", 20: "SpineShoulder", 24: "ThumbRight"},
    "azure_kinect": {3: "NECK", 4: "CLAVICLE_LEFT", 11: "CLAVICLE_RIGHT", 18: "HIP_LEFT", 26: "HEAD", 31: "EAR_RIGHT"},
    "mediapipe_pose": {0: "nose", 7: "left_ear", 11: "left_shoulder", 23: "left_hip", 32: "right_foot_index"},
    "coco_17": {0: "nose", 1: "left_eye", 5: "left_shoulder", 11: "left_hip", 16: "right_ankle"},
    "openpose_body_25": {1: "Neck", 2: "RShoulder", 8: "MidHip", 14: "LAnkle", 19: "LBigToe", 24: "RHeel"},
    "openpose_coco_18": {1: "Neck", 2: "RShoulder", 7: "LWrist", 8: "RHip", 13: "LAnkle", 14: "REye", 17: "LEar"},
    "human36m": {0: "Hip", 1: "RHip", 4: "LHip", 8: "Thorax", 10: "Head", 11: "LShoulder", 16: "RWrist"},
}


def skeleton_of(schema, seed=0, frames=4):
    return np.random.default_rng(seed).normal(size=(frames, len(schema.joints), 3))


def test_a_mirror_image_has_its_sides_exchanged():
    walk = skeleton_of(skeletons.SCHEMAS["kinect_v1"]).astype("float32")
    image = skeletons.mirrored(walk)
    assert image.dtype == np.float32
    for left, right in (("WristLeft", "WristRight"), ("FootRight", "FootLeft"), ("Head", "Head")):
        seen = image[:, skeletons.JOINTS.index(left)]
        np.testing.assert_array_equal(seen, walk[:, skeletons.JOINTS.index(right)] * [-1, 1, 1])
    np.testing.assert_array_equal(skeletons.mirrored(image), walk)
    for start, end in skeletons.BONES:  # a bone stays a bone
        assert (skeletons.MIRRORED[start], skeletons.MIRRORED[end]) in skeletons.BONES
    with pytest.raises(ValueError, match=r"skeletons: expected \[..., 20, 3\], received \[4, 25, 3\]"):
        skeletons.mirrored(np.zeros((4, 25, 3)))


def test_the_schemas_are_those_that_are_promised():
    assert {name: len(schema.joints) for name, schema in skeletons.SCHEMAS.items()} == COUNTS


@pytest.mark.parametrize("name", NAMES)
def test_joints_stand_where_their_makers_put_them(name):
    schema = skeletons.SCHEMAS[name]
    assert schema.name == name
    assert {index: schema.joints[index] for index in DOCUMENTED[name]} == DOCUMENTED[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_whole(name):
    schema = skeletons.SCHEMAS[name]
    assert len(set(schema.joints)) == len(schema.joints)
    assert len(schema.sources) == len(skeletons.JOINTS)
    assert {joint for sources in schema.sources for joint in sources} <= set(schema.joints)
    exact = [sources for joint, sources in zip(skeletons.JOINTS, schema.sources, strict=True)
             if joint not in schema.missing]  # fmt: skip
    assert all(len(sources) == 1 for sources in exact)
    assert len(set(exact)) == len(exact)
    assert hash(schema) == hash(skeletons.SCHEMAS[name])


@pytest.mark.parametrize("name", NAMES)
def test_left_comes_from_left_and_right_from_right(name):
    for joint, sources in zip(skeletons.JOINTS, skeletons.SCHEMAS[name].sources, strict=True):
        sides = {_spelled(source)[0] for source in sources}
        assert sides == ({"l"} if "Left" in joint else {"r"} if "Right" in joint else sides)
        if not joint.endswith(("Left", "Right")):
            assert sides in ({""}, {"l", "r"})  # in the middle, or of both sides alike


@pytest.mark.parametrize("name", NAMES)
def test_an_exact_joint_is_the_source_joint(name):
    schema = skeletons.SCHEMAS[name]
    source = skeleton_of(schema).astype("float32")
    canonical = schema.to_canonical(source, missing="interpolate")
    for index, (joint, sources) in enumerate(zip(skeletons.JOINTS, schema.sources, strict=True)):
        if joint not in schema.missing:
            np.testing.assert_array_equal(canonical[:, index], source[:, schema.joints.index(sources[0])])


def test_kinect_v2_gives_the_joints_that_kinect_v1_has():
    source = np.arange(25 * 3, dtype="float32").reshape(25, 3)
    expected = source[[0, 1, 20, *range(3, 20)]]
    np.testing.assert_array_equal(skeletons.schema("kinect_v2").to_canonical(source), expected)


def test_missing_joints_are_placed_where_they_are_likely():
    source = np.zeros((17, 3))
    coco = skeletons.schema("coco_17")
    for joint, place in {
        **{
            "left_ear": (-1, 17, 0),
            "right_ear": (1, 17, 0),
            "left_shoulder": (-2, 14, 0),
            "right_shoulder": (2, 14, 0),
        },
        **{"left_hip": (-1, 10, 0), "right_hip": (1, 10, 0), "left_wrist": (-3, 8, 1), "right_ankle": (1, 1, 2)},
    }.items():
        source[coco.joints.index(joint)] = place
    canonical = dict(zip(skeletons.JOINTS, coco.to_canonical(source, missing="interpolate").tolist(), strict=True))
    assert canonical["HipCenter"] == [0, 10, 0]
    assert canonical["Spine"] == [0, 12, 0]
    assert canonical["ShoulderCenter"] == [0, 14, 0]
    assert canonical["Head"] == [0, 17, 0]
    assert canonical["HandLeft"] == canonical["WristLeft"] == [-3, 8, 1]
    assert canonical["FootRight"] == canonical["AnkleRight"] == [1, 1, 2]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20, deadline=None)
@given(
    turn=st.integers(0, 1000), scale=st.floats(1e-3, 1e3), shift=st.tuples(*[st.floats(-1e3, 1e3)] * 3)
)  # fmt: skip
def test_placing_joints_commutes_with_moving_turning_and_scaling(name, turn, scale, shift):
    schema = skeletons.SCHEMAS[name]
    rotation, _ = np.linalg.qr(np.random.default_rng(turn).normal(size=(3, 3)))
    source = skeleton_of(schema, seed=turn)
    moved = schema.to_canonical(scale * source @ rotation + shift, missing="interpolate")
    expected = scale * schema.to_canonical(source, missing="interpolate") @ rotation + shift
    np.testing.assert_allclose(moved, expected, rtol=1e-9, atol=1e-9 * (scale + 1e3))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_keep_their_type_and_any_leading_axes_are_let_through(dtype):
    schema = skeletons.schema("openpose_body_25")
    for shape in ((25, 3), (4, 25, 3), (2, 4, 25, 3), (0, 25, 3)):
        canonical = schema.to_canonical(np.ones(shape, dtype), missing="interpolate")
        assert canonical.dtype == dtype
        assert canonical.shape == (*shape[:-2], 20, 3)


def test_missing_joints_are_refused_by_name():
    with pytest.raises(
        ValueError, match=r'Human3\.6M has no Head, HandLeft, HandRight, FootLeft, FootRight; missing="interp'
    ):
        skeletons.schema("human36m").to_canonical(np.zeros((17, 3)))


@pytest.mark.parametrize("shape", [(17, 3), (25, 2), (25,), (4, 20, 3), (3, 25)])
def test_another_number_of_joints_is_refused(shape):
    with pytest.raises(
        ValueError, match=re.escape(f"expected [..., 25, 3], the joints of Kinect v2, received {list(shape)}")
    ):
        skeletons.schema("kinect_v2").to_canonical(np.zeros(shape))


def test_another_way_with_missing_joints_is_refused():
    with pytest.raises(ValueError, match='expected "refuse" or "interpolate", received \'zeros\''):
        skeletons.schema("kinect_v1").to_canonical(np.zeros((20, 3)), missing="zeros")


@pytest.mark.parametrize("name", NAMES)
def test_a_joint_is_tracked_if_all_that_it_comes_from_are(name):
    schema = skeletons.SCHEMAS[name]
    tracked = np.random.default_rng(1).random((50, len(schema.joints))) < 0.7
    canonical = schema.to_canonical_tracked(tracked)
    assert canonical.dtype == bool
    for frame, row in enumerate(canonical):
        for seen, sources in zip(row, schema.sources, strict=True):
            assert seen == all(tracked[frame, schema.joints.index(source)] for source in sources)
    with pytest.raises(ValueError, match=re.escape(f"expected [..., {len(schema.joints)}]")):
        schema.to_canonical_tracked(tracked[:, 1:])


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        *((name, name) for name in NAMES),
        *((schema.title, schema.name) for schema in skeletons.SCHEMAS.values()),
        *(("COCO-17", "coco_17"), ("Kinect v2", "kinect_v2"), ("MediaPipe Pose", "mediapipe_pose")),
        *(("OpenPose BODY_25", "openpose_body_25"), ("Human3.6M", "human36m"), ("h36m", "human36m")),
        *(("AZURE-KINECT", "azure_kinect"), ("Body 25", "openpose_body_25"), ("coco", "coco_17")),
    ],
)
def test_schemas_are_found_however_they_are_spelled(spelled, name):
    assert skeletons.schema(spelled) is skeletons.SCHEMAS[name]


@pytest.mark.parametrize("name", ["", "kinect", "coco_18", "body"])
def test_an_unknown_schema_is_refused(name):
    with pytest.raises(ValueError, match=f"expected one of {', '.join(NAMES)}, received {name!r}"):
        skeletons.schema(name)


def test_schemas_are_found_by_their_number_of_joints():
    found = {count: [schema.name for schema in skeletons.schemas_of(count)] for count in (*COUNTS.values(), 21)}
    assert found == {
        **{20: ["kinect_v1"], 25: ["kinect_v2", "openpose_body_25"], 32: ["azure_kinect"], 33: ["mediapipe_pose"]},
        **{17: ["coco_17", "human36m"], 18: ["openpose_coco_18"], 21: []},
    }


STYLES = {
    "as they are": lambda name: name,
    "upper": lambda name: name.upper(),
    "blanks": lambda name: name.replace("_", " "),
    "nothing between": lambda name: name.replace("_", "").lower(),
    "prefixed": lambda name: f"JointType_{name}",
    "first": lambda name: {"l": "Left_", "r": "Right_"}.get((said := _spelled(name))[0], "") + said[1],
    "last letter": lambda name: (said := _spelled(name))[1] + {"l": ".L", "r": ".R"}.get(said[0], ""),
    "first letter": lambda name: {"l": "L", "r": "R"}.get((said := _spelled(name))[0], "") + said[1].title(),
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_a_schema_is_known_by_its_names_in_any_order_and_style(name, style, data):
    schema = skeletons.SCHEMAS[name]
    shuffled = data.draw(st.permutations(schema.joints))
    found, order = skeletons.schema_of_names([STYLES[style](joint) for joint in shuffled])
    assert found is schema
    assert tuple(shuffled[index] for index in order) == schema.joints


def test_other_names_in_use_are_known():
    assert skeletons.schema_of_names(list(skeletons.KGBD))[0].name == "kinect_v1"
    assert skeletons.schema_of_names(list(skeletons.KGBD))[1] == skeletons.canonical_order(skeletons.KGBD.values())
    h36m = ["root", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "spine", "thorax",
            "neck_base", "head", "left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow",
            "right_wrist"]  # fmt: skip
    found, order = skeletons.schema_of_names(h36m)
    assert (found.name, order) == ("human36m", list(range(17)))
    azure = ["SPINE_NAVAL" if joint == "SPINE_NAVEL" else joint for joint in skeletons.SCHEMAS["azure_kinect"].joints]
    assert skeletons.schema_of_names(azure)[0].name == "azure_kinect"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda names: names[:-1], "received 16 names. COCO-17 comes nearest, which has right_ankle."),
        (lambda names: [*names, "tail"], "COCO-17 comes nearest, which has not, or not twice, tail."),
        (lambda names: [*names[:-1], "L Hip"], "which has right_ankle and which has not, or not twice, L Hip."),
        (lambda names: [], "received 0 names."),
    ],
)
def test_names_of_no_schema_are_refused_with_what_differs(change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        skeletons.schema_of_names(change(list(skeletons.SCHEMAS["coco_17"].joints)))


@settings(deadline=None)
@given(st.lists(st.text(max_size=8), max_size=40))
def test_any_other_names_are_refused_and_nothing_else_happens(names):
    with pytest.raises(ValueError, match="comes nearest"):
        skeletons.schema_of_names(names)
