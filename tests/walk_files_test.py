import numpy as np
import pytest

from agegait import data, skeletons

J = len(skeletons.JOINTS)


@pytest.fixture
def walk():
    return np.random.default_rng(0).standard_normal((7, J, 3))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int16", "uint8"])
def test_numbers_of_any_type(tmp_path, walk, dtype):
    walk = np.abs(10 * walk).astype(dtype)
    np.save(tmp_path / "walk.npy", walk)
    read = data.read_walk(tmp_path / "walk.npy")
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, walk.astype("float32"))


def test_the_ending_may_be_in_capitals_and_the_path_a_string(tmp_path, walk):
    np.save(tmp_path / "walk.npy", walk)
    (tmp_path / "walk.npy").rename(tmp_path / "WALK.NPY")
    assert data.read_walk(str(tmp_path / "WALK.NPY")).shape == walk.shape


def test_a_text_file_of_kgbd(tmp_path):
    names = list(skeletons.KGBD)
    lines = [f"{name};{frame};{number};{frame + number}" for frame in range(3) for number, name in enumerate(names)]
    (tmp_path / "walk.txt").write_text("\r\n".join(lines) + "\r\n")
    read = data.read_walk(tmp_path / "walk.txt")
    assert read.shape == (3, J, 3)
    for joint, canonical in enumerate(skeletons.JOINTS):
        number = list(skeletons.KGBD.values()).index(canonical)
        np.testing.assert_array_equal(read[:, joint], [[frame, number, frame + number] for frame in range(3)])


class TestRefusals:
    def refused(self, path, message):
        with pytest.raises(ValueError, match=message) as refusal:
            data.read_walk(path)
        assert str(path) in str(refusal.value)

    def test_no_such_file(self, tmp_path):
        self.refused(tmp_path / "walk.npy", "expected a walk's file: No such file")
        self.refused(tmp_path / "walk.txt", "expected a walk's file: No such file")

    def test_a_folder(self, tmp_path):
        (tmp_path / "walk.npy").mkdir()
        self.refused(tmp_path / "walk.npy", "expected a walk's file: Is a directory")

    @pytest.mark.parametrize("name", ["walk.csv", "walk", "walk.npz"])
    def test_an_unknown_ending(self, tmp_path, name):
        self.refused(tmp_path / name, r"expected a file that ends in \.npy or \.txt")

    @pytest.mark.parametrize(
        "array",
        [
            np.zeros((7, J - 1, 3)),
            np.zeros((7, J, 2)),
            np.zeros((J, 3)),
            np.zeros((7, J, 3), bool),
            np.zeros((7, J, 3), complex),
            np.full((7, J, 3), "a"),
        ],
    )
    def test_what_is_no_walk(self, tmp_path, array):
        np.save(tmp_path / "walk.npy", array)
        self.refused(tmp_path / "walk.npy", r"expected numbers \[T, 20, 3\], found ")

    @pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
    def test_what_is_not_finite_by_its_frame(self, tmp_path, walk, wrong):
        walk[4, 3, 1] = walk[6, 0, 0] = wrong
        np.save(tmp_path / "walk.npy", walk)
        self.refused(tmp_path / "walk.npy", "found NaN or infinity in frame 4")

    def test_pickled_objects(self, tmp_path):
        np.save(tmp_path / "walk.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
        self.refused(tmp_path / "walk.npy", "expected an array of numbers: Object arrays cannot be loaded")

    @pytest.mark.parametrize("kept", [0, 3, 50, -1])
    def test_a_truncated_file(self, tmp_path, walk, kept):
        np.save(tmp_path / "walk.npy", walk)
        content = (tmp_path / "walk.npy").read_bytes()
        (tmp_path / "walk.npy").write_bytes(content[:kept])
        self.refused(tmp_path / "walk.npy", "expected an array of numbers: ")
