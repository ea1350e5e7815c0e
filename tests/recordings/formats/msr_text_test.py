"""Skeleton files of MSR DailyActivity3D."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from support.budget import examples
from support.refusals import read_or_refused
from support.walk_writing import refused

from agegait.recordings import read_recordings
from agegait.skeletons import JOINTS


def text_of(frames):
    """Of lists of bodies [20, 3]: below each joint's place in metres is its place in the picture."""
    lines = [f"{len(frames)} 20"]
    for bodies in frames:
        lines.append(str(40 * len(bodies)))
        for x, y, z in (place for body in bodies for place in body.tolist()):
            lines += [f"{x!r} {y!r} {z!r} 1", f"{0.5 + x / 9:.6f} {0.5 - y / 9:.6f} {8000 * z:.3f} 1"]
    return "\n".join(lines) + "\n"


@pytest.fixture
def walk():
    return np.random.default_rng(0).normal(size=(12, 20, 3)).round(4)


def read(tmp_path, frames):
    (tmp_path / "a15_s01_e01_skeleton.txt").write_text(text_of(frames))
    return read_recordings(tmp_path / "a15_s01_e01_skeleton.txt")


def test_places_in_metres_are_read_and_those_in_the_picture_are_not(tmp_path, walk):
    (found,) = read(tmp_path, [[body] for body in walk])
    np.testing.assert_array_equal(found.coordinates, walk)
    assert (found.names, found.units, found.up, found.frame_rate) == (JOINTS, "m", "y", 30.0)


def test_two_bodies_and_frames_without_any(tmp_path, walk):
    frames = [[body, body + 1] for body in walk[:5]] + [[]] * 5 + [[body, 0 * body] for body in walk[5:]]
    first, second = read(tmp_path, frames)
    np.testing.assert_array_equal(first.coordinates, walk)
    assert first.breaks == (5,)
    np.testing.assert_array_equal(second.coordinates, walk[:5] + 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("12 20\n", "13 20\n", "expected how many rows there are in 1 numbers, found none; the file ends early"),
        ("12 20\n", "11 20\n", "expected the end of the file after the last frame, found more"),
        ("\n40\n", "\n80\n", "expected a joint in 4 numbers"),
    ],
)
def test_faults_are_told(tmp_path, walk, old, new, message):
    text = text_of([[body] for body in walk])
    (tmp_path / "walk.txt").write_text(text.replace(old, new, 1))
    refused(tmp_path / "walk.txt", message)


@hypothesis.given(st.binary(max_size=60), st.integers(0, 3000), st.integers(0, 3000))
@hypothesis.settings(max_examples=examples(60), deadline=None)
def test_damaged_files_are_read_or_refused(tmp_path_factory, content, start, end):
    sound = text_of([[np.ones((20, 3))], [np.ones((20, 3))]]).encode()
    read_or_refused(tmp_path_factory.mktemp("msr") / "walk.txt", sound[:start] + content + sound[end:])
