"""Rigs and sets of markers that are known by their names, in any kind of file."""

import numpy as np
import pytest
from support.bodies import walk
from support.walk_writing import refused, wide_text, write

from agegait.data import WalkFormat
from agegait.recordings import load_walks
from agegait.recordings.formats.marker_sets import placed_among
from agegait.skeletons import JOINTS, limbs
from agegait.skeletons.sides import sides_exchanged

BODY = walk(60).astype(float)
PARTS = ("Shoulder", "Elbow", "Wrist", "Hand", "Hip", "Knee", "Ankle", "Foot")

SMPL = {
    **{"pelvis": "HipCenter", "spine1": "Spine", "neck": "ShoulderCenter", "head": "Head"},
    **{f"{side}_{part.lower()}": f"{part}{side.title()}" for side in ("left", "right") for part in PARTS},
}
RIGS = {
    "SMPL": {**SMPL, "spine2": "Spine", "left_collar": "ShoulderCenter", "right_collar": "ShoulderCenter"},
    "Nuitrack": {
        f"joint_{name}.real": joint
        for name, joint in {**SMPL, "waist": "HipCenter", "torso": "Spine", "left_collar": "ShoulderCenter"}.items()
        if name not in ("pelvis", "spine1") and "foot" not in name
    },
    "OpenNI": {
        **{"HEAD": "Head", "NECK": "ShoulderCenter", "TORSO": "Spine"},
        **{
            f"{side.upper()}_{name}": f"{part}{side}"
            for side in ("Left", "Right")
            for name, part in (
                *(("SHOULDER", "Shoulder"), ("ELBOW", "Elbow"), ("HAND", "Wrist")),
                *(("HIP", "Hip"), ("KNEE", "Knee"), ("FOOT", "Ankle")),
            )
        },
    },
    "Halpe of Pose2Sim": {
        **{"CHip": "HipCenter", "Neck": "ShoulderCenter", "Head": "Head", "Nose": "Head"},
        **{
            f"{side[0]}{name}": f"{part}{side}"
            for side in ("Left", "Right")
            for name, part in (*((part, part) for part in PARTS if part not in ("Hand", "Foot")), ("BigToe", "Foot"))
        },
    },
    "Motive's bones": {
        **{"Hip": "HipCenter", "Ab": "Spine", "Neck": "ShoulderCenter", "Head": "Head"},
        **{
            f"{side[0]}{name}": f"{part}{side}"
            for side in ("Left", "Right")
            for name, part in (
                *(("UArm", "Shoulder"), ("FArm", "Elbow"), ("Hand", "Wrist")),
                *(("Thigh", "Hip"), ("Shin", "Knee"), ("Foot", "Ankle"), ("Toe", "Foot")),
            )
        },
    },
}


def taken(tmp_path, joints, **options):
    """A table of a rig's joints, read."""
    places = BODY[:, [JOINTS.index(joint) for joint in joints.values()]]
    path = write(tmp_path / "w.csv", wide_text(places, list(joints)))
    (found,) = load_walks(path, WalkFormat(missing="interpolate", **options))
    return found


@pytest.mark.parametrize("rig", RIGS)
def test_a_rig_is_known_by_its_names(tmp_path, rig):
    found = taken(tmp_path, RIGS[rig])
    for joint in JOINTS:
        if joint in RIGS[rig].values():
            place = JOINTS.index(joint)
            np.testing.assert_allclose(found.skeleton[:, place], BODY[:, place], atol=1e-5, err_msg=joint)
    assert limbs.faults(limbs.summarize([{"skeleton": found.skeleton}])) == []
    assert "joints: " in "; ".join(found.remarks)


def markers(body, sets):
    """Markers as they lie on a body: in front of, behind and beside the joints."""
    place = dict(zip(JOINTS, np.moveaxis(body, 1, 0), strict=True))
    right = (place["ShoulderRight"] - place["ShoulderLeft"]) * [1, 0, 1]
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    front = np.cross([0, 1, 0], right)
    return {
        name: place[joint] + ahead * front + beside * right + [0, up, 0]
        for name, (joint, ahead, beside, up) in sets.items()
    }


