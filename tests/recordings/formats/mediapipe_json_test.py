"""JSON of MediaPipe's landmarks, in the many forms in which people write it."""

import json

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from support.budget import examples
from support.refusals import read_or_refused

from agegait import skeletons
from agegait.recordings import read_recordings

JOINTS = skeletons.SCHEMAS["mediapipe_pose"].joints
LEFT, RIGHT = JOINTS.index("left_hip"), JOINTS.index("right_hip")


def walk_of(frames=8, seed=0):
    walk = np.random.default_rng(seed).normal(size=(frames, 33, 3)).round(3)
    walk[:, RIGHT] = -walk[:, LEFT]  # the origin is in the middle of the hips
    return walk


def objects(pose, **more):
    return [{"x": x, "y": y, "z": z, "visibility": 0.9, **more} for x, y, z in pose.tolist()]


def lists(pose):
    return [[*place, 0.9] for place in pose.tolist()]


WAYS = {
    "objects": objects,
    "lists": lists,
    "numbers": lambda pose: [number for place in lists(pose) for number in place],
    "names": lambda pose: {name.upper(): place for name, place in zip(JOINTS, objects(pose), strict=True)},
    "protocol buffer": lambda pose: {"landmark": objects(pose)},
    "people": lambda pose: [objects(pose)],
}

FORMS = {
    "a list": lambda poses: [{"pose_world_landmarks": pose} for pose in poses],
    "camels": lambda poses: {"fps": 25, "frames": [{"poseWorldLandmarks": pose} for pose in poses]},
    "both": lambda poses: [{"pose_landmarks": objects(np.full((33, 3), 0.5)), "worldLandmarks": own} for own in poses],
    "by number": lambda poses: {f"frame_{index}": {"world_landmarks": pose} for index, pose in enumerate(poses)},
    "bare": lambda poses: {"meta": {"frame_rate": 25.0}, "frames": [{"landmarks": pose} for pose in poses]},
    "columns": lambda poses: {"pose_world_landmarks": poses},
    "bare lists": lambda poses: poses,
    "people": lambda poses: [{"people": [{"id": 1, "pose_world_landmarks": pose}]} for pose in poses],
}


def write(path, content):
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", FORMS)
def test_the_ways_of_writing(tmp_path, way, form):
    if (way, form) in {("numbers", "bare lists"), ("lists", "bare lists"), ("names", "bare lists")}:
        pytest.skip("nothing in such a file says that it is of MediaPipe")
    walk = walk_of(12)
    (found,) = read_recordings(write(tmp_path / "w.json", FORMS[form]([WAYS[way](pose) for pose in walk])))
    np.testing.assert_array_equal(found.coordinates, walk)
    assert found.tracked.all()
    assert (found.units, found.up, found.names) == ("m", "-y", JOINTS)
    assert found.frame_rate == (25.0 if form in ("camels", "bare") else None)


def test_visibility_tells_what_was_tracked(tmp_path):
    frames = [{"pose_world_landmarks": objects(pose)} for pose in walk_of()]
    frames[3]["pose_world_landmarks"][5]["visibility"] = 0.2
    frames[4]["pose_world_landmarks"][6] |= {"x": None, "y": float("nan")}
    (found,) = read_recordings(write(tmp_path / "w.json", frames))
    assert np.argwhere(~found.tracked).tolist() == [[3, 5]]
    assert np.isnan(found.coordinates[4, 6, :2]).all()


@pytest.mark.parametrize("nothing", [None, [], {}])
def test_frames_without_anybody(tmp_path, nothing):
    walk = walk_of(30)
    frames = [{"pose_world_landmarks": objects(pose)} for pose in walk]
    frames[10:20] = [{"pose_world_landmarks": nothing}] * 10
    (found,) = read_recordings(write(tmp_path / "w.json", {"fps": 10, "frames": frames}))
    np.testing.assert_array_equal(found.coordinates, walk[[*range(10), *range(20, 30)]])
    assert found.breaks == (10,)
    np.testing.assert_allclose(found.seconds[[9, 10]], [0.9, 2.0])


