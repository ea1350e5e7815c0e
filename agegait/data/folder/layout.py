"""Where the walks are in your own folder."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from agegait.data.folder.plain_name import plain_name, plain_person
from agegait.recordings.files import opening
from agegait.recordings.formats.frame_folders import PATTERN, frame_files
from agegait.recordings.natural_order import natural
from agegait.recordings.recording import listed
from agegait.recordings.registry import advice_on, endings, may_be_walk

_SPLITS = {
    "train": re.compile(r"train(ing)?", re.IGNORECASE),
    "validation": re.compile(r"val(id(ation)?)?|dev", re.IGNORECASE),
    "test": re.compile(r"test.*", re.IGNORECASE),
}
_NO_WALKS = re.compile(r"read_?me|licen[cs]e|copying|citation|changelog|notes?|requirements", re.IGNORECASE)
"""Files that explain a data set, whatever their ending."""

_DEEPEST = 3
"""Folders below a person's that are searched for walks that should not be there."""

_LAYOUT = (
    f"a folder for each person with their walks, <person>/<walk>, perhaps below train, validation and test, where a "
    f"walk is a file that ends in {', '.join(endings())}, or a folder of frames {PATTERN}"
)


class FolderWalk(NamedTuple):
    """Where a walk is.

    Attributes:
        person: Who walks: the name of the person's folder.
        name: `<person>/<file without its ending>`, after `<split>/` where the folder has splits.
        split: As the folder has it; None where it has none.
        path: The file, or the folder of frames.
        part: Which of the file's walks it is.
        group: What it has in common with walks that were recorded at one time, which no split keeps apart.
    """

    person: str
    name: str
    split: str | None
    path: Path
    part: int = 0
    group: str = ""


@dataclass(frozen=True)
class FolderLayout:
    """What is in a folder.

    Attributes:
        persons: Names of the people, numbers in them in the order of numbers.
        walks: Split by split, person by person, in the order of names.
        left_alone: What is no walk.
        remarks: Which of that may have been meant to be one.
        faults: Links that lead out of the folder, where walks may be: they are not followed.
    """

    persons: tuple[str, ...]
    walks: tuple[FolderWalk, ...]
    left_alone: tuple[Path, ...]
    remarks: tuple[str, ...]
    faults: tuple[str, ...] = ()


