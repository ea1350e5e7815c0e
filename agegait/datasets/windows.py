from typing import NamedTuple

import numpy as np

from agegait.skeletons import mirrored


class Windows(NamedTuple):
    """The windows of some walks, one after another.

    Attributes:
        skeletons: `[M, f, J, 3]` metres.
        persons: `[M]` labels.
        walks: `[M]` name of the walk that each window is from.
    """

    skeletons: np.ndarray
    persons: np.ndarray
    walks: np.ndarray

    def with_mirrored(self) -> "Windows":
        """These and then their mirror images, of the same people and walks."""
        return self.and_then(self._replace(skeletons=mirrored(self.skeletons)))

    def and_then(self, others: "Windows") -> "Windows":
        """These and then others."""
        return Windows(*(np.concatenate(columns) for columns in zip(self, others, strict=True)))
