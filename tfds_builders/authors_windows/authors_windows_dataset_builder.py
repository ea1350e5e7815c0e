"""The builder of authors_windows: windows as the authors of the published gait encoding cut them."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds
from etils import epath

from agegait import data, skeletons
from tfds_builders.local_builder import LocalBuilder
from tfds_builders.walk_builder import manual_dir

_TESTS = {"train": "train", "test": "test"}
_FOLDERS = ("", "Datasets/", "*/", "*/Datasets/")


@dataclasses.dataclass(eq=False)
class WindowsConfig(tfds.core.BuilderConfig):
    """Which files are read.

    Attributes:
        dataset: The data set's name in them.
        parts: Split -> the part's name in them.
        frames: Frames f of a window.
    """

    dataset: str = ""
    parts: Mapping[str, str] = dataclasses.field(default_factory=lambda: _TESTS)
    frames: int = 6


class Builder(LocalBuilder):
    """Windows of BIWI, IAS-Lab or KGBD, with their people."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "The windows of the training and of each test."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    Ask the authors for their pre-processed data, or follow the link at https://github.com/Kali-Hac/SGE-LA, and put
    `Datasets`, which holds `BIWI_train_npy_data`, `BIWI_test_npy_data` and the like, into `<manual_dir>`. The terms of
    the data sets that they are made of hold for them too.

    `manual_dir` is `<data_dir>/downloads/manual` unless you say otherwise: `tfds.load("authors_windows/ias",
    download_and_prepare_kwargs={"download_config": tfds.download.DownloadConfig(manual_dir=...)})`.
    """
    BUILDER_CONFIGS: ClassVar = [
        WindowsConfig(name="biwi", description="Of BIWI RGBD-ID; the test is its Walking.", dataset="BIWI"),
        WindowsConfig(
            name="ias",
            description="Of IAS-Lab RGBD-ID.",
            dataset="IAS",
            parts={"train": "train", "test_a": "A", "test_b": "B"},
        ),
        WindowsConfig(name="kgbd", description="Of KGBD; the test is one walk of each person.", dataset="KGBD"),
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "skeleton": tfds.features.Tensor(shape=self._shape, dtype=np.float32),
                    "person": tfds.features.ClassLabel(),
                    "index": tfds.features.Scalar(dtype=np.int64),
                }
            ),
            supervised_keys=("skeleton", "person"),
            homepage="https://github.com/Kali-Hac/SGE-LA",
            license="That of the data set which the windows are made of.",
        )

    @property
    def _shape(self) -> tuple[int, int, int]:
        return self.builder_config.frames, len(skeletons.JOINTS), 3

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        config = self.builder_config
        folder = _find(manual_dir(dl_manager), config.dataset)
        splits = {
            split: data.load_authors_layout(folder, config.dataset, part, config.frames)
            for split, part in config.parts.items()
        }
        for split, windows in splits.items():
            if windows.windows.shape[1:] != self._shape:
                raise ValueError(
                    f"{folder}: expected windows {self._shape} in {split}, found {windows.windows.shape[1:]}"
                )
        persons = np.unique(np.concatenate([windows.persons for windows in splits.values()]))
        self.info.features["person"].names = [str(person) for person in persons]
        return {split: self._generate_examples(windows) for split, windows in splits.items()}

    def _generate_examples(self, windows: data.AuthorsWindows) -> Iterator[tuple[int, dict[str, Any]]]:
        for index, (skeleton, person) in enumerate(zip(windows.windows, windows.persons, strict=True)):
            yield index, {"skeleton": skeleton, "person": str(person), "index": index}


def _find(folder: epath.Path, dataset: str) -> epath.Path:
    """The folder that holds the data set's, at most two below."""
    found = {path.parent for below in _FOLDERS for path in folder.glob(f"{below}{dataset}_train_npy_data")}
    if len(found) != 1:
        where = sorted(str(path) for path in found) or sorted(path.name for path in folder.iterdir())[:10]
        raise ValueError(f"{folder}: expected one folder {dataset}_train_npy_data in it or in Datasets, found {where}")
    return found.pop()
