"""Walks in NumPy's files, read back or refused."""

import os
import pickle
import zipfile

import numpy as np
import pytest
from support.frame_trees import encrypt
from support.walk_writing import KINECT_V2, kinect_v2, refused, write

from agegait import skeletons
from agegait.data import WalkFormat, load_walk, read_walk
from tfds_builders.walkers import generator

J = len(skeletons.JOINTS)
V2 = skeletons.SCHEMAS["kinect_v2"]


@pytest.fixture(scope="module")
def person():
    """A walker's first frames, [40, 20, 3] in canonical joints."""
    return generator.walk(0, "a", 0)[0][:40].astype(float)


@pytest.fixture
def walk():
    return np.random.default_rng(0).standard_normal((7, J, 3))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int16", "uint8"])
def test_numbers_of_any_type(tmp_path, walk, dtype):
    walk = np.abs(10 * walk).astype(dtype)
    np.save(tmp_path / "walk.npy", walk)
    read = read_walk(tmp_path / "walk.npy")
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, walk.astype("float32"))


def test_the_ending_may_be_in_capitals_and_the_path_a_string(tmp_path, walk):
    np.save(tmp_path / "walk.npy", walk)
    (tmp_path / "walk.npy").rename(tmp_path / "WALK.NPY")
    assert read_walk(str(tmp_path / "WALK.NPY")).shape == walk.shape


def test_rows_of_all_coordinates(tmp_path, walk):
    np.save(tmp_path / "walk.npy", walk.reshape(7, -1))
    np.testing.assert_array_equal(read_walk(tmp_path / "walk.npy"), walk.astype("float32"))


def test_an_archive_says_what_it_holds(tmp_path, person):
    shuffled = np.random.default_rng(1).permutation(25)
    tracked = np.random.default_rng(2).random((40, 25)) < 0.9
    np.savez(
        tmp_path / "walk.npz",
        skeleton=100 * kinect_v2(person)[:, shuffled],
        joints=[KINECT_V2[joint] for joint in shuffled],
        tracked=tracked[:, shuffled],
        units="cm",
        frame_rate=30,
        note="on Monday",
    )
    read = load_walk(tmp_path / "walk.npz")
    np.testing.assert_allclose(read.skeleton, person, atol=1e-6)
    np.testing.assert_array_equal(read.tracked, V2.to_canonical_tracked(tracked))
    assert (read.schema, read.frame_rate, read.remarks) == ("kinect_v2", 30, ("not read: note",))