def plug_in_gait():
    found = {"C7": ("ShoulderCenter", -0.06, 0, 0), "CLAV": ("ShoulderCenter", 0.06, 0, -0.05)}
    found |= {"T10": ("Spine", -0.1, 0, 0.2), "STRN": ("Spine", 0.1, 0, 0.2)}
    for side, sign in (("Left", -1), ("Right", 1)):
        for name, joint, *away in (
            *(("FHD", "Head", 0.08, 0.06, 0.05), ("BHD", "Head", -0.08, 0.06, 0.05), ("SHO", "Shoulder", 0, 0, 0.05)),
            *(("ELB", "Elbow", 0, 0.04, 0), ("WRA", "Wrist", 0.03, 0, 0), ("WRB", "Wrist", -0.03, 0, 0)),
            *(("FIN", "Hand", 0, 0, 0), ("ASI", "HipCenter", 0.08, 0.12, 0.05), ("PSI", "HipCenter", -0.1, 0.05, 0.06)),
            *(("THI", "Knee", 0, 0.05, 0.2), ("KNE", "Knee", 0, 0.05, 0), ("TIB", "Ankle", 0, 0.05, 0.2)),
            *(("ANK", "Ankle", 0, 0.03, 0), ("HEE", "Ankle", -0.06, 0, -0.05), ("TOE", "Foot", 0, 0, 0)),
        ):
            own = joint if joint in ("Head", "HipCenter") else f"{joint}{side}"
            found[f"{side[0]}{name}"] = (own, away[0], sign * away[1], away[2])
    return found


def opensim():
    names = {
        **{"SHO": "Acromium", "ELB": "Elbow", "WRA": "Wrist.Lat", "WRB": "Wrist.Med", "ASI": "ASIS"},
        **{"KNE": "Knee.Lat", "ANK": "Ankle.Lat", "TOE": "Toe.Tip", "HEE": "Heel", "THI": "Thigh.Upper"},
    }
    found = {f"{name[0]}.{names[name[1:]]}": way for name, way in plug_in_gait().items() if name[1:] in names}
    return found | {
        **{"Sternum": ("Spine", 0.1, 0, 0.2), "V.Sacral": ("HipCenter", -0.1, 0, 0.06)},
        "Top.Head": ("Head", 0, 0, 0.12),
    }


@pytest.mark.parametrize("sets", [plug_in_gait, opensim])
def test_a_set_of_markers_becomes_a_body(tmp_path, sets):
    places = markers(BODY, sets())
    path = write(tmp_path / "w.csv", wide_text(np.stack(list(places.values()), axis=1), list(places)))
    (found,) = load_walks(path, WalkFormat(missing="interpolate"))
    away = np.linalg.norm(found.skeleton - BODY, axis=-1).mean(axis=0)
    assert away.max() < 0.12, dict(zip(JOINTS, away.round(2), strict=True))
    assert limbs.faults(limbs.summarize([{"skeleton": found.skeleton}])) == []
    assert not sides_exchanged(found.skeleton)
    assert "joints placed among markers: HipCenter is L" in "; ".join(found.remarks)


def test_markers_of_a_part_of_the_body_are_none(tmp_path):
    legs = {name: way for name, way in plug_in_gait().items() if name[1:] in ("ASI", "PSI", "KNE", "ANK", "TOE")}
    assert placed_among(list(legs)) is None
    places = markers(BODY, legs)
    write(tmp_path / "w.csv", wide_text(np.stack(list(places.values()), axis=1), list(places)))
    refused(tmp_path / "w.csv", "names: expected the joints of one of")


def test_a_map_of_the_users_own_counts_more(tmp_path):
    joints = RIGS["SMPL"]
    names = {joint: name for name, joint in reversed(joints.items()) if joint != "HandLeft"}
    places = BODY[:, [JOINTS.index(joint) for joint in joints.values()]]
    path = write(tmp_path / "w.csv", wide_text(places, list(joints)))
    (found,) = load_walks(path, WalkFormat(missing="interpolate", joint_map={**names, "HandLeft": "left_wrist"}))
    assert found.schema == "joint_map"
    wrist, hand = (found.skeleton[:, JOINTS.index(joint)] for joint in ("WristLeft", "HandLeft"))
    np.testing.assert_array_equal(wrist, hand)
