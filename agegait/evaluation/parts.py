from functools import cached_property

import numpy as np

from agegait.datasets import DataSet, Windows
from agegait.layers import SkeletonNormalization
from agegait.training.settings import Settings


class Parts:
    """The windows that a run learns from and is evaluated on, cut when they are first used.

    Args:
        dataset: The data set.
        settings: How its walks are cut.
        normalization: What is done to skeletons before.
    """

    def __init__(self, dataset: DataSet, settings: Settings, normalization: SkeletonNormalization) -> None:
        self._dataset = dataset
        self._normalization = normalization
        self.settings = settings

    @cached_property
    def training(self) -> Windows:
        """To learn from."""
        return self.settings.training_windows(self._dataset, self._normalization)

    @cached_property
    def validation(self) -> Windows:
        """To choose by."""
        return self._cut("validation")

    @cached_property
    def gallery(self) -> Windows:
        """Those of the training walks without overlap, to search among."""
        return self._cut("train", self.settings.frames)

    @property
    def tests(self) -> dict[str, Windows]:
        """Those of people who are trained on, by test split."""
        return {split: windows for split, (windows, _) in self._tests.items()}

    @property
    def left_out(self) -> dict[str, list[str]]:
        """Walks of everybody else, by test split."""
        return {split: walks for split, (_, walks) in self._tests.items()}

    @cached_property
    def _tests(self) -> dict[str, tuple[Windows, list[str]]]:
        return {split: _of_known_people(self._cut(split), self.gallery) for split in self._dataset.tests}

    def _cut(self, part: str, stride: int | None = None) -> Windows:
        return self._dataset.windows(part, self._normalization, self.settings.frames, stride)


def _of_known_people(windows: Windows, training: Windows) -> tuple[Windows, list[str]]:
    """The windows of people in a closed set, and the walks of everybody else."""
    known = np.isin(windows.persons, training.persons)
    if not known.any():
        raise ValueError("test: expected walks of people who are trained on, found none of them.")
    return Windows(*(column[known] for column in windows)), sorted(set(windows.walks[~known].tolist()))
