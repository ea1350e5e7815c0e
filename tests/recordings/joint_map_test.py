"""Maps of joints that users make."""

import dataclasses
import json

import numpy as np
import pytest
from support.bodies import walk
from support.walk_writing import wide_text, write

from agegait import skeletons
from agegait.data import WalkFormat, load_walk, read_walk
from agegait.storage.records import from_record
from agegait.training import Settings

BODY = walk(30, 1, 1).astype(float)
OWN = [f"M{number:02}x" for number in range(20)]
MAP = dict(zip(skeletons.JOINTS, OWN, strict=True))


def test_a_file_in_joints_of_ones_own(tmp_path):
    write(tmp_path / "walk.csv", wide_text(np.concatenate([BODY[:, :1] + 1, BODY], axis=1), ["extra", *OWN]))
    write(tmp_path / "map.json", json.dumps(MAP))
    with pytest.raises(ValueError, match=r"joint_map=.* says which joint is which"):
        read_walk(tmp_path / "walk.csv")
    for given in (MAP, tmp_path / "map.json", str(tmp_path / "map.json"), json.dumps(MAP)):
        read = load_walk(tmp_path / "walk.csv", WalkFormat(joint_map=given))
        np.testing.assert_allclose(read.skeleton, BODY, atol=1e-6)
    assert read.schema == "joint_map"


def test_numbers_and_joints_in_the_middle_of_others(tmp_path):
    order = np.random.default_rng(0).permutation(20)
    np.save(tmp_path / "walk.npy", BODY[:, order])
    places = {joint: int(np.flatnonzero(order == index)[0]) for index, joint in enumerate(skeletons.JOINTS)}
    joint_map = {**places, "HipCenter": [places["HipLeft"], places["HipRight"]]}
    read = read_walk(tmp_path / "walk.npy", WalkFormat(joint_map=joint_map))
    np.testing.assert_allclose(read[:, 1:], BODY[:, 1:], atol=1e-6)
    np.testing.assert_allclose(read[:, 0], BODY[:, [12, 16]].mean(axis=1), atol=1e-6)


def test_hands_feet_and_the_back_can_be_placed_and_nothing_else(tmp_path):
    np.save(tmp_path / "walk.npy", BODY)
    some = {
        joint: number
        for number, joint in enumerate(skeletons.JOINTS)
        if not joint.startswith(("Hand", "Foot", "HipCenter", "Spine", "ShoulderCenter"))
    }
    with pytest.raises(ValueError, match=r'has no HipCenter, Spine, ShoulderCenter, .*missing="interpolate"'):
        read_walk(tmp_path / "walk.npy", WalkFormat(joint_map=some))
    read = read_walk(tmp_path / "walk.npy", WalkFormat(joint_map=some, missing="interpolate"))
    np.testing.assert_allclose(read[:, 7], BODY[:, 6], atol=1e-6)
    np.testing.assert_allclose(read[:, 1], BODY[:, [12, 16, 4, 8]].mean(axis=1), atol=1e-6)
    del some["Head"]
    with pytest.raises(ValueError, match="joint_map: expected Head too"):
        read_walk(tmp_path / "walk.npy", WalkFormat(joint_map=some, missing="interpolate"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "expected {.*}, from canonical joints to yours"),
        ([1], "from canonical joints to yours"),
        ("{", "expected JSON"),
        ("nowhere.json", "expected a JSON file, .*No such file"),
        ({"Nose": 0}, "expected canonical joints on the left, .* received 'Nose'"),
        ({"Head": 1.5}, "expected a joint's name, its number from 0, or a list"),
        ({"Head": -1}, "its number from 0"),
        ({"Head": []}, "its number from 0"),
        ({"Head": 0, "Spine": "x"}, "names of all joints, or numbers of all"),
    ],
)
def test_what_is_no_map(given, message):
    with pytest.raises(ValueError, match=rf"joint_map: .*{message}"):
        WalkFormat(joint_map=given)


def test_what_does_not_go_with_it(tmp_path):
    np.save(tmp_path / "walk.npy", BODY)
    with pytest.raises(ValueError, match="joint_map: expected without joints"):
        WalkFormat(joints="kinect_v1", joint_map=MAP)
    with pytest.raises(ValueError, match=r"walk\.npy: joint_map: expected numbers of joints, which have no names here"):
        read_walk(tmp_path / "walk.npy", WalkFormat(joint_map=MAP))
    with pytest.raises(ValueError, match="joint_map: expected numbers of 0 to 19, received 20 for FootRight"):
        read_walk(
            tmp_path / "walk.npy", WalkFormat(joint_map={j: number + 1 for number, j in enumerate(skeletons.JOINTS)})
        )


def test_a_run_keeps_the_map_itself_and_reads_no_file_for_it():
    settings = Settings("biwi", walk_format=WalkFormat(joint_map=MAP, up="-y", skip_bad=True))
    record = json.loads(json.dumps(dataclasses.asdict(settings)))
    assert from_record(Settings, record, "settings") == settings
    record["walk_format"]["joint_map"] = "map.json"
    with pytest.raises(ValueError, match=r"walk_format\.joint_map: expected an object, found 'map\.json'"):
        from_record(Settings, record, "settings")
