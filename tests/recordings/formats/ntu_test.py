"""Skeleton files of NTU RGB+D."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from support.budget import examples
from support.refusals import read_or_refused

from agegait import skeletons
from agegait.recordings import read_recordings

JOINTS = skeletons.SCHEMAS["kinect_v2"].joints


def text_of(bodies, frames, state="2"):
    """Of {body id: {frame: [25, 3]}}."""
    lines = [str(frames)]
    for frame in range(frames):
        seen = [body for body, walk in bodies.items() if frame in walk]
        lines.append(str(len(seen)))
        for body in seen:
            lines += [f"{body} 0 1 1 1 1 0 0.012 -0.22 2", "25"]
            lines += [
                f"{x!r} {y!r} {z!r} 277.4 191.8 1036.2 519.1 -0.2 0.03 0.97 -0.03 {state}".strip()
                for x, y, z in bodies[body][frame].tolist()
            ]
    return "\n".join(lines) + "\n"


def walk_of(frames, seed=0):
    return dict(zip(frames, np.random.default_rng(seed).normal(size=(len(frames), 25, 3)).round(3), strict=True))


def read(tmp_path, text):
    (tmp_path / "S001C001P001R001A001.skeleton").write_text(text)
    return read_recordings(tmp_path / "S001C001P001R001A001.skeleton")


def test_a_file(tmp_path):
    walk = walk_of(range(6))
    (found,) = read(tmp_path, text_of({"72057594037931101": walk}, 6))
    np.testing.assert_array_equal(found.coordinates, np.stack(list(walk.values())))
    assert (found.names, found.units, found.up, found.frame_rate) == (JOINTS, "m", "y", 30.0)
    assert found.body == "72057594037931101"
    assert found.tracked.all()


def test_states_say_what_was_tracked_where_they_are_there(tmp_path):
    assert not read(tmp_path, text_of({"1": walk_of(range(3))}, 3, state="0"))[0].tracked.any()
    assert read(tmp_path, text_of({"1": walk_of(range(3))}, 3, state=""))[0].tracked is None


def test_each_body_is_a_recording_and_frames_without_it_are_said(tmp_path):
    one, other = walk_of([0, 1, 2, 9, 10, 11]), walk_of(range(1, 6), seed=1)
    text = text_of({"8": one, "9": other}, 12)
    first, second = read(tmp_path, text)
    assert (first.body, second.body) == ("8", "9")
    assert first.breaks == (3,)
    assert "6 frames of body 8 are missing, most between 2 and 9" in first.remarks
    np.testing.assert_array_equal(second.coordinates, np.stack(list(other.values())))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "", "end of the file: expected how many frames there are"),
        (lambda text: text.replace("3\n", "x\n", 1), "line 1: expected how many frames there are, at most 100,000"),
        (lambda text: text.replace("\n25\n", "\n26\n", 1), "line 4: expected how many joints there are, at most 25"),
        (lambda text: text.replace("\n25\n", "\n20\n", 1), "line 4: expected the 25 joints of Kinect v2, found 20"),
        (lambda text: text.rsplit("\n", 5)[0], "end of the file: expected a joint in 11 or 12 numbers, found none"),
        (lambda text: text + "1\n", "expected the end of the file after the last frame"),
        (lambda text: text.replace("277.4", "here", 1), "line 5: expected numbers, found 'here'"),
        (lambda text: text.replace("277.4", "277.4 1 2", 1), "line 5: expected a joint in 11 or 12 numbers, found 14"),
        (lambda text: "3\n0\n0\n0\n", "expected a body, found none in any frame"),
    ],
)
def test_other_files_are_refused_by_their_place(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, change(text_of({"1": walk_of(range(3))}, 3)))


@hypothesis.settings(max_examples=examples(60), deadline=None)
@hypothesis.given(cut=st.integers(0, 4000), put=st.binary(max_size=12), drop=st.integers(0, 40))
def test_damaged_files_are_read_or_refused(tmp_path_factory, cut, put, drop):
    content = text_of({"1": walk_of(range(2))}, 2).encode()
    path = tmp_path_factory.getbasetemp() / "damaged.skeleton"
    read_or_refused(path, content[:cut] + put + content[cut + drop :])
