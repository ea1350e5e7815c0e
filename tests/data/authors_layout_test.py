"""Files as the authors write them, and files that nobody should trust."""

import os
import pickle
import pickletools

import numpy as np
import pytest
from support.outside import REFERENCE, needs_reference

from agegait import data

M, F, J = 7, 3, 4
PERSONS = {0: [0, 1, 4], 3: [2, 3], 1: [5, 6]}
LABELS = [0, 0, 3, 3, 0, 1, 1]
WINDOWS = REFERENCE / "authors_layout" / "Datasets"


def part_files(folder, dataset="IAS", part="train"):
    """Paths of x, y, z and the labels, as the authors name them."""
    name = dataset if part in ("train", "test") else f"{dataset}-{part}"
    base = folder / f"{dataset}_{'train' if part == 'train' else 'test'}_npy_data"
    prefix = "source" if part == "train" else "t_source"
    return [*(base / f"{prefix}_{axis}_{name}_{F}.npy" for axis in "xyz"), base / f"ids_{name}_{F}.npy"]


def write(folder, windows, persons=PERSONS, **names):
    *axes, ids = part_files(folder, **names)
    ids.parent.mkdir(exist_ok=True)
    for axis, path in enumerate(axes):
        np.save(path, windows[..., axis])
    np.save(ids, np.array(persons, dtype=object), allow_pickle=True)
    return [*axes, ids]


@pytest.fixture
def windows():
    return np.random.default_rng(0).standard_normal((M, F, J, 3))


@pytest.fixture
def files(tmp_path, windows):
    return write(tmp_path, windows)


def load(folder, dataset="IAS", part="train"):
    return data.load_authors_layout(folder, dataset, part, frames=F)


def npy_of_objects(pickled):
    """A `.npy` file of one object, with a pickle of our own."""
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }"
    header += b" " * (-(len(header) + 11) % 16) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + pickled


@pytest.mark.parametrize(
    ("dataset", "part"), [("IAS", "train"), ("IAS", "A"), ("IAS", "B"), ("BIWI", "test"), ("KGBD", "train")]
)
def test_each_part_by_its_file_names(tmp_path, windows, dataset, part):
    write(tmp_path, windows, dataset=dataset, part=part)
    found = load(tmp_path, dataset, part)
    assert found.windows.dtype == np.float32
    np.testing.assert_array_equal(found.windows, windows.astype("float32"))
    assert found.persons.tolist() == LABELS


def test_windows_may_be_written_frame_after_frame(tmp_path, windows):
    write(tmp_path, windows.reshape(M * F, J, 3))
    np.testing.assert_array_equal(load(tmp_path).windows, windows.astype("float32"))


NUMPY_INTS = {np.int64(person): [np.int64(index) for index in indices] for person, indices in PERSONS.items()}


@pytest.mark.parametrize("persons", [PERSONS, NUMPY_INTS, {k: np.array(v) for k, v in PERSONS.items()}])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_labels_of_every_pickle_protocol(tmp_path, files, persons, protocol):
    files[-1].write_bytes(npy_of_objects(pickle.dumps(np.array(persons, dtype=object), protocol)))
    assert load(tmp_path).persons.tolist() == LABELS


