import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import pytest
import tensorflow_datasets as tfds
from support import frame_trees
from support.budget import few

import tfds_builders  # noqa: F401  (registers the builders)
from agegait import data
from tfds_builders.biwi import biwi_dataset_builder

PEOPLE = {
    "Training": {"000": 6, "10": 2, "007": 5, "012a": 4},
    "Testing/Still": {"7": 4, "012A": 5, "012": 1},
    "Testing/Walking": {"000": 3, "007": 4, "104": 5},
}
PERSONS = ["000", "007", "10", "012", "012a", "104"]
SPLITS = {"train": "Training", "still": "Testing/Still", "walking": "Testing/Walking"}


def prepare(builder, manual_dir, **kwargs):
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=manual_dir, **kwargs))


def assert_complete(builder, walks, persons=PERSONS):
    """The builder holds these walks, each with its person."""
    names = builder.info.features["person"].names
    assert names == persons
    found = {}
    for split, folder in SPLITS.items():
        for example in builder.as_dataset(split=split).as_numpy_iterator():
            walk = example["walk"].decode()
            assert walk.startswith(folder + "/")
            skeleton, tracked = walks[walk]
            np.testing.assert_array_equal(example["skeleton"], skeleton)
            np.testing.assert_array_equal(example["tracked"], tracked)
            found[walk] = names[example["person"]]
    same = {"7": "007", "012A": "012a"}
    assert found == {walk: same.get(walk.split("/")[-1], walk.split("/")[-1]) for walk in walks}


class BiwiTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = biwi_dataset_builder.Builder
    SPLITS = {"train": 4, "still": 3, "walking": 3}  # noqa: RUF012

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        frame_trees.write(folder / "biwi", PEOPLE)
        cls.EXAMPLE_DIR = folder


