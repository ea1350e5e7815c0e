"""A folder of your own walks as a data set."""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from agegait import skeletons
from agegait.data.folder.drawn_split import draw_split, kept_split
from agegait.data.folder.layout import FolderWalk, find_walks
from agegait.data.folder.survey import survey
from agegait.recordings.joint_recognition import recognize_joints
from agegait.recordings.recording import Recording, listed
from agegait.recordings.walk import Walk
from agegait.recordings.walk_files import read_recording
from agegait.recordings.walk_format import WalkFormat

_KEPT_BYTES = 2**30
"""Walks up to this size in all stay in memory once they are read; others are read again when they are needed."""

_RECOGNIZED_BY = 8
"""Walks, spread over the folder, that tell the joints' schema."""


class WalkFolder:
    """The walks in a folder, laid out as `<person>/<walk>` or `<split>/<person>/<walk>`.

    All files are read at once, so that what is wrong is said before anyone trains on them. Walks of up to 1 GiB in all
    stay in memory; others are read again when they are needed.
    Where the folder has no splits, one is drawn, see `draw_split`; walks that are one and the same recording are for
    training together.

    Args:
        path: The folder.
        walk_format: What the files hold where they do not say it themselves, and what is to become of it.
        seed: Of the split that is drawn.
        known: An earlier split of the folder, by walk. It is kept: walks that were added since are test walks, and
            people who were added come after the others. Without effect where the folder has splits of its own.

    Attributes:
        persons: Names of the people, in the order of the labels.
        walks: Where each walk is.
        splits: Names of `"train"`, `"validation"` and the tests that have walks, with their walks.
        schema: The schema that the joints are of.
        left_alone: What in the folder is no walk.
        drawn: Whether the split was drawn.
        limbs: Lengths of limbs over all walks.
        faults: What of the limbs makes no sense; empty where all do.
        warnings: What else should be known before training.

    Raises:
        ValueError: A folder of another layout, see `agegait.data.folder.layout.find_walks`; files that are no walks, or
            of other joints than the others, or links out of the folder, all of them at once; one recording both trained
            on and tested, where the folder has splits.

    Example:
        >>> folder = WalkFolder("walks", WalkFormat(units="mm"))
        >>> windows = agegait.data.windows(folder.dataset("train"))
    """

    def __init__(
        self,
        path: str | PathLike,
        walk_format: WalkFormat | None = None,
        seed: int = 0,
        known: Mapping[str, str] | None = None,
    ) -> None:
        self.path = Path(path)
        self.walk_format = walk_format or WalkFormat()
        self.seed = seed
        self._kept: dict[FolderWalk, Walk] = {}
        self._bytes = 0
        layout = find_walks(self.path)
        self.walks, self.left_alone = layout.walks, layout.left_alone
        self.drawn = self.walks[0].split is None
        self.known = dict(known or {}) if self.drawn else {}
        before = {walk.person for walk in self.walks if walk.name in self.known}
        self.persons = tuple(sorted(layout.persons, key=lambda person: person not in before))  # labels stay
        faults = list(layout.faults)
        self.schema = recognize_joints(self._some_recordings(faults), self.walk_format)
        found = survey(self._all_walks(faults))
        self.limbs, self.faults = found.limbs, found.faults
        self.splits = self._split(found.identical)
        self.warnings = (*self._split_warnings(), *layout.remarks, *found.remarks)

    def read(self, walk: FolderWalk) -> Walk:
        """Reads one of the folder's walks."""
        if walk in self._kept:
            return self._kept[walk]
        found = Walk.of(read_recording(walk.path, self.path), self.walk_format, self.schema)
        self._bytes += found.skeleton.nbytes + found.tracked.nbytes
        if self._bytes <= _KEPT_BYTES:
            self._kept[walk] = found
        return found

    def check_limbs(self) -> None:
        """Refuses a folder whose limbs make no sense.

        Raises:
            ValueError: They do not. The message names all `faults`.
        """
        if self.faults:
            raise ValueError(f"{self.path}: expected limbs as bodies have them: {'; '.join(self.faults)}.")

    def dataset(self, split: str | None = None) -> Any:
        """The walks of a split, or all, as a `tf.data.Dataset` of what `tfds.load` gives.

        Examples have `"skeleton"` float32 `[T, 20, 3]`, `"tracked"` bool `[T, 20]`, `"person"`, index into `persons`,
        and `"walk"`, its name. They are read when they are needed, several at a time. The data set has the
        people's names as `class_names`, as those of `keras.utils.image_dataset_from_directory` have.

        Raises:
            ValueError: No such split.
        """
        import tensorflow as tf  # the command line reads walks without it

        if split is not None and split not in self.splits:
            hint = "; hold_out takes one from train" if split == "validation" else ""
            raise ValueError(f"split: expected one of {', '.join(self.splits)}, received {split!r}{hint}.")
        walks = self.walks if split is None else self.splits[split]
        labels = {person: label for label, person in enumerate(self.persons)}

        def read(index):
            walk = self.read(walks[index])
            return walk.skeleton, walk.tracked

        def example(index, person, name):
            skeleton, tracked = tf.numpy_function(read, [index], (tf.float32, tf.bool))
            joints = len(skeletons.JOINTS)
            return {
                "skeleton": tf.ensure_shape(skeleton, (None, joints, 3)),
                "tracked": tf.ensure_shape(tracked, (None, joints)),
                "person": person,
                "walk": name,
            }

        columns = (
            np.arange(len(walks)),
            np.array([labels[walk.person] for walk in walks], "int64"),
            np.array([walk.name.encode() for walk in walks]),
        )
        dataset = tf.data.Dataset.from_tensor_slices(columns).map(example, num_parallel_calls=tf.data.AUTOTUNE)
        dataset.class_names = list(self.persons)
        return dataset

    def _some_recordings(self, faults: list[str]) -> list[Recording]:
        """Recordings that tell the joints' schema, spread over those that can be read."""
        some = np.unique(np.linspace(0, len(self.walks) - 1, _RECOGNIZED_BY).round().astype(int))
        recordings = []
        for index in some:
            with contextlib.suppress(ValueError):  # reported when all are read
                recordings.append(read_recording(self.walks[index].path, self.path))
        if recordings:
            return recordings
        for walk in self.walks:
            try:
                return [read_recording(walk.path, self.path)]
            except ValueError as error:
                faults.append(str(error))
        raise self._refusal(faults)

    def _all_walks(self, faults: Iterable[str]) -> Iterator[tuple[FolderWalk, Walk]]:
        """Reads all walks.

        Raises:
            ValueError: Some cannot be read, after all that can were. The message names each, and the other faults.
        """
        found = list(dict.fromkeys(faults))
        for walk in self.walks:
            try:
                yield walk, self.read(walk)
            except ValueError as error:
                found += [str(error)] if str(error) not in found else []
        if found:
            raise self._refusal(found)

    def _refusal(self, faults: Sequence[str]) -> ValueError:
        if len(faults) == 1:
            return ValueError(faults[0])
        return ValueError(f"{self.path}: expected walks, found {len(faults)} faults:\n" + "\n".join(faults))

    def _split(self, identical: Collection[Sequence[str]]) -> dict[str, tuple[FolderWalk, ...]]:
        split = {walk.name: walk.split or "" for walk in self.walks}
        if self.known:
            split = kept_split(split, self.known)
        elif self.drawn:
            own: dict[str, list[str]] = {person: [] for person in self.persons}
            for walk in self.walks:
                own[walk.person].append(walk.name)
            split = draw_split(own, identical, self.seed)
        for names in identical:
            if len({split[name] for name in names}) > 1:
                raise ValueError(f"{self.path}: expected other recordings in each split, found one as {listed(names)}.")
        splits = {
            name: tuple(walk for walk in self.walks if split[walk.name] == name)
            for name in dict.fromkeys(("train", "validation", *split.values()))
        }
        return {name: walks for name, walks in splits.items() if walks}

    def _split_warnings(self) -> list[str]:
        tested = {walk.person for name, walks in self.splits.items() if name.startswith("test") for walk in walks}
        untested = [person for person in self.persons if person not in tested]
        return [f"no walk is left to test how these are named: {listed(untested)}"] if untested else []


