from dataclasses import dataclass, field
from typing import Any, ClassVar

from agegait.storage.records import OPTIONAL, Record
from agegait.training.settings import Settings


@dataclass
class Split:
    """What a run was trained on.

    Attributes:
        train: Names of the training walks.
        validation: Names of the validation walks.
        windows: How many windows were cut from either.
    """

    train: list[str]
    validation: list[str]
    windows: dict[str, int]

    def __post_init__(self) -> None:
        _check_names("data.split.windows", self.windows, ("train", "validation"), "a whole number")


@dataclass
class RunData:
    """The data set of a run, see `agegait.datasets.DataSet`.

    Attributes:
        split: What the run was trained on; None until training begins.
        labelled: Training walks that had labels, where some had none.
        frame_rate: Of the walks, Hz; None where it is not known.
    """

    name: str
    version: str | None
    persons: list[str]
    licence: str
    preparation: dict
    held_out: float
    notes: list[list[str]]
    bodies: bool = True
    split: Split | None = field(default=None, metadata=OPTIONAL)
    labelled: list[str] | None = field(default=None, metadata=OPTIONAL)
    frame_rate: float | None = None


@dataclass
class Normalization:
    """The arguments of a run's `SkeletonNormalization`."""

    center: int | None
    unit: str


@dataclass
class StageResult:
    """What a stage of a training reached.

    Attributes:
        epochs: Epochs that it took.
        seconds: Of the process that finished it.
        chosen_epoch: The epoch whose model was kept, where the last one's was not.
        validation_accuracy: Of that epoch.
        validation_loss: Of that epoch.
    """

    epochs: int
    seconds: float
    chosen_epoch: int | None = field(default=None, metadata=OPTIONAL)
    validation_accuracy: float | None = field(default=None, metadata=OPTIONAL)
    validation_loss: float | None = field(default=None, metadata=OPTIONAL)


@dataclass
class Machine:
    """Where a result was computed."""

    processor: str
    cores: int | None
    system: str

    def __str__(self) -> str:
        return f"{self.system}, {self.processor}, {self.cores} cores"


@dataclass
class RunRecord(Record):
    """What a run keeps of itself.

    Attributes:
        settings: The run's settings.
        data: The data set and its split.
        normalization: What was done to its skeletons.
        versions: Of the packages that it was trained with.
        machine: Where it was trained.
        trained: What each finished stage reached, by its name.
    """

    FILE: ClassVar = "run.json"
    FORMAT: ClassVar = 4
    OWNER: ClassVar = "a run"

    settings: Settings
    data: RunData
    normalization: Normalization
    versions: dict[str, str]
    machine: Machine
    trained: dict[str, StageResult]

    def __post_init__(self) -> None:
        _check_names("versions", self.versions, ("agegait", "keras", "tensorflow", "numpy", "python"), "text")
        if self.trained and self.data.split is None:
            raise ValueError("data.split: expected an object, found none.")


def _check_names(name: str, found: dict[str, Any], expected: tuple[str, ...], kind: str) -> None:
    for key in expected:
        if key not in found:
            raise ValueError(f"{name}.{key}: expected {kind}, found none.")
