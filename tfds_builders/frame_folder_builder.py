"""The base of the builders of BIWI and IAS-Lab, which are laid out alike."""

from collections.abc import Iterable
from typing import Any, ClassVar

import tensorflow_datasets as tfds

from tfds_builders import frame_files, frame_folders, walks
from tfds_builders.frame_folders import Layout
from tfds_builders.walk_builder import WalkBuilder, held, manual_dir


class FrameFolderBuilder(WalkBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Walks that are kept as a folder for each person and a file for each frame.

    Attributes:
        LAYOUT: Where the splits' people are.
        HOMEPAGE: Where the data set is from.
        LICENSE: On what terms it may be used.
    """

    LAYOUT: ClassVar[Layout]
    HOMEPAGE: ClassVar[str]
    LICENSE: ClassVar[str]

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=walks.features(),
            supervised_keys=("skeleton", "person"),
            homepage=self.HOMEPAGE,
            license=self.LICENSE,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        found = frame_folders.find(manual_dir(dl_manager), self.name, self.LAYOUT)
        persons = {walk.person for its in found.values() for walk in its}
        self.info.features["person"].names = sorted(persons, key=frame_folders.natural)
        if self._on_beam:
            return {
                split: self._generate_examples(list(frame_files.batches(its)), frame_files.read)
                for split, its in found.items()
            }
        packed = _read_archives([walk for its in found.values() for walk in its])

        def read(walk: frame_folders.Walk) -> Iterable[tuple[str, Any]]:
            return [(walk.name, packed.pop(walk.name))] if walk.archive is not None else frame_files.read([walk])

        return {split: self._generate_examples(its, read) for split, its in found.items()}


def _read_archives(archived: list[frame_folders.Walk]) -> dict[str, dict[str, Any]]:
    recordings: dict[str, dict[str, Any]] = {}  # 60 MB of BIWI
    for archive in dict.fromkeys(walk.archive for walk in archived if walk.archive is not None):
        own = [walk for walk in archived if walk.archive == archive]
        recordings |= held(frame_files.read(own), archive, len(own))
    return recordings