def from_folder(
    path: str | PathLike,
    split: str | None = None,
    *,
    joints: str = "auto",
    units: str = "m",
    missing: str = "refuse",
    frame_rate: float | None = None,
    resample: float | None = None,
    seed: int = 0,
    check_limbs: bool = True,
) -> Any:
    """The walks in your own folder as a `tf.data.Dataset` of what `tfds.load` gives.

    Args:
        path: The folder, see `WalkFolder`.
        split: `"train"`, `"validation"` or a test; None for all walks.
        joints: See `WalkFormat`, as for all that follows.
        units: Of coordinates.
        missing: What becomes of joints that are not there.
        frame_rate: Of the recordings.
        resample: Frame rate wanted.
        seed: Of the split, where the folder has none.
        check_limbs: Whether to refuse a folder in which limbs are not as bodies have them, which tells of joints mixed
            up and units mistaken.

    Returns:
        See `WalkFolder.dataset`.

    Raises:
        ValueError: A folder or file that is not as it should be, see `WalkFolder`, or no such split.

    Example:
        >>> walks = agegait.data.from_folder("walks", "train", units="mm")
        >>> walks.class_names
        ['anna', 'ben']
        >>> encoder.fit(agegait.data.windows(walks, center=0).shuffle(10_000).batch(128))
    """
    walk_format = WalkFormat(joints, units, missing, frame_rate, resample)
    folder = WalkFolder(path, walk_format, seed)
    if check_limbs:
        folder.check_limbs()
    return folder.dataset(split)
