"""BVH: forward kinematics, and which joint of a rig is which."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from support.budget import examples
from support.refusals import read_or_refused

from agegait import skeletons
from agegait.recordings import WalkFormat, read_recordings
from agegait.recordings.formats.bvh_rigs import canonical_joints

ARM = """HIERARCHY
ROOT Base
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Upper Arm
  {
    OFFSET 0 10 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    JOINT Lower
    {
      OFFSET 0 5 0
      CHANNELS 3 Zrotation Xrotation Yrotation
      End Site
      {
        OFFSET 0 2 0
      }
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.04
1 2 3 0 0 0 0 0 0 0 0 0
1 2 3 0 0 0 90 0 0 0 90 0
"""


def read(tmp_path, text, walk_format=None):
    (tmp_path / "w.bvh").write_text(text)
    return read_recordings(tmp_path / "w.bvh", walk_format=walk_format)


def test_an_arm_by_hand(tmp_path):
    (found,) = read(tmp_path, ARM)
    assert found.names == ("Base", "Upper Arm", "Lower", "Lower_End")
    np.testing.assert_allclose(found.coordinates[0], [[1, 2, 3], [1, 12, 3], [1, 17, 3], [1, 19, 3]], atol=1e-12)
    # The upper arm is turned about z, so that the lower begins towards -x; turned about its own x, it points along z.
    np.testing.assert_allclose(found.coordinates[1], [[1, 2, 3], [1, 12, 3], [-4, 12, 3], [-4, 12, 5]], atol=1e-12)
    assert (found.up, found.units, found.frame_rate) == ("y", None, 25.0)
    assert "BVH does not say its units" in found.remarks[0]


@hypothesis.given(st.randoms(use_true_random=False))
@hypothesis.settings(max_examples=examples(100), suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_any_skeleton_by_another_way(tmp_path, random):
    """Rotations in any order, by SciPy, a frame at a time."""
    rng = np.random.default_rng(random.randrange(2**32))
    joints, frames = int(rng.integers(1, 8)), int(rng.integers(1, 4))
    parents = [-1, *(int(rng.integers(0, joint)) for joint in range(1, joints))]
    offsets = rng.normal(size=(joints, 3)).round(4)
    orders = ["".join(rng.permutation(list("XYZ"))) for _ in range(joints)]
    angles = rng.uniform(-180, 180, (frames, joints, 3)).round(4)
    starts = rng.normal(size=(frames, 3)).round(4)
    order = []  # of the file: each joint's whole branch before the next

    def written(joint, deep):
        order.append(joint)
        channels = " ".join(f"{axis}rotation" for axis in orders[joint])
        position = "6 Xposition Yposition Zposition" if joint == 0 else "3"
        inside = [f"OFFSET {' '.join(map(str, offsets[joint]))}", f"CHANNELS {position} {channels}"]
        inside += [written(child, deep + 1) for child in range(joints) if parents[child] == joint]
        kind = "JOINT" if deep else "ROOT"
        return f"{kind} j{joint}\n{{\n" + "\n".join(inside) + "\n}"

    text = "HIERARCHY\n" + written(0, 0)
    rows = [[*starts[frame], *(angle for joint in order for angle in angles[frame, joint])] for frame in range(frames)]
    motion = "\n".join(" ".join(map(str, row)) for row in rows)
    (found,) = read(tmp_path, f"{text}\nMOTION\nFrames: {frames}\nFrame Time: 0.01\n{motion}\n")
    assert found.names == tuple(f"j{joint}" for joint in order)
    for frame in range(frames):
        turns, places = {}, {}
        for joint in order:
            own = Rotation.from_euler(orders[joint], angles[frame, joint], degrees=True)  # capitals: about new axes
            if parents[joint] < 0:
                turns[joint], places[joint] = own, starts[frame]
            else:
                above = turns[parents[joint]]
                turns[joint], places[joint] = above * own, places[parents[joint]] + above.apply(offsets[joint])
        np.testing.assert_allclose(found.coordinates[frame], [places[joint] for joint in order], atol=1e-9)


@pytest.mark.parametrize(("shift", "place"), [((0, 10, 0), 10), ((0, 11, 0), 11), ((0, 0, 0), 10), ((0, 1, 0), 11)])
def test_positions_of_joints_replace_offsets_or_add_to_them(tmp_path, shift, place):
    text = ARM.replace("CHANNELS 3 Z", "CHANNELS 6 Xposition Yposition Zposition Z", 1)
    rows = f"1 2 3 0 0 0 {shift[0]} {shift[1]} {shift[2]} 0 0 0 0 0 0\n"
    (found,) = read(tmp_path, text[: text.index("1 2 3")].replace("Frames: 2", "Frames: 1") + rows)
    np.testing.assert_allclose(found.coordinates[0, 1], [1, 2 + place, 3])


def test_two_skeletons_are_two_recordings(tmp_path):
    hierarchy, motion = ARM.removeprefix("HIERARCHY\n").split("MOTION\n")
    rows = motion.splitlines()
    twice = "\n".join([*rows[:2], *(f"{row} {row}" for row in rows[2:])])
    first, second = read(tmp_path, f"HIERARCHY\n{hierarchy}{hierarchy.replace('Base', 'Other')}MOTION\n{twice}\n")
    assert (first.body, second.body, second.names[0]) == ("Base", "Other", "Other")
    np.testing.assert_array_equal(first.coordinates, second.coordinates)


RIGS = {
    "mixamo": "{p}Hips {p}Spine {p}Spine1 {p}Neck {p}Head {p}HeadTop_End "
    "{p}SShoulder {p}SArm {p}SForeArm {p}SHand {p}SHandIndex1 {p}SUpLeg {p}SLeg {p}SFoot {p}SToeBase",
    "daz": "hip abdomen chest neck head end sCollar sShldr sForeArm sHand sMid1 sThigh sShin sFoot sToe",
    "biped": "{b}Pelvis {b}Spine {b}Spine1 {b}Neck {b}Head {b}HeadNub {b}s_Clavicle {b}s_UpperArm {b}s_Forearm "
    "{b}s_Hand {b}s_Finger0 {b}s_Thigh {b}s_Calf {b}s_Foot {b}s_Toe0",
    "by joints": "Hips Chest Chest2 Neck Head Top SCollar SShoulder SElbow SWrist SHand SHip SKnee SAnkle SToe",
    "behind": "Hips Spine Chest Neck Head Top Shoulder_s UpperArm_s LowerArm_s Hand_s Palm_s UpperLeg_s LowerLeg_s "
    "Foot_s Toes_s",
}
PARENTS = (-1, 0, 1, 2, 3, 4)  # then of each side: the collar on the chest, the thigh on the hips


@pytest.mark.parametrize("rig", RIGS)
def test_rigs(rig):
    words = RIGS[rig].replace("{p}", "mixamorig:").replace("{b}", "Bip01_").split()
    sides = {"Left": ("Left", "l", "L"), "Right": ("Right", "r", "R")}
    whole, small, capital = 0, 1, 2
    names, parents = words[:6], list(PARENTS)
    for forms in sides.values():
        start = len(names)
        for index, word in enumerate(words[6:]):
            if rig == "behind":
                names.append(word.replace("_s", f"_{forms[capital]}"))
            elif rig == "biped":
                names.append(word.replace("_s_", f"_{forms[capital]}_"))
            elif rig == "daz":
                names.append(forms[small] + word[1:])
            else:
                names.append(word.replace("S", forms[whole], 1))
            parents.append({0: 2, 5: 0}.get(index, start + index - 1))
    found = canonical_joints(names, parents, [[0, 1, 0]] * len(names))
    assert set(found) == set(skeletons.JOINTS)
    assert found["HipCenter"] == [0]
    assert found["ShoulderCenter"] == [3]
    assert found["Head"] == [4, 5]
    for side, start in (("Left", 6), ("Right", 15)):
        parts = ("Shoulder", "Elbow", "Wrist", "Hand", "Hip", "Knee", "Ankle", "Foot")
        assert [found[part + side] for part in parts] == [[start + index] for index in range(1, 9)]


def test_hands_are_not_at_the_wrist():
    """CMU's rig has the base of the fingers and the thumb in the very place of the wrist."""
    sides = [
        f"{side}{part}" for side in ("Left", "Right") for part in ["Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot"]
    ]
    names = ["Hips", "Head", *sides, "LeftFingerBase", "LThumb", "LeftHandIndex1", ""]
    wrist = names.index("LeftHand")
    parents = [-1, 0, *[0] * len(sides), wrist, wrist, len(names) - 4, len(names) - 3]
    offsets = [[0, 1, 0]] * (len(names) - 4) + [[0, 0, 0], [0, 0, 0], [1, 0, 0], [0, 0, 1]]
    found = canonical_joints(names, parents, offsets)
    assert found["HandLeft"] == [len(names) - 2, len(names) - 1]


def test_rigs_of_unusual_names_keep_them():
    assert canonical_joints(["a", "b", ""], [-1, 0, 1], [[0, 1, 0]] * 3) is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("HIERARCHY", "", "expected HIERARCHY and MOTION of BVH"),
        ("MOTION", "", "expected HIERARCHY and MOTION of BVH"),
        ("  JOINT Upper Arm\n  {", "  JOINT Upper Arm\n", "expected"),
        ("OFFSET 0 5 0", "OFFSET 0 x 0", "OFFSET after 'Lower': expected a number, found 'x'"),
        ("CHANNELS 3 Zrotation", "CHANNELS 3 Wrotation", "expected CHANNELS such as Xposition and Zrotation"),
        ("Frames: 2", "Frames: 3", "expected 3 frames of 12 numbers, found 24 numbers"),
        ("Frames: 2", "Frames: 200000", "expected at most 100,000 frames"),
        ("90 0 0 0 90", "90 0 0 x 90", "line 25: expected numbers, found '1 2 3 0"),
        ("90 0 0 0 90", "90 0 0 nan 90", "line 25: expected finite numbers"),
        ("90 0 0 0 90", "90 0 0 90", "found 23 numbers"),
        ("MOTION\n", "}\nMOTION\n", "found '}'"),
    ],
)
def test_what_is_none(tmp_path, old, new, message):
    assert old in ARM
    with pytest.raises(ValueError, match=message) as refusal:
        read(tmp_path, ARM.replace(old, new, 1))
    assert str(refusal.value).startswith(str(tmp_path / "w.bvh"))


def test_units_are_as_they_are_given(tmp_path):
    (found,) = read(tmp_path, ARM, WalkFormat(units="cm"))
    assert found.remarks == ("BVH does not say its units; lengths were taken as cm",)


@hypothesis.given(st.data())
@hypothesis.settings(max_examples=examples(400), suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_any_damage_is_read_or_refused(tmp_path, data):
    text = ARM.encode()
    start = data.draw(st.integers(0, len(text)))
    content = text[:start] + data.draw(st.binary(max_size=8)) + text[start + data.draw(st.integers(0, 8)) :]
    read_or_refused(tmp_path / "w.bvh", content)
    read_or_refused(
        tmp_path / "w.bvh", b"HIERARCHY\n" + data.draw(st.binary()) + b"\nMOTION\n" + data.draw(st.binary())
    )
