"""JSON of Azure Kinect's offline processor."""

import json

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from support.budget import examples
from support.refusals import read_or_refused

from agegait import skeletons
from agegait.recordings import read_recordings

JOINTS = skeletons.SCHEMAS["azure_kinect"].joints


def document(bodies, times=None, **more):
    """Of {body id: {frame: [32, 3]}}."""
    count = 1 + max(frame for walk in bodies.values() for frame in walk)
    frames = [
        {
            "frame_id": frame,
            "timestamp_usec": times[frame] if times else 1_000_000 + 33_333 * frame,
            "bodies": [
                {"body_id": body, "joint_positions": walk[frame].tolist()}
                for body, walk in bodies.items()
                if frame in walk
            ],
        }
        for frame in range(count)
    ]
    return {"joint_names": list(JOINTS), "bone_list": [["HEAD", "NOSE"]], "frames": frames, **more}


def walk_of(frames, seed=0):
    return dict(zip(frames, np.random.default_rng(seed).normal(size=(len(frames), 32, 3)).round(2), strict=True))


def write(path, content):
    path.write_text(json.dumps(content, indent=4))
    return path


def test_each_body_is_a_recording(tmp_path):
    first, second = walk_of(range(30)), walk_of([*range(5, 15), *range(25, 40)], seed=1)
    found = read_recordings(write(tmp_path / "w.json", document({7: first, 12: second})))
    assert [recording.body for recording in found] == ["7", "12"]
    np.testing.assert_array_equal(found[0].coordinates, [*first.values()])
    np.testing.assert_array_equal(found[1].coordinates, [*second.values()])
    assert (found[0].units, found[0].up, found[0].names) == ("mm", "-y", JOINTS)
    np.testing.assert_allclose(found[0].seconds, np.arange(30) * 0.033333)
    np.testing.assert_allclose(found[1].seconds[0], 5 * 0.033333)  # of the file
    assert (found[0].breaks, found[1].breaks) == ((), (10,))
    assert found[1].remarks == ("10 frames of body 12 are missing, most between 14 and 25",)


def test_confidence_levels(tmp_path):
    content = document({1: walk_of(range(3))})
    for frame in content["frames"]:
        frame["bodies"][0]["joint_confidence_levels"] = [0, 1, 2, *[2] * 29]
    (found,) = read_recordings(write(tmp_path / "w.json", content))
    np.testing.assert_array_equal(found.tracked, [[False, *[True] * 31]] * 3)


def test_joints_in_another_order_go_by_their_names(tmp_path):
    (found,) = read_recordings(
        write(tmp_path / "w.json", document({1: walk_of(range(3))}, joint_names=list(reversed(JOINTS))))
    )
    assert found.names == tuple(reversed(JOINTS))


def test_frames_of_the_same_time_are_dropped(tmp_path):
    times = [0, 33_000, 33_000, 66_000]
    (found,) = read_recordings(write(tmp_path / "w.json", document({1: walk_of(range(4))}, times)))
    assert len(found.coordinates) == 3
    assert found.remarks == ("1 frames are there twice, of the same time, and were left out",)


def change(content, **body):
    content["frames"][1]["bodies"][0] |= body
    return content


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: document({1: walk_of([2])}, [0, 9, 5]) | {"frames": []}, "expected a body, found none in any frame"),
        (lambda: {"frames": 3, "bone_list": []}, "expected frames with bodies, found numbers 3"),
        (lambda: document({1: walk_of(range(3))}, [0, 9, 5]), "frame 2: expected a later time than"),
        (lambda: document({1: walk_of(range(3))}, [0, 9, "5"]), "frame 2, timestamp_usec: expected 1 numbers"),
        (lambda: document({1: walk_of(range(2))}, joint_names=["A"]), "frame 0: expected joint_positions of 1 joints"),
        (
            lambda: change(document({1: walk_of(range(2))}), joint_positions=[[1, 2]] * 32),
            "frame 1, joint 0: expected 3",
        ),
        (lambda: change(document({1: walk_of(range(2))}), body_id={}), "frame 1, body_id: expected a number or a name"),
        (lambda: change(document({1: walk_of(range(2)), 2: walk_of([1])}), body_id=2), "found body 2 twice"),
        (lambda: document({1: walk_of(range(2))}) | {"frames": [3]}, "frame 0: expected a list of bodies, found numb"),
    ],
)
def test_what_is_none(tmp_path, make, message):
    path = write(tmp_path / "w.json", make())
    with pytest.raises(ValueError, match=message) as refusal:
        read_recordings(path)
    assert str(refusal.value).startswith(str(path))


def test_a_body_is_taken_for_another_only_by_its_number(tmp_path):
    content = document({1: walk_of(range(3)), 2: walk_of(range(3), seed=1)})
    for frame in content["frames"]:
        for body in frame["bodies"]:
            del body["body_id"]
    with pytest.raises(ValueError, match="another body_id for each, found several bodies: who is who is not said"):
        read_recordings(write(tmp_path / "w.json", content))


@hypothesis.given(st.data())
@hypothesis.settings(max_examples=examples(400), suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_any_damage_is_read_or_refused(tmp_path, data):
    text = json.dumps(document({1: walk_of(range(2))})).encode()
    start = data.draw(st.integers(0, len(text)))
    content = text[:start] + data.draw(st.binary(max_size=8)) + text[start + data.draw(st.integers(0, 8)) :]
    read_or_refused(tmp_path / "w.json", content)
    read_or_refused(tmp_path / "w.json", data.draw(st.binary()))
