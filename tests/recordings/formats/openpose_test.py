"""OpenPose: folders with a file for each frame, one file for all, and what has no depth."""

import json

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from support.budget import examples
from support.refusals import read_or_refused

from agegait import skeletons
from agegait.recordings import read_recordings

SCHEMAS = {25: "openpose_body_25", 18: "openpose_coco_18"}


def keypoints(frame, score=1):
    return [number for joint in frame for number in (*joint, score)]


def frame_of(*people):
    return {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": [1.0] * 75, **own} for own in people]}


def walk_of(joints=25, frames=6, seed=0):
    return np.random.default_rng(seed).standard_normal((frames, joints, 3)).round(4)


def write_folder(folder, frames, name="a_{:012}_keypoints.json"):
    folder.mkdir(exist_ok=True)
    for index, frame in frames.items() if isinstance(frames, dict) else enumerate(frames):
        (folder / name.format(index)).write_text(json.dumps(frame))
    return folder


@pytest.mark.parametrize("joints", SCHEMAS)
def test_a_folder_of_frames(tmp_path, joints):
    walk = walk_of(joints)
    folder = write_folder(tmp_path / "w", [frame_of({"pose_keypoints_3d": keypoints(frame)}) for frame in walk])
    (folder / "settings.txt").write_text("not a frame")
    (found,) = read_recordings(folder)
    np.testing.assert_array_equal(found.coordinates, walk)
    assert found.tracked.all()
    assert skeletons.schema_of_names(found.names)[0].name == SCHEMAS[joints]
    assert (found.up, found.units, found.frame_rate, found.breaks) == ("-y", None, None, ())


def test_numbers_in_names_order_frames(tmp_path):
    walk = walk_of(frames=12)
    frames = [frame_of({"pose_keypoints_3d": keypoints(frame)}) for frame in walk]
    (found,) = read_recordings(write_folder(tmp_path / "w", frames, "{}_keypoints.json"))
    np.testing.assert_array_equal(found.coordinates, walk)


def test_joints_that_were_not_rebuilt_are_missing(tmp_path):
    walk = walk_of()
    numbers = [keypoints(frame) for frame in walk]
    numbers[2][4 * 7 : 4 * 8] = [0, 0, 0, 0]
    numbers[3][4 * 7 + 3] = 0.2
    (found,) = read_recordings(write_folder(tmp_path / "w", [frame_of({"pose_keypoints_3d": own}) for own in numbers]))
    assert np.isnan(found.coordinates[2, 7]).all()
    assert np.isnan(found.coordinates).sum() == 3
    assert np.argwhere(~found.tracked).tolist() == [[2, 7], [3, 7]]


def test_frames_without_a_body_break_the_walk_if_they_are_many(tmp_path):
    walk = walk_of(frames=30)
    frames = [frame_of({"pose_keypoints_3d": keypoints(frame)}) for frame in walk]
    frames[3] = frame_of()
    frames[10:18] = [frame_of({"pose_keypoints_3d": [0] * 100})] * 8
    (found,) = read_recordings(write_folder(tmp_path / "w", frames))
    kept = [*range(3), *range(4, 10), *range(18, 30)]
    np.testing.assert_array_equal(found.coordinates, walk[kept])
    assert found.breaks == (9,)
    assert any("9 frames are missing, most between 9 and 18" in remark for remark in found.remarks)


def test_files_that_are_missing_break_the_walk(tmp_path):
    frames = {
        2 * index: frame_of({"pose_keypoints_3d": keypoints(walk_of()[0])}) for index in [*range(5), *range(25, 30)]
    }
    (found,) = read_recordings(write_folder(tmp_path / "w", frames))
    assert (len(found.coordinates), found.breaks) == (10, (5,))
    assert any("20 frames are missing, most between 8 and 50" in remark for remark in found.remarks)


def test_people_with_ids_are_apart(tmp_path):
    first, second = walk_of(seed=1), walk_of(seed=2)
    people = [
        [{"person_id": [4], "pose_keypoints_3d": keypoints(a)}, {"person_id": [3], "pose_keypoints_3d": keypoints(b)}]
        for a, b in zip(first, second, strict=True)
    ]
    found = read_recordings(
        write_folder(tmp_path / "w", [frame_of(*own[:: (-1) ** i]) for i, own in enumerate(people)])
    )
    assert [recording.body for recording in found] == ["3", "4"]
    np.testing.assert_array_equal(found[0].coordinates, second)
    np.testing.assert_array_equal(found[1].coordinates, first)


def test_people_without_ids_are_refused(tmp_path):
    own = {"pose_keypoints_3d": keypoints(walk_of()[0])}
    folder = write_folder(tmp_path / "w", [frame_of(own), frame_of(own, own)])
    with pytest.raises(ValueError, match=r"frame 1: expected one body, or another person_id for each, found several"):
        read_recordings(folder)


@pytest.mark.parametrize("flat", [{}, {"pose_keypoints_3d": []}])
def test_keypoints_without_depth_are_refused(tmp_path, flat):
    folder = write_folder(tmp_path / "w", [frame_of(flat), frame_of()])
    with pytest.raises(ValueError, match=r"found 2D keypoints alone \(pose_keypoints_2d, pixels\); walks in 3D are"):
        read_recordings(folder)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda frames: frames,
        lambda frames: {"frames": frames},
        lambda frames: {f"{index}_keypoints.json": frame for index, frame in enumerate(frames)},
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_one_file_for_all_frames(tmp_path, wrap, encoding):
    walk = walk_of()
    frames = [frame_of({"pose_keypoints_3d": keypoints(frame)}) for frame in walk]
    (tmp_path / "w.json").write_text(json.dumps(wrap(frames)), encoding=encoding)
    (found,) = read_recordings(tmp_path / "w.json")
    np.testing.assert_array_equal(found.coordinates, walk)


def test_lines_of_json(tmp_path):
    walk = walk_of()
    lines = [json.dumps(frame_of({"pose_keypoints_3d": keypoints(frame)})) for frame in walk]
    (tmp_path / "w.jsonl").write_text("\n".join(lines) + "\n")
    (found,) = read_recordings(tmp_path / "w.jsonl")
    np.testing.assert_array_equal(found.coordinates, walk)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"people": 3}, "expected a frame of OpenPose with people"),
        ({"people": ["a"]}, "expected people with pose_keypoints_3d, found text 'a'"),
        (frame_of({"pose_keypoints_3d": [1.0] * 99}), "expected x, y, z and a score of 25 or 18 or 15 keypoints"),
        (frame_of({"pose_keypoints_3d": ["1"] * 100}), "expected 100 numbers, found a list of 100, of text"),
        (frame_of({"pose_keypoints_3d": [10**400] * 100}), "expected numbers within float64"),
        (frame_of({"pose_keypoints_3d": [0.5] * 99 + [-1]}), "expected states of 0 and more, or confidences"),
        (
            frame_of({"person_id": {}, "pose_keypoints_3d": [1.0] * 100}),
            "person_id: expected a number or a name, found objects",
        ),
        (frame_of({"pose_keypoints_3d": [1.0] * 72}), "expected as many keypoints in each frame, found 18 and 25"),
    ],
)
def test_frames_that_are_none(tmp_path, frame, message):
    good = frame_of({"pose_keypoints_3d": keypoints(walk_of()[0])})
    folder = write_folder(tmp_path / "w", [good, frame])
    with pytest.raises(ValueError, match=message) as refusal:
        read_recordings(folder)
    assert "\n" not in str(refusal.value)


@hypothesis.given(
    st.one_of(
        st.binary(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(st.sampled_from(["people", "person_id", "pose_keypoints_3d", "frames"]), inner)
            ),
        ).map(lambda document: json.dumps({"people": document}).encode()),
    )
)
@hypothesis.settings(max_examples=examples(400), suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_refused(tmp_path, content):
    read_or_refused(tmp_path / "w.json", content)
