import re

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from support.budget import examples, few
from support.outside import BIWI_FRAME, needs_biwi_frame

from agegait import skeletons
from agegait.recordings.formats import biwi_text
from agegait.skeletons import limbs
from agegait.skeletons.schemas import _spelled
from tfds_builders.walkers import generator

JOINTS = skeletons.JOINTS
RECORDED = [generator.walk(person, "ab"[person % 2], 0) for person in range(0, 20, 3)]
WALKS = [{"skeleton": skeleton[::6], "tracked": tracked[::6]} for skeleton, tracked in RECORDED]


def among(walks, change):
    return [{**walk, "skeleton": change(walk["skeleton"])} for walk in walks]


def found(walks):
    return limbs.faults(limbs.summarize(walks))


def exchanged(one, other):
    """A walk of which a loader has mixed up two joints."""

    def change(skeleton):
        order = np.arange(len(JOINTS))
        order[[one, other]] = other, one
        return skeleton[:, order]

    return change


def repeated(skeleton):
    """Hands and feet where NiTE's wrists and ankles are, as in IAS-Lab."""
    skeleton = skeleton.copy()
    for joint, like in (("Wrist", "Hand"), ("Ankle", "Foot")):
        for side in ("Left", "Right"):
            skeleton[:, JOINTS.index(joint + side)] = skeleton[:, JOINTS.index(like + side)]
    return skeleton


def test_limbs_are_named_for_their_bones():
    assert len(set(limbs.LIMBS)) == len(limbs.LIMBS) == len(skeletons.BONES)
    named = dict(zip(limbs.LIMBS, skeletons.BONES, strict=True))
    for limb, ends in {
        "neck": ("ShoulderCenter", "Head"),
        "left forearm": ("ElbowLeft", "WristLeft"),
        "right shin": ("KneeRight", "AnkleRight"),
        "right hip": ("HipCenter", "HipRight"),
    }.items():
        assert tuple(JOINTS[joint] for joint in named[limb]) == ends


def test_limb_lengths_are_distances_between_the_ends_of_bones():
    skeleton = np.random.default_rng(0).normal(size=(5, 20, 3))
    lengths = limbs.limb_lengths(skeleton)
    for frame in range(5):
        for bone, (start, end) in enumerate(skeletons.BONES):
            difference = skeleton[frame, end] - skeleton[frame, start]
            assert lengths[frame, bone] == pytest.approx(sum(difference**2) ** 0.5)


def test_a_summary_holds_medians_of_walks_medians_over_what_was_tracked():
    rng = np.random.default_rng(1)
    walks = [
        {"skeleton": rng.normal(size=(frames, 20, 3)), "tracked": rng.random((frames, 20)) < 0.8}
        for frames in (40, 7, 23)
    ]
    walks[1]["skeleton"][3, 5] = np.nan  # not finite is as good as not tracked
    summary = limbs.summarize(walks)
    assert (summary.walks, summary.frames) == (3, 70)
    for bone, (start, end) in enumerate(skeletons.BONES):
        medians, deviations = [], []
        for walk in walks:
            lengths = [
                float(np.linalg.norm(frame[end] - frame[start]))
                for frame, seen in zip(walk["skeleton"], walk["tracked"], strict=True)
                if seen[start] and seen[end] and np.isfinite(frame[[start, end]]).all()
            ]
            medians.append(np.median(lengths))
            deviations.append(1.4826 * np.median(np.abs(lengths - medians[-1])) / medians[-1])
        assert summary.lengths[bone] == pytest.approx(np.median(medians))
        assert summary.steadiness[bone] == pytest.approx(np.median(deviations))
    rows = {name: row for name, *row in summary.rows()}
    (left, *_), (right, asymmetry, steadiness) = rows["left thigh"], rows["right thigh"]
    assert (left, right) == (summary.distances[12, 13], summary.distances[16, 17])
    assert asymmetry == pytest.approx(2 * (right - left) / (right + left))
    assert steadiness == summary.steadiness[limbs.LIMBS.index("right thigh")]
    assert rows["neck"][1] == 0


def test_the_height_is_that_of_who_stands_straight():
    skeleton = np.zeros((1, 20, 3))
    heights = {"Head": 1.6, "ShoulderCenter": 1.45, "Spine": 1.1, "HipCenter": 1.0, "Knee": 0.5, "Ankle": 0.1}
    for joint, name in enumerate(JOINTS):
        part = name.removesuffix("Left").removesuffix("Right")
        skeleton[0, joint, 1] = {**heights, "Hip": 0.95, "Foot": 0.05}.get(part, 1.0)
    assert limbs.summarize([{"skeleton": skeleton}]).height == pytest.approx(
        1.55 - 0.05
    )  # hips hang below their centre


