"""C3D of motion capture, by ezc3d in a process of its own."""

import importlib.util
import resource

import numpy as np
import pytest
from support.refusals import read_or_refused

from agegait.recordings import read_recordings

ezc3d = pytest.importorskip("ezc3d")


def write(path, walk, names, units="mm", up="+Z", rate=120.0, **parameters):
    content = ezc3d.c3d()
    points = np.ones((4, walk.shape[1], len(walk)))
    points[:3] = walk.transpose(2, 1, 0)
    content["parameters"]["POINT"]["RATE"]["value"] = [rate]
    content["parameters"]["POINT"]["LABELS"]["value"] = list(names)
    content["parameters"]["POINT"]["UNITS"]["value"] = [units]
    if up:
        content.add_parameter("POINT", "X_SCREEN", "+X")
        content.add_parameter("POINT", "Y_SCREEN", up)
    for name, value in parameters.items():
        content.add_parameter("POINT", name, value)
    content["data"]["points"] = points
    content["data"]["meta_points"]["residuals"] = np.where(np.isnan(points[:1]).any(axis=0, keepdims=True), -1, 0.5)
    content.write(str(path))
    return path


def walk_of(frames=5, joints=3):
    return np.random.default_rng(0).normal(size=(frames, joints, 3)).astype("float32").astype(float)


@pytest.mark.parametrize(("up", "axis"), [("+Z", "z"), ("-Y", "-y"), ("Y", "y"), (None, None), ("?", None)])
def test_a_file(tmp_path, up, axis):
    walk = walk_of()
    walk[2, 1] = np.nan
    (found,) = read_recordings(write(tmp_path / "w.c3d", walk, "ABC", up=up))
    np.testing.assert_array_equal(found.coordinates, walk)
    assert (found.names, found.units, found.frame_rate, found.up) == (("A", "B", "C"), "mm", 120.0, axis)


def test_subjects_are_apart_and_what_is_no_place_is_not_read(tmp_path):
    names = ["Anna:Hip", "Anna:Head", "Ben:Hip", "Ben:Head", "Ben:LKneeAngles", ""]
    path = write(tmp_path / "w.c3d", walk_of(joints=6), names, ANGLES=["Ben:LKneeAngles"])
    first, second = read_recordings(path)
    assert (first.body, second.body, first.names, second.names) == ("Anna", "Ben", ("Hip", "Head"), ("Hip", "Head"))
    np.testing.assert_array_equal(second.coordinates, walk_of(joints=6)[:, 2:4])
    assert first.remarks == ("2 points without a label or with what is no place were not read",)


def test_without_the_package(tmp_path, monkeypatch):
    path = write(tmp_path / "w.c3d", walk_of(), "ABC")
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "ezc3d" else find(name, *more))
    with pytest.raises(ValueError, match=r'expected ezc3d to read C3D, .*: pip install "agegait\[c3d\]"'):
        read_recordings(path)


@pytest.mark.parametrize("content", [b"", b"\x02", b"some text", b"\x02P"])
def test_what_is_none(tmp_path, content):
    assert "expected a file of C3D" in read_or_refused(tmp_path / "w.c3d", content)


def test_a_file_at_which_ezc3d_ends_the_process(tmp_path):
    content = bytearray(write(tmp_path / "w.c3d", walk_of(), "ABC").read_bytes())
    found = set()
    for place, value in ((0, 255), (2, 255), (3, 255), (8, 255), (512 + 2, 255), (512 + 2, 0), (525, 127)):
        damaged = content.copy()
        damaged[place] = value
        found.add(isinstance(read_or_refused(tmp_path / "w.c3d", bytes(damaged)), str))
    assert True in found
    read_or_refused(tmp_path / "w.c3d", bytes(content[: len(content) // 2]))  # whatever else is raised fails here


def test_damage_is_told_without_words_of_python(tmp_path):
    content = bytearray(write(tmp_path / "w.c3d", walk_of(), "ABC").read_bytes())
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = read_or_refused(tmp_path / "w.c3d", bytes(content[:700]))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 10  # without a limit, minutes
    assert "expected a file of C3D, found one that is damaged" in told
    assert "Error" not in told
    assert "error" not in told