@pytest.mark.parametrize(
    ("key", "unit"), [("timestamp_ms", 1000), ("time", 1), ("timestampUs", 10**6), ("timestamp", 1000)]
)
def test_times(tmp_path, key, unit):
    frames = [{key: 5 + unit * i / 25, "pose_world_landmarks": objects(pose)} for i, pose in enumerate(walk_of())]
    (found,) = read_recordings(write(tmp_path / "w.json", frames))
    np.testing.assert_allclose(found.seconds, np.arange(8) / 25)


def test_people_with_ids_are_apart_also_as_entries_of_their_own(tmp_path):
    walks = walk_of(seed=1), walk_of(seed=2)
    entries = [
        {"frame": frame, "person_id": person, "landmarks": objects(walks[person][frame])}
        for frame in range(8)
        for person in (1, 0)
    ]
    found = read_recordings(write(tmp_path / "w.json", entries))
    assert [recording.body for recording in found] == ["0", "1"]
    for recording, walk in zip(found, walks, strict=True):
        np.testing.assert_array_equal(recording.coordinates, walk)


def test_several_people_without_ids_are_refused(tmp_path):
    pose = objects(walk_of()[0])
    frames = [{"pose_world_landmarks": [pose]}, {"pose_world_landmarks": [pose, pose]}]
    with pytest.raises(ValueError, match=r"frame 1: expected one body, .* who is who is not said"):
        read_recordings(write(tmp_path / "w.json", frames))


@pytest.mark.parametrize("key", ["pose_landmarks", "poseLandmarks", "landmarks", "pose_world_landmarks"])
def test_image_landmarks_are_refused(tmp_path, key):
    image = np.random.default_rng(0).uniform(0.3, 0.7, (8, 33, 3))
    with pytest.raises(ValueError, match=r"expected world landmarks .*, found image landmarks"):
        read_recordings(write(tmp_path / "w.json", [{key: objects(pose)} for pose in image]))


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (
            [{"landmark_count": 3, "visibility": 1}],
            "frame 0: expected pose_world_landmarks, found a list of 2, of text",
        ),
        ([{"pose_world_landmarks": 3}], "frame 0: expected 33 landmarks, found numbers 3"),
        ([{"pose_world_landmarks": objects(walk_of()[0])[:20]}], "frame 0: expected 33 landmarks, found a list of 20"),
        ([{"pose_world_landmarks": [[1, "2", 3]] * 33}], "frame 0, joint nose: expected 3 numbers"),
        ([{"pose_world_landmarks": {"nose": [1, 2, 3]}}], "frame 0: expected the 33 landmarks of MediaPipe"),
        ([{"pose_world_landmarks": []}], "expected a body, found none in any frame"),
        ({"pose_world_landmarks": None, "frames": 3}, "expected a body|expected a list of frames"),
    ],
)
def test_what_is_none(tmp_path, frames, message):
    with pytest.raises(ValueError, match=message):
        read_recordings(write(tmp_path / "w.json", frames))


@hypothesis.given(st.data())
@hypothesis.settings(max_examples=examples(400), suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_any_damage_is_read_or_refused(tmp_path, data):
    text = json.dumps([{"pose_world_landmarks": objects(pose)} for pose in walk_of(2)]).encode()
    start = data.draw(st.integers(0, len(text)))
    content = text[:start] + data.draw(st.binary(max_size=8)) + text[start + data.draw(st.integers(0, 8)) :]
    read_or_refused(tmp_path / "w.json", content)
    inner = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["landmarks", "frames", "people", "x", "poses", "time", "frame"]), inner)
        ),
    )
    read_or_refused(tmp_path / "w.json", json.dumps({"landmarks": data.draw(inner)}).encode())
    read_or_refused(tmp_path / "w.json", json.dumps([{"landmarks": data.draw(inner)}]).encode())