def test_the_size_of_a_body_beside_another_is_told_by_most_limbs_and_by_those_tracked_alone():
    def odd(skeleton):  # smaller all over, but for a forearm that the sensor takes for a long one
        skeleton = 0.65 * skeleton
        skeleton[:, JOINTS.index("HandLeft")] *= 1.3
        return skeleton

    lost = [{**walk, "tracked": walk["tracked"] & (np.arange(len(JOINTS)) != 5)} for walk in among(WALKS, odd)]
    unseen = [{**walk, "tracked": np.zeros_like(walk["tracked"])} for walk in WALKS]
    sizes = limbs.relative_sizes([limbs.summarize(walks) for walks in (WALKS, WALKS, lost, WALKS, unseen)])
    np.testing.assert_allclose(sizes, [1, 1, 0.65, 1, np.nan], rtol=1e-6)
    alone = limbs.summarize(WALKS)
    np.testing.assert_array_equal(limbs.relative_sizes([alone]), [np.nan])
    assert limbs.relative_sizes([]).shape == (0,)


def test_generated_people_have_limbs_as_bodies_have_them():
    assert found(WALKS) == []
    for walk in WALKS:
        assert found([walk]) == []


def turned_and_tilted(*angles):
    """Turns about y, then tilts about x and z, as a matrix for rows."""
    rotation = np.eye(3)
    for angle, (one, other) in zip(angles, ((0, 2), (1, 2), (0, 1)), strict=True):
        step = np.eye(3)
        step[one, one] = step[other, other] = np.cos(angle)
        step[other, one] = np.sin(angle)
        step[one, other] = -step[other, one]
        rotation = rotation @ step
    return rotation


@settings(max_examples=examples(25), deadline=None)
@given(st.sampled_from(WALKS), st.floats(0.6, 1.2), st.integers(0, 1000), st.tuples(*[st.floats(-100, 100)] * 3))
def test_limbs_make_sense_wherever_a_child_or_an_adult_walks_and_however_the_camera_is_turned(walk, size, turn, shift):
    rotation = turned_and_tilted(*np.random.default_rng(turn).uniform((-np.pi, -0.4, -0.4), (np.pi, 0.4, 0.4)))
    assert found(among([walk], lambda skeleton: size * skeleton @ rotation + shift)) == []


@pytest.mark.parametrize(
    ("change", "received"),
    [
        (lambda skeleton: skeleton * [1, -1, 1], "received a body that is upside down: negate y and z"),
        (lambda skeleton: skeleton * [1, -1, -1], "received a body that is upside down: negate y and z"),
        (lambda skeleton: skeleton[..., [0, 2, 1]], "received a body along another axis"),
        (lambda skeleton: skeleton[..., [1, 0, 2]], "received a body along another axis"),
    ],
)
def test_bodies_that_are_not_upright_are_found(change, received):
    (fault,) = found(among(WALKS, change))
    assert fault.startswith("expected y upwards, the head above the hips and these above the feet")
    assert fault.endswith(received)


def test_joints_that_a_sensor_repeats_are_let_through():
    assert found(among(WALKS, repeated)) == []


@pytest.mark.parametrize("one", few(range(19), 4))
def test_any_two_joints_exchanged_are_found_and_named(one):
    for other in range(one + 1, 20):
        faults = found(among(WALKS, exchanged(one, other)))
        assert len(faults) == 1
        assert faults[0].startswith(f"{JOINTS[one]} and {JOINTS[other]} look exchanged: the ")


@pytest.mark.parametrize("walk", WALKS[:3])
@settings(max_examples=examples(30), deadline=None)
@given(data=st.data())
def test_clearly_different_joints_exchanged_are_found_in_one_walk(walk, data):
    one, other = data.draw(st.sampled_from(limbs._SWAPS))
    if {JOINTS[one], JOINTS[other]} != {"HipLeft", "HipRight"}:
        assert found(among([walk], exchanged(one, other)))


def test_two_exchanges_at_once_are_both_named():
    faults = found(among(among(WALKS, exchanged(5, 6)), exchanged(17, 19)))
    assert [fault.split(" look")[0] for fault in sorted(faults)] == [
        "ElbowLeft and WristLeft",
        "KneeRight and FootRight",
    ]


def test_known_orders_taken_for_the_canonical_one_are_named():
    kgbd = [JOINTS.index(joint) for joint in skeletons.KGBD.values()]
    assert found(among(WALKS, lambda skeleton: skeleton[:, kgbd])) == [
        "the joints look to be in the order of KGBD's files, expected Kinect v1's"
    ]
    assert found(among(WALKS, lambda skeleton: skeleton[:, ::-1])) == [
        "the joints look to be in reverse order, expected Kinect v1's"
    ]


