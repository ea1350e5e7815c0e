"""The splits of the data sets of TensorFlow Datasets."""

from dataclasses import dataclass

HELD_OUT = 0.2
"""Share of each training walk, its end, that validates where a data set has no walks to spare for that."""


@dataclass(frozen=True)
class Splits:
    """The splits of a TFDS data set that a run uses.

    Attributes:
        tests: Walks to be looked at once, at the end.
        licence: On what terms the data may be used; goes with models trained on them.
        frame_rate: Frames a second, about; None where its authors do not say.
        validation: Walks held out of training to choose by; None to hold out the end of each training walk.
    """

    tests: tuple[str, ...]
    licence: str
    frame_rate: float | None = None
    validation: str | None = None


SPLITS = {
    "biwi": Splits(("still", "walking"), "CC BY-NC-SA 3.0; cite Munaro et al., 2014", frame_rate=10.0),
    "ias": Splits(
        ("test_a", "test_b"),
        "given by its authors for research, ask them for anything else; cite Munaro et al., ICRA 2014",
    ),
    "kgbd": Splits(
        ("test",),
        "as is, without warranty; cite Andersson and Araujo, AAAI 2015, and link their repository",
        frame_rate=30.0,
        validation="validation",
    ),
    "walkers": Splits(("test", "test_b"), "MIT; generated, of nobody", 30.0, validation="validation"),
}
"""The splits of each data set, by its TFDS name."""
