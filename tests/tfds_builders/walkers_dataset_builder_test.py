import pathlib

import numpy as np
import pytest
import tensorflow_datasets as tfds

from agegait import skeletons
from tfds_builders.walkers import generator, walkers_dataset_builder


class WalkersTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = walkers_dataset_builder.Builder
    EXAMPLE_DIR = pathlib.Path(__file__).parent  # nothing is read from it: the walks are generated
    SPLITS = {"train": 80, "validation": 20, "test": 20, "test_b": 40}  # noqa: RUF012


@pytest.fixture(scope="module")
def examples(walkers_dir):
    splits = tfds.load("walkers", data_dir=walkers_dir)
    return {name: list(tfds.as_numpy(split)) for name, split in splits.items()}


def test_a_walk_is_read_as_it_was_generated(examples):
    by_name = {example["walk"].decode(): example for split in examples.values() for example in split}
    assert len(by_name) == 160
    skeleton, tracked = generator.walk(3, "a", 2)
    example = by_name["walker03/a2"]
    np.testing.assert_array_equal(example["skeleton"], skeleton)
    np.testing.assert_array_equal(example["tracked"], tracked)
    assert example["person"] == 3
    assert example["skeleton"].shape[1:] == (len(skeletons.JOINTS), 3)


def test_splits_share_no_walk_and_every_one_has_everybody(examples):
    names = [{example["walk"] for example in split} for split in examples.values()]
    assert len(set.union(*names)) == sum(map(len, names))
    for split in examples.values():
        assert {int(example["person"]) for example in split} == set(range(20))
    for name, split in examples.items():
        assert {example["walk"].split(b"/")[1][:1] for example in split} == {b"b" if name == "test_b" else b"a"}


@pytest.mark.slow
def test_array_record_reads_as_a_data_source(tmp_path):
    builder = walkers_dataset_builder.Builder(data_dir=tmp_path, file_format="array_record")
    builder.download_and_prepare()
    source = builder.as_data_source(split="test_b")
    assert len(source) == 40
    assert source[0]["skeleton"].dtype == np.float32


def test_persons_are_named(walkers_dir):
    builder = walkers_dataset_builder.Builder(data_dir=walkers_dir)
    assert builder.info.features["person"].names == list(generator.PERSONS)


def test_people_can_be_told_apart_but_not_by_everyone(examples):
    """A nearest neighbour on hip-centred windows, in plain NumPy: far above chance, 5 %, far below certainty."""

    def windows(split):
        cut = [(e["skeleton"][: len(e["skeleton"]) // 6 * 6], e["person"]) for e in examples[split]]
        centred = [(joints - joints[:, :1]).reshape(-1, 6 * 20 * 3) for joints, _ in cut]
        labels = [np.full(len(one), person) for one, (_, person) in zip(centred, cut, strict=True)]
        return np.concatenate(centred), np.concatenate(labels)

    known, persons = windows("train")
    scale = known.std(0) + 1e-6
    rank_1 = {}
    for split in ("test", "test_b"):
        asked, truth = windows(split)
        asked, gallery = asked / scale, known / scale
        distances = (gallery**2).sum(1) - 2 * asked @ gallery.T
        rank_1[split] = (persons[distances.argmin(1)] == truth).mean()
    assert 0.6 < rank_1["test"] < 0.95
    assert 0.3 < rank_1["test_b"] < rank_1["test"]
