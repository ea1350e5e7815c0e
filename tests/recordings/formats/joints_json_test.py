"""JSON as people's own programs write joints."""

import json

import numpy as np
import pytest
from support.bodies import walk, walks
from support.walk_writing import KINECT_V2, kinect_v2, refused, write

from agegait.recordings import load_walks, read_recordings
from agegait.skeletons import JOINTS

T = 20
BODY = walk(T).astype(float)
V2 = kinect_v2(BODY)


def place(xyz):
    return dict(zip("XYZ", map(float, xyz), strict=True))


FORMS = {
    "numbers alone": lambda: BODY.tolist(),
    "numbers below a key": lambda: {"fps": 30, "frames": BODY.tolist()},
    "by name": lambda: [
        {"time": t / 30, "joints": {name: place(xyz) for name, xyz in zip(KINECT_V2, V2[t], strict=True)}}
        for t in range(T)
    ],
    "by name, without a word": lambda: [
        {name: list(map(float, xyz)) for name, xyz in zip(KINECT_V2, V2[t], strict=True)} for t in range(T)
    ],
    "by name, in quotes": lambda: [
        {"bodyIndex": 3, "joint": {name: dict(zip("xyz", map(str, xyz), strict=True)) for name, xyz in joints}}
        for joints in (list(zip(KINECT_V2, body.tolist(), strict=True)) for body in V2)
    ],
    "a list with names": lambda: {
        "frames": [
            {
                "timestamp_ms": 1000 * t / 30,
                "skeletons": [
                    {
                        "joints": [
                            {"jointType": name, "position": place(xyz), "trackingState": "Tracked"}
                            for name, xyz in zip(KINECT_V2, V2[t], strict=True)
                        ]
                    }
                ],
            }
            for t in range(T)
        ]
    },
    "a list with numbers": lambda: [
        {
            "bodies": [
                {
                    "trackingId": "7205",
                    "joints": [
                        {"jointType": number, **{f"camera{axis}": value for axis, value in place(xyz).items()}}
                        for number, xyz in enumerate(V2[t])
                    ],
                }
            ]
        }
        for t in range(T)
    ],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read(tmp_path, form):
    (found,) = load_walks(write(tmp_path / "w.json", json.dumps(FORMS[form]())))
    np.testing.assert_allclose(found.skeleton, BODY, atol=1e-5)
    timed = form in ("numbers below a key", "by name", "a list with names")
    assert found.frame_rate == (pytest.approx(30, rel=0.01) if timed else None)


def test_bodies_are_told_apart(tmp_path):
    both = walks(2, T).astype(float)
    frames = [
        {"bodies": [{"id": body, "joints": dict(zip(JOINTS, both[body, t].tolist(), strict=True))} for body in (0, 1)]}
        for t in range(T)
    ]
    recordings = read_recordings(write(tmp_path / "w.json", json.dumps(frames)))
    assert [found.body for found in recordings] == ["0", "1"]
    np.testing.assert_allclose(recordings[1].coordinates, both[1])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"joints": 1}', "found something else"),
        ('{"joints": ["Head", "Neck"]}', "found something else"),
        ('{"joints": {"a": 1}}', "expected frames with joints, found null"),
        ('[{"joints": {"a": 1}}]', "expected joints with x, y and z in its frames, found none"),
        ("[[[1, 2, 3], [1, 2, 3]], [[1, 2, 3]]]", "expected as many joints in each frame, found 1 and 2"),
        ('[[[1, "a", 3]]]', "frame 0, joint 0: expected 3 numbers"),
        (
            '[{"joints": [{"name": "a", "x": 1, "y": 2, "z": 3}, {"name": "a", "x": 1, "y": 2, "z": 3}]}]',
            "another name",
        ),
    ],
)
def test_what_is_no_body_is_refused(tmp_path, content, message):
    write(tmp_path / "w.json", content)
    refused(tmp_path / "w.json", message)