def test_an_archive_with_one_array_that_can_be_a_walk(tmp_path, walk):
    np.savez_compressed(tmp_path / "walk.npz", poses=walk, person=3, mask=np.zeros((7, J, 3), bool))
    read = load_walk(tmp_path / "walk.npz")
    np.testing.assert_array_equal(read.skeleton, walk.astype("float32"))
    assert read.remarks == ("not read: person, mask",)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": np.zeros((7, J, 3)), "b": np.zeros((7, J, 3))}, r"'skeleton', or just one .* found a float64 \[7"),
        ({"a": np.zeros(3)}, r"'skeleton', or just one of numbers \[T, J, 3\], found a float64 \[3\]"),
        ({"skeleton": np.zeros((7, J, 2))}, r"walk\.npz, 'skeleton': expected numbers \[T, J, 3\] or \[T, 3 J\]"),
        (
            {"tracked": np.ones((7, 19))},
            r"'tracked': expected booleans or numbers \[7, 20\].* found float64 \[7, 19",
        ),
        ({"tracked": -np.ones((7, J))}, r"'tracked': expected states of 0 and more.* found -1 to -1"),
        ({"joints": np.array(["Head"] * 19)}, r"'joints': expected names \[20\], one a joint, found <U4 \[19\]"),
        ({"joints": np.arange(J)}, r"'joints': expected names \[20\]"),
        ({"joints": np.array(["Head"] * J)}, "names: expected the joints of one of"),
        ({"units": "feet"}, "'units': expected one of m, cm, mm, in, found 'feet'"),
        ({"units": np.array(["m", "m"])}, r"'units': expected one value, found \[2\]"),
        ({"frame_rate": 0}, "'frame_rate': expected a rate in Hz, found 0"),
        ({"frame_rate": "30"}, "'frame_rate': expected a rate in Hz, found '30'"),
    ],
)
def test_archives_that_are_refused(tmp_path, arrays, message):
    if "a" not in arrays:
        arrays = {"skeleton": np.ones((7, J, 3)), **arrays}
    np.savez(tmp_path / "walk.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        read_walk(tmp_path / "walk.npz")


def test_units_that_are_given_overrule_the_files(tmp_path, walk):
    np.savez(tmp_path / "walk.npz", skeleton=walk, units="mm")
    np.testing.assert_allclose(read_walk(tmp_path / "walk.npz", WalkFormat(units="cm")), walk / 100, rtol=1e-6)
    np.testing.assert_allclose(read_walk(tmp_path / "walk.npz"), walk / 1000, rtol=1e-6)


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((7, J, 2)),
        np.zeros((J, 4)),
        np.zeros((7, 0)),
        np.zeros((7, 0, 3)),
        np.zeros(60),
        np.zeros((7, J, 3), bool),
        np.zeros((7, J, 3), complex),
        np.full((7, J, 3), "a"),
    ],
)
def test_what_is_no_walk(tmp_path, array):
    np.save(tmp_path / "walk.npy", array)
    refused(tmp_path / "walk.npy", r"expected numbers \[T, J, 3\] or \[T, 3 J\], found ")


def test_pickled_objects_are_not_run(tmp_path):
    trace = tmp_path / "trace"
    array = np.array([Bomb(trace)], dtype=object)
    np.save(tmp_path / "walk.npy", array, allow_pickle=True)
    np.savez(tmp_path / "walk.npz", skeleton=array)
    np.savez(tmp_path / "other.npz", skeleton=np.ones((7, J, 3)), joints=array)
    refused(tmp_path / "walk.npy", "it holds pickled objects, which can run code; refused")
    refused(tmp_path / "walk.npz", "'skeleton': .* pickled objects, which can run code; refused")
    refused(tmp_path / "other.npz", "'joints': .* pickled objects, which can run code; refused")
    write(tmp_path / "bare.npy", pickle.dumps(Bomb(trace)))
    write(tmp_path / "bare.npz", pickle.dumps(Bomb(trace)))
    refused(tmp_path / "bare.npy", "expected an array of numbers")
    refused(tmp_path / "bare.npz", "expected an archive of arrays")
    assert not trace.exists()
    np.load(tmp_path / "walk.npy", allow_pickle=True)
    assert trace.exists()  # the bomb is one


def test_archives_that_cannot_be_opened(tmp_path, walk):
    np.savez(tmp_path / "locked.npz", skeleton=walk)
    encrypt(tmp_path / "locked.npz")
    refused(tmp_path / "locked.npz", "locked.npz: expected an archive of arrays: .*password")
    np.savez(tmp_path / "unknown.npz", skeleton=walk)
    content = bytearray((tmp_path / "unknown.npz").read_bytes())
    content[content.rindex(b"PK\x01\x02") + 10] = content[8] = 99  # a compression that zipfile has not
    (tmp_path / "unknown.npz").write_bytes(content)
    refused(tmp_path / "unknown.npz", "unknown.npz: expected an archive of arrays: .*compression")


def test_members_of_an_archive_are_read_by_name_alone(tmp_path):
    with zipfile.ZipFile(tmp_path / "walk.npz", "w") as archive:
        archive.writestr("../../escaped.npy", b"\x93NUMPY")
    refused(tmp_path / "walk.npz", "expected an array 'skeleton'.* found no array")
