"""A walk's file by its ending, the published ones, and any damage refused."""

import subprocess
import sys
import warnings

import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.budget import examples
from support.walk_writing import STYLES, frame_text, long_text, refused, wide_text, write

from agegait import skeletons
from agegait.data import WalkFormat, load_walk, read_walk
from tfds_builders.walkers import generator

J = len(skeletons.JOINTS)


@pytest.fixture(scope="module")
def person():
    """A walker's first frames, [40, 20, 3] in canonical joints."""
    return generator.walk(0, "a", 0)[0][:40].astype(float)


@pytest.fixture
def walk():
    return np.random.default_rng(0).standard_normal((7, J, 3))


def test_a_text_file_of_kgbd(tmp_path):
    names = list(skeletons.KGBD)
    lines = [f"{name};{frame};{number};{frame + number}" for frame in range(3) for number, name in enumerate(names)]
    (tmp_path / "walk.txt").write_text("\r\n".join(lines) + "\r\n")
    read = load_walk(tmp_path / "walk.txt")
    assert read.skeleton.shape == (3, J, 3)
    for joint, canonical in enumerate(skeletons.JOINTS):
        number = list(skeletons.KGBD.values()).index(canonical)
        np.testing.assert_array_equal(read.skeleton[:, joint], [[f, number, f + number] for f in range(3)])
    assert read.tracked.sum() == 3 * J - 1  # the first joint of the first frame is at (0, 0, 0)


def test_a_folder_of_frames(tmp_path, person):
    states = np.random.default_rng(0).integers(0, 3, (40, J))
    for frame in range(40):
        name = f"001_{frame:06}-d_{frame}_skel.txt"
        write(tmp_path / name, frame_text(person[frame], states[frame]))
        write(tmp_path / name.replace("skel.txt", "rgb.jpg"), b"\xff")
    write(tmp_path / ".001_000000-d_0_skel.txt", b"hidden")
    read = load_walk(tmp_path)
    np.testing.assert_allclose(read.skeleton, person, atol=1e-6)
    np.testing.assert_array_equal(read.tracked, states > 0)
    write(tmp_path / "001_000007-d_7_skel.txt", "1,2,3\n")
    with pytest.raises(ValueError, match=r"000007-d_7_skel\.txt, line 1: expected 14 numbers"):
        read_walk(tmp_path)


@pytest.mark.parametrize("ending", [".npy", ".npz", ".csv", ".tsv", ".parquet", ".txt"])
def test_no_such_file(tmp_path, ending):
    refused(tmp_path / f"walk{ending}", "expected a walk's file: No such file")


@pytest.mark.parametrize("ending", [".npy", ".npz", ".csv", ".parquet", ".txt"])
def test_an_empty_file(tmp_path, ending):
    (tmp_path / f"walk{ending}").touch()
    refused(tmp_path / f"walk{ending}", "expected ")


def test_a_folder_without_frames(tmp_path):
    (tmp_path / "walk.npy").mkdir()
    refused(tmp_path / "walk.npy", r"expected a walk's file, or a folder of frames \*_skel\.txt")


@pytest.mark.parametrize("name", ["walk.docx", "walk", "walk.doc"])
def test_an_unknown_ending(tmp_path, name):
    refused(tmp_path / name, r"expected a file that ends in .*\.npy, .*, \.txt.* or \.[a-z0-9]+\.")


def test_no_frames(tmp_path):
    np.save(tmp_path / "walk.npy", np.zeros((0, J, 3)))
    refused(tmp_path / "walk.npy", "expected at least one frame, found none")
    write(tmp_path / "walk.csv", wide_text(np.zeros((0, J, 3)), skeletons.JOINTS))
    refused(tmp_path / "walk.csv", "expected at least one frame, found none")


@pytest.mark.parametrize("kept", [0, 3, 50, -1])
@pytest.mark.parametrize("ending", [".npy", ".npz", ".parquet"])
def test_a_truncated_file(tmp_path, walk, ending, kept):
    path = tmp_path / f"walk{ending}"
    if ending == ".parquet":
        pq.write_table(pa.table({str(i): column for i, column in enumerate(walk.reshape(7, -1).T)}), path)
    else:
        (np.save if ending == ".npy" else np.savez)(path, walk)
    path.write_bytes(path.read_bytes()[:kept])
    refused(path, "expected an array of numbers: |expected an archive of arrays: |expected Parquet: ")


COORDINATES = st.floats(-1e6, 1e6, allow_nan=False) | st.sampled_from([0.0, -0.0, 1e-300])
WALKS = hnp.arrays(np.float64, st.tuples(st.integers(1, 3), st.just(J), st.just(3)), elements=COORDINATES)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("walks")