@settings(max_examples=examples(50), deadline=None)
@given(st.permutations(range(20)))
def test_shuffled_joints_are_found(order):
    bones = {frozenset(bone) for bone in skeletons.BONES}
    joined = {frozenset((order[start], order[end])) for start, end in skeletons.BONES}
    if len(joined - bones) > 4:
        assert found(among(WALKS[:2], lambda skeleton: skeleton[:, order]))


def test_what_leaves_all_lengths_as_they_are_is_not_found():
    sides = [JOINTS.index(name.replace("Left", "?").replace("Right", "Left").replace("?", "Right")) for name in JOINTS]
    assert found(among(WALKS, lambda skeleton: skeleton[:, sides])) == []


def source_skeleton(skeleton, name):
    """A walk as another sensor would have it: joints that we have not are put on the head, the hands and the feet."""
    at = {joint: skeleton[:, index] for index, joint in enumerate(JOINTS)}
    left = at["ShoulderLeft"] - at["ShoulderRight"]
    left /= np.linalg.norm(left, axis=-1, keepdims=True)
    up = at["ShoulderCenter"] - at["HipCenter"]
    up /= np.linalg.norm(up, axis=-1, keepdims=True)
    ahead = np.cross(left, up)
    middle = {"spine": (at["HipCenter"] + at["ShoulderCenter"]) / 2, "neck": at["ShoulderCenter"] + 0.04 * up}
    middle |= {"nose": at["Head"] + 0.1 * ahead, "hipcenter": at["HipCenter"], "shouldercenter": at["ShoulderCenter"]}
    middle |= {"spinechest": (at["Spine"] + at["ShoulderCenter"]) / 2, "necknose": at["Head"] + 0.09 * ahead}
    middle["head"] = at["Head"] + (0.1 * up if name == "human36m" else 0)
    parts = {("", joint): place for joint, place in middle.items()}
    for side, letter, outwards in (("Left", "l", left), ("Right", "r", -left)):
        own = {joint.lower(): at[joint + side] for joint in ("Shoulder", "Elbow", "Wrist", "Hand", "Hip", "Knee")}
        ankle, hand, head = at["Ankle" + side], at["Hand" + side], at["Head"]
        own |= {"ankle": ankle, "foot": ankle if name == "human36m" else at["Foot" + side]}
        own |= {"heel": ankle - 0.05 * up, "footindex": ankle - 0.05 * up + 0.16 * ahead}
        own |= {"bigtoe": own["footindex"], "smalltoe": own["footindex"] + 0.05 * outwards}
        own |= {"thumb": hand + 0.04 * ahead, "handtip": hand - 0.08 * up}
        own |= {"index": hand - 0.06 * up, "pinky": hand - 0.05 * up - 0.04 * ahead}
        own |= {"ear": head + 0.07 * outwards, "eye": head + 0.09 * ahead + 0.03 * outwards}
        own |= {"eyeinner": own["eye"] - 0.01 * outwards, "eyeouter": own["eye"] + 0.01 * outwards}
        own |= {"mouth": own["eye"] - 0.08 * up, "clavicle": at["ShoulderCenter"] + 0.05 * outwards}
        parts |= {(letter, joint): place for joint, place in own.items()}
    return np.stack([parts[_spelled(joint)] for joint in skeletons.schema(name).joints], axis=1)


@pytest.mark.parametrize("name", list(skeletons.SCHEMAS))
def test_other_sensors_skeletons_make_sense_if_read_as_theirs_alone(name):
    sources = [source_skeleton(walk["skeleton"], name) for walk in WALKS]
    for taken_for in skeletons.schemas_of(len(skeletons.SCHEMAS[name].joints)):
        faults = found([{"skeleton": taken_for.to_canonical(source, missing="interpolate")} for source in sources])
        assert bool(faults) == (taken_for.name != name), (taken_for.name, faults)
        if faults:
            assert "of another schema than they were taken for" in faults[0]


@pytest.mark.parametrize(
    ("scale", "message"),
    [
        (1000, r'expected 0\.8 to 2\.2 m: lengths look like millimetres, expected units="mm"'),
        (100, 'lengths look like centimetres, expected units="cm"'),
        (1 / 0.0254, 'lengths look like inches, expected units="in"'),
        (0.001, "lengths look like metres taken for millimetres"),
        (0.01, "lengths look like metres taken for centimetres"),
        (0.3, r"lengths look scaled, units=3\.\d+ would make it 1\.7 m"),
        (1 / 0.0564, r"lengths look scaled, units=0\.0[56]\d+ would make it 1\.7 m"),
    ],
)
def test_units_are_told_from_the_size_of_bodies(scale, message):
    (fault,) = found(among(WALKS, lambda skeleton: scale * skeleton))
    assert re.search(message, fault)
    faults = found(among(WALKS, lambda skeleton: scale * exchanged(5, 6)(skeleton)))
    assert re.search(message, faults[0])
    assert faults[1].startswith("ElbowLeft and WristLeft look exchanged")