def find_walks(folder: Path, persons_at_least: int = 2) -> FolderLayout:
    """Finds the walks in a folder, laid out as `<person>/<walk>` or `<split>/<person>/<walk>`.

    A walk is a file or a folder of frames. A person's folder that holds frames is one walk. There are splits
    where there is a folder `train`; beside it may be `validation` and any whose name begins with `test`. Links may lead
    to other places in the folder, and not out of it.

    Raises:
        ValueError: No such folder, another layout, too few people, a person or a walk under two names, or people who
            are tested but not trained on. The message says what was found.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: expected a folder of walks, found {'a file' if folder.exists() else 'none'}.")
    walks: list[FolderWalk] = []
    left_alone: list[Path] = []
    faults: list[str] = []
    for split, path in _split_folders(folder, left_alone):
        for entry in [] if _leads_out(path, folder, faults) else _entries(path):
            if _is_folder(entry) and _leads_out(entry, folder, faults):
                continue
            found, others = _walks_of(entry, split, folder, faults) if _is_folder(entry) else ([], [])
            walks += found
            left_alone += others if found else [entry]
    persons = people_of(walks)
    try:
        if not walks:
            raise ValueError(f"{folder}: expected {_LAYOUT}; found {_content(folder)}.")
        check_people(folder, walks, persons_at_least)
    except ValueError as error:
        raise ValueError("\n".join([*faults, str(error)])) from None
    remarks = _remarks(folder, left_alone, walks)
    return FolderLayout(tuple(persons), tuple(walks), tuple(left_alone), tuple(remarks), tuple(faults))


def find_files(path: Path) -> FolderLayout | None:
    """A file that says itself who walks, or a folder of such: walks without a person, see `walks_of_file`.

    Returns:
        None where there is nothing of the kind.
    """
    if path.is_dir():
        files = [entry for entry in _entries(path) if _is_walk(entry) and entry.is_file()]
    else:
        files = [path] if path.is_file() else []
    walks = tuple(FolderWalk("", file.stem, None, file) for file in files)
    return FolderLayout((), walks, (), ()) if walks else None


def people_of(walks: Iterable[FolderWalk]) -> list[str]:
    """The people of walks, numbers in their names in the order of numbers."""
    return sorted({walk.person for walk in walks}, key=natural)


def check_people(folder: Path, walks: Sequence[FolderWalk], persons_at_least: int = 2) -> None:
    """Refuses one name for two people or walks, people who are tested and not trained on, and too few people."""
    persons = people_of(walks)
    _check_names(folder, persons, walks)
    _check_persons(folder, persons, walks)
    if len(persons) < persons_at_least:
        raise ValueError(
            f"{folder}: expected {_LAYOUT}; found walks of {persons[0]!r} alone, expected two people or more."
        )


def find_walks_of_one(path: Path) -> FolderLayout | None:
    """The walks of a single person: a file, a folder of frames, a person's folder, or one with just that in it.

    Returns:
        None where that is not what is there; `find_walks` says what else is.
    """
    if not path.is_dir():
        person = path.absolute().parent.name
        walk = FolderWalk(person, f"{person}/{path.stem}", None, path)
        return FolderLayout((person,), (walk,), (), ()) if path.is_file() else None
    try:
        layout = find_walks(path, persons_at_least=1)
        return layout if len(layout.persons) == 1 and not layout.faults else None
    except ValueError:
        pass  # no person's folder is in it
    faults: list[str] = []
    try:
        walks, left_alone = _walks_of(path, None, path, faults)
    except ValueError:
        return None
    return FolderLayout((path.name,), tuple(walks), tuple(left_alone), ()) if walks and not faults else None


def _leads_out(path: Path, folder: Path, faults: list[str]) -> bool:
    """Whether a path leads out of the folder, which is then a fault."""
    try:
        opening.inside(path, folder)
    except ValueError as error:
        faults.append(str(error))
        return True
    return False


def _split_folders(folder: Path, left_alone: list[Path]) -> list[tuple[str | None, Path]]:
    """The folders of splits, in order; the folder itself where it has none."""
    entries = _entries(folder)
    kinds = {path: _kind(path.name) for path in entries if _is_folder(path)}
    if "train" not in kinds.values():
        return [(None, folder)]
    splits: dict[str | None, Path] = {}
    for path, kind in kinds.items():
        split = path.name if kind == "test" else kind
        if split is None or split in splits:
            others = ", ".join(other.name for other in kinds if other != path)
            raise ValueError(
                f"{folder}: expected people's folders, or train, validation and test ones, found {path.name} beside "
                f"{others}."
            )
        splits[split] = path
    left_alone += [path for path in entries if path not in kinds]
    return sorted(splits.items(), key=lambda item: list(_SPLITS).index(item[0]) if item[0] in _SPLITS else len(_SPLITS))


def _kind(name: str) -> str | None:
    return next((split for split, pattern in _SPLITS.items() if pattern.fullmatch(name)), None)


def _walks_of(folder: Path, split: str | None, root: Path, faults: list[str]) -> tuple[list[FolderWalk], list[Path]]:
    """The walks in a person's folder, and what else is in it."""
    frames = set(frame_files(folder))
    entries = [
        entry
        for entry in _entries(folder)
        if entry not in frames and not (_is_folder(entry) and _leads_out(entry, root, faults))
    ]
    paths = [entry for entry in entries if _is_walk(entry)]
    if frames:
        # What the published data sets put beside frames may end in .txt as well.
        if strange := [path.name for path in paths if path.suffix.lower() != ".txt"]:
            raise ValueError(
                f"{folder}: expected walks, or the frames {PATTERN} of one, found {strange[0]} beside frames."
            )
        paths = [folder]
    for entry in entries:
        if _is_folder(entry) and entry not in paths and (walk := _first_walk(entry, _DEEPEST)):
            raise ValueError(f"{folder}: expected {_LAYOUT}; found a walk deeper down, {walk.relative_to(folder)}.")
    above = f"{split}/{folder.name}" if split else folder.name
    walks = [FolderWalk(folder.name, f"{above}/{_title(path)}", split, path) for path in paths]
    return walks, [entry for entry in entries if entry not in paths]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir(), key=lambda path: natural(path.name))
    except OSError as error:
        raise ValueError(f"{folder}: expected a folder of walks: {error.strerror or error}.") from None


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _is_walk(path: Path) -> bool:
    if path.name.startswith("."):
        return False
    if path.is_dir():
        return bool(frame_files(path))
    # A link to nothing, a FIFO or a device is to be said, not left out.
    return may_be_walk(path) and not _NO_WALKS.fullmatch(path.stem)