@pytest.fixture
def biwi(tmp_path):
    return tfds.builder("biwi", data_dir=tmp_path / "data")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A tree, and its walks."""
    folder = tmp_path_factory.mktemp("tree")
    return folder, frame_trees.write(folder, PEOPLE)


@pytest.fixture(scope="module")
def prepared(tree, tmp_path_factory):
    """Where the tree was built with TFDS, and the walks."""
    folder = tmp_path_factory.mktemp("prepared")
    prepare(tfds.builder("biwi", data_dir=folder), tree[0])
    return folder, tree[1]


def test_loads_by_name_and_as_supervised_pairs(tree, tmp_path):
    config = tfds.download.DownloadConfig(manual_dir=tree[0])
    still, info = tfds.load(
        "biwi",
        split="still",
        data_dir=tmp_path,
        download_and_prepare_kwargs={"download_config": config},
        as_supervised=True,
        with_info=True,
    )
    lengths = {info.features["person"].int2str(int(person)): len(walk) for walk, person in still.as_numpy_iterator()}
    assert lengths == {"007": 4, "012": 1, "012a": 5}
    assert info.features["skeleton"].shape == (None, 20, 3)
    assert "One-Shot Person Re-identification" in info.citation
    assert "BY-NC-SA" in info.description
    assert info.redistribution_info.license.startswith("CC BY-NC-SA 3.0")


def test_a_set_that_was_built_is_read_without_its_source(prepared):
    folder, walks = prepared
    assert_complete(tfds.builder("biwi", data_dir=folder), walks)
    assert_complete(tfds.builder_from_directory(folder / "biwi" / "1.0.0"), walks)
    splits, info = tfds.load("biwi", data_dir=folder, download=False, with_info=True)
    assert {name: len(split) for name, split in splits.items()} == {"train": 4, "still": 3, "walking": 3}
    assert info.features["person"].num_classes == 6


def test_is_a_data_source_as_array_record(biwi, tree):
    folder, walks = tree
    config = tfds.download.DownloadConfig(manual_dir=folder)
    biwi.download_and_prepare(download_config=config, file_format="array_record")
    for builder in (biwi, tfds.builder_from_directory(biwi.data_dir)):
        source = builder.as_data_source("walking")
        assert len(source) == 3
        names = builder.info.features["person"].names
        assert {names[example["person"]] for example in source} == {"000", "007", "104"}
        for example in source:
            np.testing.assert_array_equal(example["skeleton"], walks[example["walk"].decode()][0])


def test_the_papers_windows_in_one_call(tmp_path, biwi):
    walks = frame_trees.write(tmp_path / "biwi", {folder: {"001": 60} for folder in SPLITS.values()})
    prepare(biwi, tmp_path)
    for split, training in (("train", True), ("walking", False)):
        built = biwi.as_dataset(split=split)
        windows = list(data.PREPARATIONS["biwi"].windows(built, frames=6, training=training).as_numpy_iterator())
        skeleton, tracked = walks[f"{SPLITS[split]}/001"]
        assert tracked.all(axis=1).sum() == 58  # of 60 frames
        kept = skeleton[tracked.all(axis=1)][10:-10]
        kept = kept - kept[:, :1]
        firsts = [first for start in range(6) for first in range(start, 33, 3)] if training else range(0, 33, 6)
        np.testing.assert_array_equal(
            [window["skeleton"] for window in windows], [kept[first : first + 6] for first in firsts]
        )


@pytest.mark.parametrize("below", few(["", "sets/biwi_rgbd_id", "biwi", "BIWI", "BIWI/RGBD-ID", "somewhere"], 2))
def test_finds_a_folder(biwi, tmp_path, below):
    walks = frame_trees.write(tmp_path / "manual" / below, PEOPLE)
    if below.lower().startswith(("biwi", "sets")):
        frame_trees.write(tmp_path / "manual" / "IAS-Lab", {"Training": {"000": 1}, "TestingA": {"000": 1}})
        frame_trees.pack_one(tmp_path / "manual" / "kgbd.zip", "Data/Person001/1.txt")
    prepare(biwi, tmp_path / "manual")
    assert_complete(biwi, walks)


ARCHIVES = {
    "one of everything": [("biwi/BIWI.zip", "", "BIWI/RGBD-ID")],
    "one of everything, not in the order of splits": [("BIWI.tar", "", ".")],
    "one a split": [
        ("biwi/Training.zip", "Training", ""),
        ("biwi/Still.tar.gz", "Testing/Still", ""),
        ("biwi/Walking.tgz", "Testing/Walking", ""),
    ],
    "names that say the split": [("Training.tar.xz", "Training", ""), ("biwi_testing.zip", "Testing", "data")],
    "a person each": [
        ("biwi/a.zip", "Training", ""),
        *((f"biwi/{i}.zip", f"Testing/Still/{person}", "") for i, person in enumerate(PEOPLE["Testing/Still"])),
        ("biwi/b.tar.bz2", "Testing/Walking", ""),
    ],
}


@pytest.mark.parametrize("packed", few(ARCHIVES.values(), 2), ids=ARCHIVES)
def test_reads_archives(biwi, tree, tmp_path, packed):
    folder, walks = tree
    for name, only, root in packed:
        frame_trees.pack(tmp_path / "manual" / name, folder, root, only)
    before = sorted((tmp_path / "manual").rglob("*"))
    prepare(biwi, tmp_path / "manual")
    assert_complete(biwi, walks)
    assert sorted((tmp_path / "manual").rglob("*")) == before


def test_an_archive_may_be_named_for_its_split(biwi, tree, tmp_path):
    folder, walks = tree
    for name, split in (
        ("BIWI_Training", "Training"),
        ("Still", "Testing/Still"),
        ("testing_walking", SPLITS["walking"]),
    ):
        frame_trees.pack(tmp_path / "manual" / f"{name}.zip", folder / split)
    prepare(biwi, tmp_path / "manual")
    assert_complete(biwi, walks)


@pytest.mark.parametrize("case", few([str.lower, str.upper]))
def test_case_of_folders_says_nothing(biwi, tree, tmp_path, case):
    walks = frame_trees.write(tmp_path / "manual", {case(split): own for split, own in PEOPLE.items()})
    prepare(biwi, tmp_path / "manual")
    as_the_source = {case(folder): folder for folder in SPLITS.values()}
    assert_complete(
        biwi,
        {f"{as_the_source[walk.rpartition('/')[0]]}/{walk.rpartition('/')[2]}": its for walk, its in walks.items()},
    )


@pytest.fixture
def beam_options():
    return pytest.importorskip("apache_beam").options.pipeline_options.PipelineOptions()


@pytest.mark.slow
def test_a_beam_pipeline_builds_the_same(biwi, beam_options, tree, prepared, tmp_path, monkeypatch):
    """Of a folder, a zip and another archive; and without pickling the builder, which Beam does with what it meets."""
    folder, walks = tree
    shutil.copytree(folder / "Training", tmp_path / "biwi" / "Training")
    frame_trees.pack(tmp_path / "biwi" / "Still.zip", folder, only="Testing/Still")
    frame_trees.pack(tmp_path / "biwi" / "Walking.tar.gz", folder, only="Testing/Walking")
    monkeypatch.setattr(biwi_dataset_builder.Builder, "__reduce_ex__", None)
    prepare(biwi, tmp_path, beam_options=beam_options)
    assert_complete(biwi, walks)
    plain = tfds.builder("biwi", data_dir=prepared[0])
    for split in SPLITS:
        ours, others = (list(one.as_dataset(split=split).as_numpy_iterator()) for one in (biwi, plain))
        assert [example["walk"] for example in ours] == [example["walk"] for example in others]


@pytest.mark.slow
def test_a_broken_frame_ends_a_beam_pipeline_too(biwi, beam_options, tmp_path):
    frame_trees.write(tmp_path, PEOPLE)
    broken = next((tmp_path / "Testing" / "Still" / "7").glob("*_000001-*_skel.txt"))
    broken.write_bytes(broken.read_bytes()[:500])
    with pytest.raises(ValueError, match=re.escape(str(broken)) + ", line 6: expected 14 numbers"):
        prepare(biwi, tmp_path, beam_options=beam_options)
    assert not list(pathlib.Path(biwi.data_dir_root).glob("biwi/*"))


@pytest.mark.slow
def test_tfds_build_in_the_builders_folder_and_from_anywhere(tree, tmp_path):
    folder, walks = tree
    tfds_cli = pathlib.Path(sys.executable).with_name("tfds")
    here = pathlib.Path(biwi_dataset_builder.__file__).parent
    for name, cwd, arguments in (
        ("inside", here, []),
        ("anywhere", tmp_path, ["biwi", "--imports=tfds_builders", "--beam_pipeline_options=direct_num_workers=1"]),
    ):
        subprocess.run(
            [tfds_cli, "build", *arguments, f"--manual_dir={folder}", f"--data_dir={tmp_path / name}"],
            cwd=cwd,
            check=True,
            capture_output=True,
        )
        assert_complete(tfds.builder("biwi", data_dir=tmp_path / name), walks)