def stretched(start, end, factor, with_it=()):
    def change(skeleton):
        skeleton = skeleton.copy()
        step = (factor - 1) * (skeleton[:, JOINTS.index(end)] - skeleton[:, JOINTS.index(start)])
        for joint in (end, *with_it):
            skeleton[:, JOINTS.index(joint)] += step
        return skeleton

    return change


def test_a_limb_too_long_for_its_body_is_named_with_what_was_expected():
    faults = found(among(WALKS, stretched("ElbowLeft", "WristLeft", 2.5, with_it=["HandLeft"])))
    assert any(re.match(r"the left forearm is \d+\.?\d* cm long, expected \d+\.\d cm to 4\d\.?\d* cm on", fault)
               for fault in faults)  # fmt: skip


def test_sides_that_differ_are_named():
    faults = found(among(WALKS, stretched("ElbowRight", "WristRight", 0.6, with_it=["HandRight"])))
    assert len(faults) == 1
    assert re.match(
        r"the left forearm is \S+ cm and the right forearm \S+ cm long, expected no more than 40%", faults[0]
    )


def test_limbs_that_change_from_frame_to_frame_are_named():
    def in_turns(*scales):
        return lambda skeleton: skeleton * np.resize(scales, len(skeleton))[:, None, None]

    assert found(among(WALKS, in_turns(0.95, 1, 1.05))) == []
    faults = found(among(WALKS, in_turns(0.4, 1, 1.6)))
    fault = r"the (left|right) thigh changes its length of 4\d\.\d cm by (8|9)\d% from frame to frame, expected no more"
    assert sum(bool(re.match(fault, each)) for each in faults) == 2


def test_a_joint_that_jumps_about_is_found():
    def jumping(skeleton):
        noise = np.random.default_rng(0).normal(scale=0.15, size=(len(skeleton), 3))
        return np.concatenate([skeleton[:, :6], skeleton[:, 6:7] + noise[:, None], skeleton[:, 7:]], axis=1)

    assert found(among(WALKS, jumping))[0].startswith("the left hand is ")


@pytest.mark.parametrize("joint", range(20))
def test_a_joint_that_was_never_tracked_says_nothing(joint):
    tracked = np.ones((len(WALKS[0]["skeleton"]), 20), bool)
    tracked[:, joint] = False
    skeleton = WALKS[0]["skeleton"].copy()
    skeleton[:, joint] = 0  # what sensors write
    summary = limbs.summarize([{"skeleton": skeleton, "tracked": tracked}])
    assert np.isnan(summary.lengths).sum() == sum(joint in bone for bone in skeletons.BONES)
    assert limbs.faults(summary) == []


def test_joints_lost_at_times_say_nothing():
    rng = np.random.default_rng(3)
    walks = []
    for walk in WALKS:
        tracked = rng.random(walk["tracked"].shape) < 0.6
        walks.append({"skeleton": np.where(tracked[..., None], walk["skeleton"], 0), "tracked": tracked})
    assert found(walks) == []


def test_nothing_tracked_and_all_joints_in_one_place_are_faults():
    skeleton = np.zeros((3, 20, 3))
    assert found([{"skeleton": skeleton}]) == ["all joints are in one place"]
    assert found([{"skeleton": skeleton, "tracked": np.zeros((3, 20), bool)}]) == [
        "no limb was ever tracked at both ends"
    ]


def test_check_names_the_source_and_all_faults():
    assert limbs.check(WALKS, "my walks").walks == len(WALKS)
    with pytest.raises(
        ValueError, match=r'^my walks: expected limbs as bodies .* units="mm"; Elbow.* exchanged: .*\.$'
    ):
        limbs.check(among(WALKS, lambda skeleton: 1000 * exchanged(5, 6)(skeleton)), "my walks")


@pytest.mark.parametrize("shape", [(0, 20, 3), (4, 25, 3), (20, 3), (4, 20, 2)])
def test_what_is_no_walk_is_refused(shape):
    with pytest.raises(ValueError, match=re.escape(f"walks, walk 1: expected [T, 20, 3], received {list(shape)}")):
        limbs.summarize([WALKS[0], {"skeleton": np.zeros(shape)}])


def test_no_walks_are_refused():
    with pytest.raises(ValueError, match="expected at least one, received none"):
        limbs.summarize([])


@needs_biwi_frame
def test_a_real_frame_makes_sense():
    skeleton, tracked = biwi_text.parse(BIWI_FRAME.read_bytes(), str(BIWI_FRAME))
    assert found([{"skeleton": skeleton[None], "tracked": tracked[None]}]) == []