def _first_walk(folder: Path, depth: int) -> Path | None:
    """Some walk below a folder."""
    for entry in _entries(folder):
        if _is_walk(entry):
            return entry
        if _is_folder(entry) and not entry.is_symlink() and depth and (found := _first_walk(entry, depth - 1)):
            return found
    return None


def _remarks(folder: Path, left_alone: Iterable[Path], walks: Iterable[FolderWalk]) -> list[str]:
    own = {parent for walk in walks for parent in (walk.path, walk.path.parent) if parent.name == walk.person}
    others = [path for path in left_alone if path.parent not in own]
    empty = [str(path.relative_to(folder)) for path in others if _is_folder(path)]
    strays = [str(path.relative_to(folder)) for path in others if _is_walk(path)]
    return [
        *([f"left alone, as no walks are in it: {listed(empty)}"] if empty else []),
        *([f"left alone, as in no person's folder: {listed(strays)}"] if strays else []),
    ]


def _title(path: Path) -> str:
    return path.name if path.is_dir() else path.stem


def _content(folder: Path) -> str:
    """What is in a folder where no walks were found, for errors."""
    names = [path.name + "/" * path.is_dir() for path in _entries(folder)]
    walks = [path for path in _entries(folder) if _is_walk(path)]
    if walks:
        return f"walks in no person's folder: {listed([path.name for path in walks])}"
    if frame_files(folder):
        return f"frames in no person's folder: {listed([path.name for path in frame_files(folder)])}"
    below = Counter(path.suffix for path in folder.glob("*/*") if path.is_file())
    endings = ", ".join(f"{count} that end in {ending or 'nothing'}" for ending, count in below.most_common(3))
    advice = [f"{ending}: {told}" for ending, _ in below.most_common(3) if (told := advice_on(ending))]
    found = (listed(names) or "an empty folder") + (f", with files of which {endings}" if endings else "")
    return "; ".join([found, *advice])


def _check_names(folder: Path, persons: Sequence[str], walks: Iterable[FolderWalk]) -> None:
    """Refuses one name for two."""
    seen: dict[str, str] = {}
    for person in persons:
        plain = plain_person(person)
        if plain in seen:
            raise ValueError(
                f"{folder}: expected a name of their own for each person, found folders {seen[plain]!r} and {person!r}."
            )
        seen[plain] = person
    paths: dict[str, Path] = {}
    for walk in walks:
        plain = plain_name(walk.name)
        if plain in paths:
            names = f"{paths[plain].name} and {walk.path.name}"
            raise ValueError(f"{walk.path.parent}: expected a name of its own for each walk, found {names}.")
        paths[plain] = walk.path
        try:
            walk.name.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{folder}: expected names in UTF-8, found {walk.name!r}.") from None


def _check_persons(folder: Path, persons: Sequence[str], walks: Iterable[FolderWalk]) -> None:
    """Refuses walks of people who are not trained on."""
    trained = {walk.person for walk in walks if walk.split in (None, "train")}
    for walk in walks:
        if walk.person not in trained:
            strangers = listed([person for person in persons if person not in trained])
            raise ValueError(f"{folder}: expected walks of {strangers} in train too, found some in {walk.split} alone.")
