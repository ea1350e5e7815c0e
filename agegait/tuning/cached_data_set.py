import dataclasses
from typing import Any

from agegait.datasets import DataSet, Windows


@dataclasses.dataclass(frozen=True)
class CachedDataSet(DataSet):
    """A data set whose windows are cut once for each number of frames, since many trials ask for the same ones.

    Attributes:
        cut: The windows so far.
    """

    cut: dict[Any, Windows] = dataclasses.field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, dataset: DataSet) -> "CachedDataSet":
        """A data set with such a memory."""
        return cls(**{field.name: getattr(dataset, field.name) for field in dataclasses.fields(DataSet)})

    def windows(self, part: str, normalization: Any, frames: int, stride: int | None = None) -> Windows:
        """As `DataSet.windows`."""
        asked = part, frames, stride, repr(normalization.get_config())
        if asked not in self.cut:
            self.cut[asked] = super().windows(part, normalization, frames, stride)
        return self.cut[asked]
