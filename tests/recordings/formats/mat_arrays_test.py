"""MATLAB's files."""

import zlib

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.io
from support.budget import examples
from support.refusals import read_or_refused
from support.walk_writing import refused

from agegait.data import load_walk
from agegait.recordings import read_recordings
from agegait.recordings.formats import mat_arrays
from agegait.skeletons import JOINTS
from tfds_builders.walkers import generator


@pytest.fixture(scope="module")
def person():
    """A walker's frames, [30, 20, 3] in canonical joints."""
    return generator.walk(0, "a", 0)[0][:30].astype(float)


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize(
    "variables",
    [
        lambda walk: {"skeleton": walk, "other": walk},
        lambda walk: {"joints": walk.transpose(1, 2, 0)},
        lambda walk: {"data": walk.reshape(len(walk), -1), "t": np.arange(3.0), "notes": "of a walk"},
        lambda walk: {"x": np.float32(walk), "info": {"rate": 30}, "names": np.array(["a", "b"], object)},
    ],
)
def test_a_walk(tmp_path, person, variables, compressed):
    scipy.io.savemat(tmp_path / "walk.mat", variables(person), do_compression=compressed)
    np.testing.assert_allclose(load_walk(tmp_path / "walk.mat").skeleton, person, atol=1e-6)


def test_utd_mhad_has_the_head_first(tmp_path, person):
    order = [3, 2, 1, 0, *range(4, 20)]
    scipy.io.savemat(tmp_path / "a1_s1_t1_skeleton.mat", {"d_skel": person[:, order].transpose(1, 2, 0)})
    np.testing.assert_allclose(load_walk(tmp_path / "a1_s1_t1_skeleton.mat").skeleton, person, atol=1e-6)
    (recording,) = read_recordings(tmp_path / "a1_s1_t1_skeleton.mat")
    assert recording.names == tuple(JOINTS[joint] for joint in order)


def test_what_is_no_walk_is_refused(tmp_path, person):
    scipy.io.savemat(tmp_path / "two.mat", {"a": person, "b": person})
    refused(tmp_path / "two.mat", r"expected a variable 'skeleton', or just one of numbers .*a double \[30, 20, 3\]")
    scipy.io.savemat(tmp_path / "complex.mat", {"skeleton": person * 1j})
    refused(tmp_path / "complex.mat", "expected an array of real numbers")
    (tmp_path / "new.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n" + bytes(100))
    refused(tmp_path / "new.mat", "version 7.3. Save it again in MATLAB")


def test_a_variable_that_inflates_without_end_is_refused(tmp_path, person, monkeypatch):
    monkeypatch.setattr(mat_arrays, "_MOST_MEMORY", 16 << 20)
    scipy.io.savemat(tmp_path / "walk.mat", {"skeleton": person})
    head = (tmp_path / "walk.mat").read_bytes()[:128]
    body = zlib.compress(bytes(20 << 20), 9)
    (tmp_path / "walk.mat").write_bytes(head + (15).to_bytes(4, "little") + len(body).to_bytes(4, "little") + body)
    refused(tmp_path / "walk.mat", "takes over 16 MiB")


@hypothesis.given(st.binary(max_size=300), st.integers(0, 400), st.integers(0, 400))
@hypothesis.settings(max_examples=examples(60), deadline=None)
def test_damaged_files_are_read_or_refused(tmp_path_factory, content, start, end):
    folder = tmp_path_factory.mktemp("mat")
    scipy.io.savemat(folder / "sound.mat", {"skeleton": np.ones((2, 20, 3))})
    sound = (folder / "sound.mat").read_bytes()
    read_or_refused(folder / "walk.mat", sound[:start] + content + sound[end:])
