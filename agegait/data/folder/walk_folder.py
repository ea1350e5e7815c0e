"""A folder of your own walks as a data set."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from agegait import skeletons
from agegait.data.folder.drawn_split import draw_split, kept_split
from agegait.data.folder.file_walks import walks_of_file
from agegait.data.folder.layout import FolderLayout, FolderWalk, check_people, find_files, find_walks, people_of
from agegait.data.folder.survey import survey
from agegait.recordings.joint_recognition import recognize_joints
from agegait.recordings.recording import Recording, listed
from agegait.recordings.walk import Walk
from agegait.recordings.walk_files import read_recordings
from agegait.recordings.walk_format import WalkFormat
from agegait.skeletons import Schema

_KEPT_BYTES = 2**30
"""Walks up to this size in all stay in memory once they are read; others are read again when they are needed."""

_RECOGNIZED_BY = 8
"""Walks, spread over the folder, that tell the joints' schema."""


class WalkFolder:
    """The walks in a folder, laid out as `<person>/<walk>` or `<split>/<person>/<walk>`, or in a file of everybody.

    A file that says who walks, such as a table with a column `person`, needs no folder; several such can be in one.
    A file may hold several walks, which are named `<walk>#1` and so on: those before and after a hole in time.

    All files are read at once, so that what is wrong is said before anyone trains on them. Walks of up to 1 GiB in all
    stay in memory; others are read again when they are needed.
    Where the folder has no splits, one is drawn, see `draw_split`; walks that are one and the same recording are for
    training together.

    Args:
        path: The folder, or the file.
        walk_format: What the files hold where they do not say it themselves, and what is to become of it.
        seed: Of the split that is drawn.
        known: An earlier split of the folder, by walk. It is kept: walks that were added since are test walks, and
            people who were added come after the others. Without effect where the folder has splits of its own.
        frame_rate: Hz to which walks of another rate are brought, as those of a run were; that of most walks where
            absent. Rates within a tenth are one.

    Attributes:
        persons: Names of the people, in the order of the labels.
        walks: Where each walk is.
        splits: Names of `"train"`, `"validation"` and the tests that have walks, with their walks.
        schema: The schema that the joints are of.
        units: That lengths were in, each once.
        ups: Axes that pointed up, each once.
        frame_rate: Hz, of all walks as they are read; None where no walk says its own, and nobody theirs.
        left_alone: What in the folder is no walk.
        drawn: Whether the split was drawn.
        limbs: Lengths of limbs over all walks.
        faults: What of the limbs makes no sense; empty where all do.
        warnings: What else should be known before training.

    Raises:
        ValueError: A folder of another layout, see `agegait.data.folder.layout.find_walks`; files that are no walks, or
            of other joints than the others, or links out of the folder, all of them at once; one recording of two
            people; one both trained on and tested, where the folder has splits.

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
        frame_rate: float | None = None,
    ) -> None:
        self.path = Path(path)
        self.walk_format = walk_format or WalkFormat()
        self.seed = seed
        self._kept: dict[FolderWalk, Walk] = {}
        self._bytes = 0
        self._last: tuple[Path, list[Recording]] | None = None
        self._ahead: dict[Path, list[Recording]] = {}
        layout = self._layout()
        self.left_alone, self._places = layout.left_alone, layout.walks
        faults, self._skipped = list(layout.faults), dict[str, str]()
        self.schema = self._recognize(faults)
        self._walks: list[FolderWalk] = []
        units, ups = dict[str, None](), dict[str, None]()
        found = survey(self._noting(self._all_walks(faults), units, ups), frame_rate)
        self.units, self.ups = tuple(units), tuple(ups)
        self.walks = tuple(self._walks)
        if self._bytes <= _KEPT_BYTES:
            self._last = None
        check_people(self.path, self.walks)
        self.drawn = self.walks[0].split is None
        self.known = dict(known or {}) if self.drawn else {}
        before = {walk.person for walk in self.walks if walk.name in self.known}
        self.persons = tuple(sorted(people_of(self.walks), key=lambda person: person not in before))  # labels stay
        self.limbs, self.faults, self.frame_rate = found.limbs, found.faults, found.frame_rate
        self._check_labels([*found.identical, *found.shared])
        self.splits = self._split(found.identical)
        skipped = [f"left out, as no walk: {fault}" for fault in self._skipped.values()]
        self.warnings = (*skipped, *self._split_warnings(), *layout.remarks, *found.remarks)

    def read(self, walk: FolderWalk) -> Walk:
        """Reads one of the walks, at the folder's frame rate."""
        read = self._read(walk)
        return read if self.frame_rate is None else read.at_rate(self.frame_rate)

    def _read(self, walk: FolderWalk) -> Walk:
        if walk in self._kept:
            return self._kept[walk]
        for other, recording in walks_of_file(self._place(walk), self._recordings(walk.path)):
            if other == walk:
                return self._keep(walk, recording)
        raise ValueError(f"{walk.path}: expected the walk {walk.name}, found it gone since the folder was read.")

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

        def read(index: int) -> tuple[np.ndarray, np.ndarray]:
            walk = self.read(walks[index])
            return walk.skeleton, walk.tracked

        def example(index: tf.Tensor, person: tf.Tensor, name: tf.Tensor) -> dict[str, tf.Tensor]:
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

    def _layout(self) -> FolderLayout:
        """Where the files are: in people's folders, or those that say themselves who walks."""
        if not self.path.is_dir() and (layout := find_files(self.path)):
            return layout
        try:
            return find_walks(self.path)
        except ValueError:
            layout = find_files(self.path) if self.path.is_dir() else None
            if layout is None or not self._all_name_people(layout):
                raise
            return layout

    def _all_name_people(self, layout: FolderLayout) -> bool:
        try:
            return all(
                recording.person is not None for walk in layout.walks for recording in self._recordings(walk.path)
            )
        except ValueError:
            return False

    def _place(self, walk: FolderWalk) -> FolderWalk:
        """Where the file of a walk is, as of the layout."""
        return next(place for place in self._places if place.path == walk.path)

    def _recordings(self, path: Path) -> list[Recording]:
        """What a file holds; that of the last one stays in memory, as it may have further walks."""
        last = self._last
        if path in self._ahead:  # a video takes as long to read as to watch
            last = self._last = path, self._ahead.pop(path)
        if last is None or last[0] != path:
            last = path, read_recordings(path, self.path if self.path.is_dir() else None, self.walk_format)
            self._last = last
        return last[1]

    def _keep(self, walk: FolderWalk, recording: Recording) -> Walk:
        found = Walk.of(recording, self.walk_format, self.schema)
        self._bytes += found.skeleton.nbytes + found.tracked.nbytes
        if self._bytes <= _KEPT_BYTES:
            self._kept[walk] = found
        return found

    def _recognize(self, faults: list[str]) -> Schema:
        """The joints' schema, by recordings spread over those that can be read."""
        some = np.unique(np.linspace(0, len(self._places) - 1, _RECOGNIZED_BY).round().astype(int))
        recordings = self._readable([self._places[index] for index in some], [], keep=True)
        recordings = recordings or self._readable(self._places, faults)[:_RECOGNIZED_BY]
        if not recordings:
            raise self._refusal(faults)
        try:
            return recognize_joints(recordings, self.walk_format)
        except ValueError:
            if self.walk_format.skip_bad:
                for recording in recordings:
                    try:
                        return recognize_joints([recording], self.walk_format)
                    except ValueError:
                        continue
            raise

    def _readable(self, places: Iterable[FolderWalk], faults: list[str], keep: bool = False) -> list[Recording]:
        recordings, ahead = [], dict[Path, list[Recording]]()
        for place in places:
            try:
                recordings += ahead.setdefault(place.path, self._recordings(place.path))
            except ValueError as error:  # reported when all are read
                faults.append(str(error))
        if keep:
            self._ahead = ahead
        return recordings

    def _all_walks(self, faults: Iterable[str]) -> Iterator[tuple[FolderWalk, Walk]]:
        """Reads all walks.

        Raises:
            ValueError: Some cannot be read, after all that can were. The message names each, and the other faults.
        """
        found = list(dict.fromkeys(faults))
        for place in self._places:
            try:
                for walk, recording in walks_of_file(place, self._recordings(place.path)):
                    read = self._keep(walk, recording)
                    self._walks.append(walk)
                    yield walk, read
            except ValueError as error:
                if self.walk_format.skip_bad:
                    self._skipped[str(place.path)] = str(error)
                elif str(error) not in found:
                    found.append(str(error))
        if found and not (self.walk_format.skip_bad and self._walks):
            raise self._refusal(found)
        if not self._walks:
            raise self._refusal(list(self._skipped.values()))

    def _noting(
        self, walks: Iterable[tuple[FolderWalk, Walk]], units: dict[str, None], ups: dict[str, None]
    ) -> Iterator[tuple[FolderWalk, Walk]]:
        for where, walk in walks:
            units[walk.units] = ups[walk.up] = None
            yield where, walk

    def _check_labels(self, identical: Iterable[Sequence[str]]) -> None:
        """Refuses one recording of two people."""
        person = {walk.name: walk.person for walk in self.walks}
        faults, told = [], set[str]()
        for names in identical:
            people = list(dict.fromkeys(person[name] for name in names))
            if len(people) > 1 and not told.issuperset(names):
                told.update(names)
                count = "two" if len(people) == 2 else len(people)
                faults.append(
                    f"{self.path}: one recording under {count} people, {' and '.join(people)}: one of the labels is "
                    f"wrong ({listed(names)})."
                )
        if faults:
            raise ValueError("\n".join(faults))

    def _refusal(self, faults: Sequence[str]) -> ValueError:
        if len(faults) == 1:
            return ValueError(faults[0])
        return ValueError(f"{self.path}: expected walks, found {len(faults)} faults:\n" + "\n".join(faults))

    def _split(self, identical: Collection[Sequence[str]]) -> dict[str, tuple[FolderWalk, ...]]:
        split = {walk.name: walk.split or "" for walk in self.walks}
        if self.known:
            split = kept_split(split, self.known)
        elif self.drawn:
            split = self._drawn_split(identical)
        for names in identical:
            if len({split[name] for name in names}) > 1:
                raise ValueError(f"{self.path}: expected other recordings in each split, found one as {listed(names)}.")
        splits = {
            name: tuple(walk for walk in self.walks if split[walk.name] == name)
            for name in dict.fromkeys(("train", "validation", *split.values()))
        }
        return {name: walks for name, walks in splits.items() if walks}

    def _drawn_split(self, identical: Iterable[Sequence[str]]) -> dict[str, str]:
        """Draws a split by files, the walks of one file together."""
        first: dict[tuple[str, str], str] = {}
        names = {walk.name: first.setdefault((walk.person, walk.group), walk.name) for walk in self.walks}
        own: dict[str, list[str]] = {person: [] for person in self.persons}
        for (person, _), name in first.items():
            own[person].append(name)
        split = draw_split(own, [{names[name] for name in group} for group in identical], self.seed)
        return {name: split[of_group] for name, of_group in names.items()}

    def _split_warnings(self) -> list[str]:
        tested = {walk.person for name, walks in self.splits.items() if name.startswith("test") for walk in walks}
        untested = [person for person in self.persons if person not in tested]
        return [f"no walk is left to test how these are named: {listed(untested)}"] if untested else []


def from_folder(
    path: str | PathLike,
    split: str | None = None,
    *,
    joints: str = "auto",
    units: str = "auto",
    missing: str = "refuse",
    frame_rate: float | None = None,
    resample: float | None = None,
    person_column: str | None = None,
    up: str = "auto",
    joint_map: Any = None,
    skip_bad: bool = False,
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
        person_column: Of a file of everybody.
        up: Axis that points up.
        joint_map: Which of your joints each canonical joint is.
        skip_bad: Whether files that are no walks are left out.
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
    walk_format = WalkFormat(
        joints=joints,
        units=units,
        missing=missing,
        frame_rate=frame_rate,
        resample=resample,
        person_column=person_column,
        up=up,
        joint_map=joint_map,
        skip_bad=skip_bad,
    )
    folder = WalkFolder(path, walk_format, seed)
    if check_limbs:
        folder.check_limbs()
    return folder.dataset(split)