def test_labels_pickled_by_python_2(tmp_path, files):
    """NumPy's scalars keep their bytes in a Python 2 string there, which need not be ASCII: 0x80 is not."""
    persons = {0: np.arange(128), 1: [128, 129]}
    many = np.zeros((130, F, J, 3))
    write(tmp_path, many)
    number = (
        b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(U\x02i8K\x00K\x01tR(K\x03U\x01<NNNJ\xff\xff\xff\xff"
        b"J\xff\xff\xff\xffK\x00tbU\x08%b\x00\x00\x00\x00\x00\x00\x00tR"
    )
    entries = b""
    for person, indices in persons.items():
        entries += b"K%c(" % person + b"".join(number % bytes([index]) for index in indices) + b"l"
    pickled = b"\x80\x02}(" + entries + b"u."
    assert "numpy.core.multiarray scalar" in {argument for _, argument, _ in pickletools.genops(pickled)}
    files[-1].write_bytes(npy_of_objects(pickled))
    assert load(tmp_path).persons.tolist() == [0] * 128 + [1] * 2


class TestRefusals:
    def refused(self, folder, path, message):
        with pytest.raises(ValueError, match=message) as refusal:
            load(folder)
        assert str(path) in str(refusal.value)

    @pytest.mark.parametrize("missing", range(4))
    def test_a_missing_file(self, tmp_path, files, missing):
        files[missing].unlink()
        self.refused(tmp_path, files[missing], "expected a file of (windows|labels), found none")

    @pytest.mark.parametrize("which", range(4))
    def test_a_folder_in_a_files_place(self, tmp_path, files, which):
        files[which].unlink()
        files[which].mkdir()
        self.refused(tmp_path, files[which], "expected a regular file, found a folder")

    @pytest.mark.parametrize("which", [0, 2, 3])
    @pytest.mark.parametrize("share", [0, 0.02, 0.3, 0.6, 0.99])
    def test_a_truncated_file(self, tmp_path, files, which, share):
        content = files[which].read_bytes()
        files[which].write_bytes(content[: int(share * len(content))])
        self.refused(tmp_path, files[which], "expected (an array of windows|a pickled dict of person to windows)")

    @pytest.mark.parametrize(
        "array", [np.zeros((M, F + 1, J)), np.zeros((M * F + 1, J)), np.zeros(M * F), np.zeros((M, F, J), int)]
    )
    def test_windows_of_another_shape_or_type(self, tmp_path, files, array):
        np.save(files[1], array)
        self.refused(tmp_path, files[1], rf"expected floats \[M, {F}, J\], found ")

    def test_another_number_of_windows_of_one_axis(self, tmp_path, files):
        np.save(files[2], np.zeros((M - 1, F, J)))
        self.refused(tmp_path, files[2].parent, "expected as many windows of each axis")

    @pytest.mark.parametrize("wrong", [np.nan, np.inf])
    def test_what_is_not_finite(self, tmp_path, files, windows, wrong):
        windows[5, 1, 2, 1] = wrong
        np.save(files[1], windows[..., 1])
        self.refused(tmp_path, files[1], "found NaN or infinity in window 5")

    @pytest.mark.parametrize(
        ("persons", "message"),
        [
            ({0: [0, 1, 4], 3: [2, 3]}, "expected a person for each of 7 windows, found none for 5"),
            ({**PERSONS, 2: [7]}, r"windows of 0\.\.6, found person 2 with windows 0\.\.7"),
            ({**PERSONS, 2: [-1]}, r"windows of 0\.\.6, found person 2 with windows -1\.\.0"),
            ({**PERSONS, -2: [0]}, r"expected a person from 0 and windows of 0\.\.6, found person -2"),
            ({**PERSONS, "ann": [0]}, "expected numbers of a person and of windows: .*'ann'"),
            ({**PERSONS, 2: ["ann"]}, "expected numbers of a person and of windows: .*'ann'"),
            ({**PERSONS, 2: None}, "expected numbers of a person and of windows"),
            ([0, 1], "expected a pickled dict of person to windows, found list"),
        ],
    )
    def test_labels_that_do_not_fit(self, tmp_path, files, persons, message):
        np.save(files[-1], np.array(persons, dtype=object), allow_pickle=True)
        self.refused(tmp_path, files[-1], message)

    def test_labels_that_are_no_objects(self, tmp_path, files):
        np.save(files[-1], np.array(LABELS))
        self.refused(tmp_path, files[-1], "expected a pickled dict of person to windows, found NoneType")


class Runs:
    """A pickle of it makes a folder where it is read."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 5])
@pytest.mark.parametrize("which", range(4))
def test_a_pickle_that_would_run_code_does_not(tmp_path, files, protocol, which):
    made = tmp_path / "made"
    poison = npy_of_objects(pickle.dumps({0: Runs(os.mkdir, str(made))}, protocol))
    np.load(write_bytes(tmp_path / "poison.npy", poison), allow_pickle=True)
    made.rmdir()  # it would have run
    files[which].write_bytes(poison)
    message = (
        "it asks for posix.mkdir, which is not plain data; refused"
        if which == 3
        else "it holds pickled objects, which can run code"
    )
    with pytest.raises(ValueError, match=message):
        load(tmp_path)
    assert not made.exists()


def write_bytes(path, content):
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("function", [eval, getattr, np.load, np.memmap, np.testing.measure])
def test_nothing_but_plain_data_is_let_through(tmp_path, files, function):
    files[-1].write_bytes(npy_of_objects(pickle.dumps(Runs(function, "1"), 2)))
    with pytest.raises(ValueError, match="which is not plain data; refused"):
        load(tmp_path)


@needs_reference
@pytest.mark.parametrize(("part", "number"), [("train", 1403), ("A", 1241), ("B", 1359)])
def test_windows_of_the_published_code(part, number):
    found = data.load_authors_layout(WINDOWS, "IAS", part)
    assert found.windows.shape == (number, 6, 20, 3)
    assert np.unique(found.persons).tolist() == list(range(11))
    # Step t of the decoder rebuilds frame f - 1 - t: the authors' targets are the windows in reverse.
    folder, prefix, name = ("train", "target", "IAS") if part == "train" else ("test", "t_target", f"IAS-{part}")
    target = np.load(WINDOWS / f"IAS_{folder}_npy_data" / f"{prefix}_y_{name}_6.npy")
    np.testing.assert_allclose(found.windows[:, ::-1, :, 1], target, rtol=1e-6)