@hypothesis.settings(max_examples=examples(60), deadline=None)
@hypothesis.given(WALKS, st.randoms(use_true_random=False), st.data())
def test_every_layout_is_read_back(scratch, walk, random, draw):
    order = random.sample(range(J), J)
    names, mixed = [skeletons.JOINTS[joint] for joint in order], walk[:, order]
    units = draw.draw(st.sampled_from(["m", "cm", "mm"]))
    scale = {"m": 1, "cm": 100, "mm": 1000}[units]
    layout = draw.draw(st.sampled_from(["wide", "long", "npy", "npz", "parquet", "rows"]))
    separator = draw.draw(st.sampled_from([",", ";", "\t"]))
    path = scratch / f"walk.{layout if layout in ('npy', 'npz', 'parquet') else 'csv'}"
    if layout == "wide":
        style = draw.draw(st.sampled_from(STYLES))
        write(path, wide_text(mixed * scale, names, style, separator))
    elif layout == "long":
        write(path, long_text(mixed * scale, names, separator))
    elif layout == "npy":
        np.save(path, walk * scale)
    elif layout == "npz":
        np.savez(path, skeleton=mixed * scale, joints=names, units=units)
    elif layout == "rows":
        np.savetxt(path, (walk * scale).reshape(len(walk), -1), delimiter=separator)
    else:
        columns = {
            f"{name}_{axis}": mixed[:, j, a] * scale for j, name in enumerate(names) for a, axis in enumerate("xyz")
        }
        pq.write_table(pa.table(columns), path)
    read = load_walk(path, WalkFormat(joints="kinect_v1", units=units))
    np.testing.assert_allclose(read.skeleton, walk, rtol=1e-6, atol=1e-12)


FRAGMENTS = st.sampled_from(
    [b",", b";", b"\t", b"\n", b"\r", b'"', b"_", b"nan", b"inf", b"1e999", b"\x00", b"\xff", b"x", b"0,5", b" ", b"-"]
) | st.binary(max_size=4)


@hypothesis.settings(max_examples=examples(300), deadline=None)
@hypothesis.given(st.data())
def test_damaged_files_are_walks_or_refused(scratch, draw):
    ending = draw.draw(st.sampled_from(["csv", "long.csv", "npy", "npz", "parquet", "txt"]))
    walk, path = np.arange(180, dtype=float).reshape(3, J, 3), scratch / f"damaged.{ending}"
    if ending == "csv":
        write(path, wide_text(walk, skeletons.JOINTS, columns={"time": [1, 2, 3], "Head_state": [1, 2, 0]}))
    elif ending == "long.csv":
        write(path, long_text(walk, skeletons.JOINTS))
    elif ending == "npy":
        np.save(path, walk)
    elif ending == "npz":
        np.savez_compressed(path, skeleton=walk, joints=skeletons.JOINTS, units="m", frame_rate=30.0)
    elif ending == "parquet":
        pq.write_table(pa.table({str(i): column for i, column in enumerate(walk.reshape(3, -1).T)}), path)
    else:
        write(path, "".join(f"{name};1;2;3\n" for name in skeletons.KGBD))
    content = path.read_bytes()
    if ending == "parquet" or draw.draw(st.booleans()):  # of Parquet's inside its own library takes care
        content = content[: draw.draw(st.integers(0, len(content)))]
    else:
        start = draw.draw(st.integers(0, len(content)))
        content = content[:start] + draw.draw(FRAGMENTS) + content[start + draw.draw(st.integers(0, 20)) :]
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy on headers that Python 2 wrote
        try:
            read = load_walk(path, WalkFormat(missing=draw.draw(st.sampled_from(["refuse", "interpolate"]))))
        except ValueError as error:
            hypothesis.note(error)
            return
    assert read.skeleton.dtype == np.float32
    assert read.skeleton.shape[1:] == (J, 3)
    assert np.isfinite(read.skeleton).all()
    assert read.tracked.shape == read.skeleton.shape[:2]


@hypothesis.settings(max_examples=examples(100), deadline=None)
@hypothesis.given(st.binary(max_size=300), st.sampled_from([".npy", ".npz", ".csv", ".parquet", ".txt"]))
def test_arbitrary_bytes_are_refused(scratch, content, ending):
    path = scratch / f"noise{ending}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="expected "):
        read_walk(path)


def test_reading_takes_no_tensorflow():
    code = (
        "import sys, agegait.data; agegait.data.read_walk; agegait.data.WalkFormat; print('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
