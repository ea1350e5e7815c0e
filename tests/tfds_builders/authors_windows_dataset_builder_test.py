import pathlib
import tempfile

import numpy as np
import pytest
import tensorflow_datasets as tfds
from support.outside import REFERENCE, needs_reference

import tfds_builders  # noqa: F401  (registers the builders)
from agegait import data
from tfds_builders.authors_windows import authors_windows_dataset_builder

WINDOWS = REFERENCE / "authors_layout"
FILES = {
    "BIWI": {"train": ("train", "source", "BIWI"), "test": ("test", "t_source", "BIWI")},
    "IAS": {
        "train": ("train", "source", "IAS"),
        "test_a": ("test", "t_source", "IAS-A"),
        "test_b": ("test", "t_source", "IAS-B"),
    },
    "KGBD": {"train": ("train", "source", "KGBD"), "test": ("test", "t_source", "KGBD")},
}
PERSONS = {
    "train": {0: [0, 2], 10: [1, 3], 2: [4]},
    "test": {2: [1], 7: [0]},
    "test_a": {0: [0]},
    "test_b": {10: [0, 1]},
}


def windows(dataset, split):
    count = sum(map(len, PERSONS[split].values()))
    first = 1000 * len(dataset) + 10 * len(split) + ord(split[-1])
    return first + np.arange(count * 6 * 20 * 3, dtype="float32").reshape(count, 6, 20, 3) / 8


def write(folder, joints=20):
    for dataset, splits in FILES.items():
        for split, (part, prefix, name) in splits.items():
            base = folder / f"{dataset}_{part}_npy_data"
            base.mkdir(parents=True, exist_ok=True)
            for axis, letter in enumerate("xyz"):
                np.save(base / f"{prefix}_{letter}_{name}_6.npy", windows(dataset, split)[:, :, :joints, axis])
            np.save(base / f"ids_{name}_6.npy", np.array(PERSONS[split], dtype=object), allow_pickle=True)


class BiwiTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = authors_windows_dataset_builder.Builder
    BUILDER_CONFIG_NAMES_TO_TEST = ["biwi"]  # noqa: RUF012
    SPLITS = {"train": 5, "test": 2}  # noqa: RUF012

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        write(folder / "Datasets")
        cls.EXAMPLE_DIR = folder


class IasTest(BiwiTest):
    BUILDER_CONFIG_NAMES_TO_TEST = ["ias"]  # noqa: RUF012
    SPLITS = {"train": 5, "test_a": 1, "test_b": 2}  # noqa: RUF012


class KgbdTest(BiwiTest):
    BUILDER_CONFIG_NAMES_TO_TEST = ["kgbd"]  # noqa: RUF012


def load(name, manual_dir, data_dir, **kwargs):
    config = tfds.download.DownloadConfig(manual_dir=manual_dir)
    return tfds.load(
        name, data_dir=data_dir, download_and_prepare_kwargs={"download_config": config}, with_info=True, **kwargs
    )


@pytest.mark.parametrize("below", ["", "Datasets", "authors_windows/Datasets"])
def test_windows_and_people_are_as_in_the_files(tmp_path, below):
    write(tmp_path / "manual" / below)
    splits, info = load("authors_windows/ias", tmp_path / "manual", tmp_path / "data")
    assert info.features["person"].names == ["0", "2", "10"]
    for split, examples in splits.items():
        found = {int(example["index"]): example for example in examples.as_numpy_iterator()}
        assert sorted(found) == list(range(len(windows("IAS", split))))
        np.testing.assert_array_equal([found[i]["skeleton"] for i in sorted(found)], windows("IAS", split))
        for person, indices in PERSONS[split].items():
            assert {info.features["person"].int2str(int(found[index]["person"])) for index in indices} == {str(person)}
    again = tfds.builder_from_directory(tmp_path / "data" / "authors_windows" / "ias" / "1.0.0")
    assert again.info.features["person"].names == ["0", "2", "10"]


def test_refuses_what_is_not_there_or_there_twice(tmp_path):
    write(tmp_path / "one" / "Datasets")
    (tmp_path / "one" / "Datasets" / "IAS_train_npy_data").rename(tmp_path / "one" / "moved")
    with pytest.raises(ValueError, match=r"one folder IAS_train_npy_data in it or in Datasets, found \['Datasets', 'm"):
        load("authors_windows/ias", tmp_path / "one", tmp_path / "data")
    write(tmp_path / "one" / "copy")
    with pytest.raises(ValueError, match=r"one folder BIWI_train_npy_data .*found \['.*/Datasets', '.*/copy'\]"):
        load("authors_windows/biwi", tmp_path / "one", tmp_path / "data")


def test_refuses_other_skeletons_and_broken_files_and_leaves_nothing(tmp_path):
    write(tmp_path / "manual", joints=19)
    with pytest.raises(ValueError, match=r"expected windows \(6, 20, 3\) in train, found \(6, 19, 3\)"):
        load("authors_windows/kgbd", tmp_path / "manual", tmp_path / "data")
    write(tmp_path / "manual")
    broken = tmp_path / "manual" / "KGBD_test_npy_data" / "t_source_y_KGBD_6.npy"
    broken.write_bytes(broken.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"t_source_y_KGBD_6\.npy: expected an array of windows"):
        load("authors_windows/kgbd", tmp_path / "manual", tmp_path / "data")
    assert not list((tmp_path / "data" / "authors_windows").glob("kgbd/*"))


@needs_reference
def test_windows_of_the_published_code(tmp_path):
    splits, info = load("authors_windows/ias", WINDOWS, tmp_path)
    assert {split: len(examples) for split, examples in splits.items()} == {
        "train": 1403,
        "test_a": 1241,
        "test_b": 1359,
    }
    assert info.features["person"].names == [str(person) for person in range(11)]
    expected = data.load_authors_layout(WINDOWS / "Datasets", "IAS", "A")
    for example in splits["test_a"].take(50).as_numpy_iterator():
        np.testing.assert_array_equal(example["skeleton"], expected.windows[example["index"]])
        assert example["person"] == expected.persons[example["index"]]
