"""`walkers`: 20 synthetic people walking before a Kinect, generated where it is used."""

from collections.abc import Iterator
from typing import Any, ClassVar

import tensorflow_datasets as tfds

from tfds_builders import walks
from tfds_builders.local_builder import LocalBuilder
from tfds_builders.walkers import generator

SPLITS = {
    "train": ("a", range(4)),
    "validation": ("a", range(4, 5)),
    "test": ("a", range(5, 6)),
    "test_b": ("b", range(2)),
}
"""Which walks of each person belong to a split: recording condition and numbers."""


class Builder(LocalBuilder):
    """Builder of the `walkers` data set."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "20 people, six walks each under condition a and two under condition b."}

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=walks.features(generator.PERSONS), supervised_keys=("skeleton", "person")
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        del dl_manager  # nothing is downloaded
        return {name: self._generate_examples(*chosen) for name, chosen in SPLITS.items()}

    def _generate_examples(self, condition: str, numbers: range) -> Iterator[tuple[str, dict[str, Any]]]:
        for person, name in enumerate(generator.PERSONS):
            for number in numbers:
                skeleton, tracked = generator.walk(person, condition, number)
                walk = f"{name}/{condition}{number}"
                yield walk, {"skeleton": skeleton, "tracked": tracked, "person": name, "walk": walk}
