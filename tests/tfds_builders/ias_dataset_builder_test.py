import pathlib
import tempfile

import numpy as np
import pytest
import tensorflow_datasets as tfds
from support import frame_trees
from support.budget import few

import tfds_builders  # noqa: F401  (registers the builders)
from tfds_builders.ias import ias_dataset_builder

FOLDERS = {"train": "Training", "test_a": "TestingA", "test_b": "TestingB"}
PEOPLE = {"Training": {"000": 4, "001": 5}, "TestingA": {"001": 3, "000": 5}, "TestingB": {"000": 2, "002": 4}}


class IasTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = ias_dataset_builder.Builder
    SPLITS = {"train": 2, "test_a": 2, "test_b": 2}  # noqa: RUF012

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        frame_trees.write(folder / "IAS-Lab" / "RGBD-ID", PEOPLE, nite=True)
        cls.EXAMPLE_DIR = folder


def load(manual_dir, data_dir):
    config = tfds.download.DownloadConfig(manual_dir=manual_dir)
    return tfds.load("ias", data_dir=data_dir, download_and_prepare_kwargs={"download_config": config}, with_info=True)


def assert_complete(splits, info, walks):
    names = info.features["person"].names
    assert names == ["000", "001", "002"]
    found = set()
    for split, examples in splits.items():
        for example in examples.as_numpy_iterator():
            folder, name = example["walk"].decode().split("/")
            assert (folder, name) == (FOLDERS[split], names[example["person"]])
            skeleton, tracked = walks[f"{folder}/{name}"]
            np.testing.assert_array_equal(example["skeleton"], skeleton)
            np.testing.assert_array_equal(example["tracked"], tracked)
            np.testing.assert_array_equal(example["skeleton"][:, [6, 18]], example["skeleton"][:, [7, 19]])
            found.add(f"{folder}/{name}")
    assert found == set(walks)


def test_loads_by_name(tmp_path):
    walks = frame_trees.write(tmp_path / "manual" / "ias", PEOPLE, nite=True)
    assert_complete(*load(tmp_path / "manual", tmp_path / "data"), walks)
    splits, info = tfds.load("ias", data_dir=tmp_path / "data", download=False, with_info=True)
    assert_complete(splits, info, walks)
    assert "skeleton keypoints" in info.citation
    assert "research" in info.redistribution_info.license


@pytest.mark.parametrize(
    ("a", "b"),
    few(
        [
            ("TestingA", "TestingB"),
            ("Testing A", "testing b"),
            ("Testing/A", "Testing/B"),
            ("IAS_testA", "IAS-Lab Testing-B"),
        ],
        2,
    ),
)
def test_spellings_of_the_tests_folders(tmp_path, a, b):
    training = "IAS-Lab/training" if a.startswith("IAS") else "Training"
    people = {training: PEOPLE["Training"], a: PEOPLE["TestingA"], b: PEOPLE["TestingB"]}
    named = {a: "TestingA", b: "TestingB", training: "Training"}
    walks = frame_trees.write(tmp_path / "manual", people, nite=True)
    walks = {f"{named[walk.rpartition('/')[0]]}/{walk.rpartition('/')[2]}": its for walk, its in walks.items()}
    assert_complete(*load(tmp_path / "manual", tmp_path / "data"), walks)


def test_lies_beside_other_data_sets(tmp_path):
    folder = tmp_path / "BIWI and IAS"
    walks = frame_trees.write(folder / "IASLab_RGBD-ID", PEOPLE, nite=True)
    frame_trees.write(folder / "BIWI", {"Training": {"000": 1}, "Testing/Still": {"000": 1}})
    frame_trees.write(folder / "mine", {"Training": {"000": 1}})
    frame_trees.pack_one(tmp_path / "BIWI_Training.zip", "Training/000/a_skel.txt")
    assert_complete(*load(tmp_path, tmp_path / "data"), walks)


def test_archives_of_each_split(tmp_path):
    walks = frame_trees.write(tmp_path / "tree", PEOPLE, nite=True)
    for name, folder in (("Training.zip", "Training"), ("a.tar", "TestingA"), ("b.tar.gz", "TestingB")):
        frame_trees.pack(tmp_path / "manual" / "ias" / name, tmp_path / "tree", "IAS-Lab", folder)
    assert_complete(*load(tmp_path / "manual", tmp_path / "data"), walks)
