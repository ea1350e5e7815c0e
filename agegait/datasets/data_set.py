import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from agegait import data
from agegait.data import Preparation, Walks
from agegait.datasets.windows import Windows


@dataclass(frozen=True)
class DataSet:
    """The walks of a data set in the parts that a run uses: `"train"`, `"validation"` and the tests.

    Attributes:
        name: Its TFDS name, or the folder.
        version: Its TFDS version; None for a folder.
        persons: Names of the people, in the order of the labels.
        tests: Names of the test parts.
        licence: On what terms the data may be used.
        preparation: What is done to walks before they are cut into windows.
        read: Gives the walks of a part as they were recorded, as a `tf.data.Dataset`.
        held_out: Share of each training walk, its end, that is the validation part; 0 where that has walks of its own.
        notes: What else there is to know of where the walks come from, each under a heading.
        bodies: Whether the walks show bodies as `agegait.skeletons.limbs` knows them: not so in a folder that has
            faults and was taken all the same.
        frame_rate: Frames a second, about; None where that is not known.
        strangers: The walks of the people who are left out, to test on; None where nobody is.
        choosing: The walks of the people who are left out to choose by, thresholds above all; None where nobody is.
    """

    name: str
    version: str | None
    persons: list[str]
    tests: tuple[str, ...]
    licence: str
    preparation: Preparation
    read: Callable[[str], Any]
    held_out: float = 0.0
    notes: tuple[tuple[str, str], ...] = ()
    bodies: bool = True
    frame_rate: float | None = None
    strangers: "DataSet | None" = None
    choosing: "DataSet | None" = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that have walks of their own."""
        return ("train", *(() if self.held_out else ("validation",)), *self.tests)

    def walks(self, part: str) -> Any:
        """The prepared walks of a part."""
        if not self.held_out or part not in ("train", "validation"):
            return self.preparation(self.read(part))
        return data.hold_out(self.preparation(self.read("train")), self.held_out, end=part == "validation")

    def whole_walks(self, *parts: str) -> Walks:
        """The prepared walks of some parts, all of them where none is named, held in memory; people by their names."""
        read = [Walks.from_dataset(self.preparation(self.read(part))) for part in parts or self.parts]
        persons = np.concatenate([walks.persons for walks in read])
        names = np.concatenate([walks.names for walks in read])
        return Walks([x for walks in read for x in walks.skeletons], np.array(self.persons)[persons], names)

    def of_persons(self, persons: Iterable[str]) -> "DataSet":
        """The walks of some of the people, and labels that count these alone."""
        wanted = set(persons)
        kept = [label for label, name in enumerate(self.persons) if name in wanted]
        labels = np.full(len(self.persons), -1)
        labels[kept] = np.arange(len(kept))
        names = [self.persons[label] for label in kept]
        return dataclasses.replace(self, persons=names, read=lambda part: _relabelled(self.read(part), labels))

    def without_strangers(self, seed: int) -> "DataSet":
        """What is left to train on where some people are tested, and some others chosen by.

        Args:
            seed: Of the division of the people, see `agegait.data.divide_persons`.

        Raises:
            ValueError: Too few people, or a split that is called `"strangers"`.
        """
        if "strangers" in self.parts:
            raise ValueError(
                f"{self.name}: expected no split 'strangers', which is what the people left out are called."
            )
        division = data.divide_persons(self.persons, seed=seed)
        return dataclasses.replace(
            self.of_persons(division.training),
            strangers=self.of_persons(division.tested),
            choosing=self.of_persons(division.validation),
        )

    def without_calibrated(self, share: float, seed: int) -> "DataSet":
        """What is left to train on where a share of the people is left out to choose by, and nobody to test on.

        Args:
            share: Of the people, rounded.
            seed: Of the division, see `agegait.data.divide_persons`.

        Raises:
            ValueError: Too few people are left, or left out.
        """
        division = data.divide_persons(self.persons, share, 0.0, seed)
        return dataclasses.replace(self.of_persons(division.training), choosing=self.of_persons(division.tested))

    def windows(self, part: str, normalization: Any, frames: int, stride: int | None = None) -> Windows:
        """The normalized windows of a part, held in memory.

        Args:
            part: `"train"`, `"validation"` or a test.
            normalization: A `SkeletonNormalization`.
            frames: Frames f of a window.
            stride: Frames from a window to the next; None cuts as the papers do.

        Raises:
            ValueError: No window at all: the walks are too short.
        """
        walks = self.walks(part)
        if stride is None:
            cut = self.preparation.cut(walks, frames, training=part == "train")
        else:
            cut = data.windows(walks, frames, stride)
        batches = [(batch["skeleton"], batch["person"], batch["walk"]) for batch in cut.batch(4096).as_numpy_iterator()]
        if not batches:
            raise ValueError(f"{self.name}, split {part}: expected walks of at least {frames} frames, found none.")
        skeletons, persons, names = (np.concatenate(column) for column in zip(*batches, strict=True))
        return Windows(np.asarray(normalization(skeletons)), persons, np.array([name.decode() for name in names]))


def _relabelled(walks: Any, labels: np.ndarray) -> Any:
    """The walks of people whose new label is not negative."""
    import tensorflow as tf

    table = tf.constant(labels)
    relabelled = walks.map(lambda walk: {**walk, "person": tf.cast(tf.gather(table, walk["person"]), "int64")})
    return relabelled.filter(lambda walk: walk["person"] >= 0)
