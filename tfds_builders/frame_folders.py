"""Finds walks that are kept as a folder for each person and a file for each frame, unpacked or in archives."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath
from typing import NamedTuple

import tensorflow_datasets as tfds
from etils import epath

from tfds_builders import archives

FRAME = "_skel.txt"
"""How the name of a frame's file ends."""

_RECORDING = re.compile(r"([^_]+)_\d+-[a-z]_\d+_skel\.txt", re.IGNORECASE)
_NUMBERED = re.compile(r"\d+[a-z]?", re.IGNORECASE)
_DATA_SETS = {"biwi": "biwi", "ias": r"(?:^|[^a-z])ias(?:lab|[^a-z]|$)", "kgbd": "kgbd|kinect.?gait"}
"""What a path says that belongs to a data set, where several lie in one folder."""

_NAMES_A_SPLIT = re.compile(r"train|test|still|walk", re.IGNORECASE)
_HIDDEN = (".", "__MACOSX")
_NO_FOLDERS = (".txt", ".jpg", ".png", ".pgm", ".bmp", ".pcd", ".csv", ".md", ".m", ".xml", ".pdf")
_UNREADABLE = (".rar", ".7z")
_DEPTH = 8


@dataclass(frozen=True)
class Layout:
    """How a data set is laid out.

    Attributes:
        title: The data set's name in errors.
        folders: Split -> the folder of its people's folders, as the source calls it.
        patterns: Split -> what that folder may be called, the names of folders above included; case says nothing.
    """

    title: str
    folders: Mapping[str, str]
    patterns: Mapping[str, str]

    def __str__(self) -> str:
        *others, last = (f"{folder}/<person>/*{FRAME}" for folder in self.folders.values())
        return f"{self.title} as {', '.join(others)} and {last}"

    def split(self, person: str) -> str | None:
        """The split that a person's folder belongs to; None if the folder above is none."""
        for split, pattern in self.patterns.items():
            if re.fullmatch(rf"(?:.*/)?(?:[^/]*[^a-z/])?{pattern}/[^/]+", person, re.IGNORECASE):
                return split
        return None


@dataclass(frozen=True)
class Walk:
    """One recording of a person.

    Attributes:
        name: Its folder in the source, such as "Training/001"; and the recording, if the folder has several.
        person: The person's name.
        files: A file for each frame, in order: its path, or its path in the archive.
        archive: The archive's path, if the files are in one.
    """

    name: str
    person: str
    files: tuple[str, ...]
    archive: str | None


class _Place(NamedTuple):
    """A folder: where it is below the folder that was searched, as if archives were folders; and the archive."""

    path: str
    archive: str | None = None

    def __str__(self) -> str:
        return self.path if self.archive is None else f"{self.path} (in {PurePath(self.archive).name})"


_Frames = dict[_Place, list[str]]
"""The frames' files in each folder, none where there are none."""


def find(manual_dir: epath.Path, name: str, layout: Layout) -> dict[str, list[Walk]]:
    """Finds the walks of a data set in `manual_dir`/name, else in `manual_dir` itself, which other sets may share.

    A split is taken from where it lies unpacked, else from archives. A folder names a person. What tells people apart
    is the name without zeros in front of numbers and in lower case: "007" is the "7" of another split, and is called
    as the first split calls it; "7a" is somebody else.

    Args:
        manual_dir: Where to look, at any depth.
        name: The data set's TFDS name.
        layout: What to look for.

    Returns:
        Split -> its walks, people in the order of the numbers in their names.

    Raises:
        ValueError: A split is not there, frames lie where none are expected, a person has no frames, a split has two
            people of one name, or an archive cannot be read.
    """
    shared = not (manual_dir / name).is_dir()
    root = manual_dir if shared else manual_dir / name
    frames, packed, unreadable = _unpacked(root)
    if shared:
        frames = _own_frames(frames, name, layout)
        packed = [path for path in packed if _is_own_archive(path.relative_to(root).as_posix(), name)]
    unpacked = _splits(frames, layout)
    if not unpacked.issuperset(layout.folders):
        for archive in packed:
            inside = _packed(archive, root)
            frames |= {place: files for place, files in inside.items() if layout.split(place.path) not in unpacked}
    people = _people(frames, layout, root)
    missing = [folder for split, folder in layout.folders.items() if not people[split]]
    if missing:
        there = [f"{layout.folders[split]} ({len(found)} people)" for split, found in people.items() if found]
        listed = sorted(path.name for path in root.iterdir())[:10]
        raise ValueError(
            f"{root}: expected {layout}, unpacked or in archives ({', '.join(archives.SUFFIXES)}); nobody is in "
            f"{' or '.join(missing)}, found {', '.join(there) or listed or 'an empty folder'}"
            + (f". Unpack {', '.join(sorted(unreadable))}: such archives cannot be read as they are" * bool(unreadable))
        )
    return _walks(people, frames, layout)


def _own_frames(frames: _Frames, name: str, layout: Layout) -> _Frames:
    """Leaves aside what is another data set's, and what says nothing where a whole set says that it is this one."""
    frames = {place: files for place, files in frames.items() if _says(place.path, name) is not False}
    ours = {place: files for place, files in frames.items() if _says(place.path, name)}
    return ours if _splits(ours, layout).issuperset(layout.folders) else frames


def _is_own_archive(path: str, name: str) -> bool:
    says = _says(path, name)
    return bool(_NAMES_A_SPLIT.search(PurePosixPath(path).name)) if says is None else says


def _says(path: str, name: str) -> bool | None:
    """Whether a path says that it is this data set's, by the innermost folder that names one; None if none does."""
    for part in reversed(PurePosixPath(path).parts):
        named = {other for other, pattern in _DATA_SETS.items() if re.search(pattern, part, re.IGNORECASE)}
        if len(named) == 1:
            return name in named
    return None


def _splits(frames: _Frames, layout: Layout) -> set[str | None]:
    return {layout.split(place.path) for place, files in frames.items() if files}


def _unpacked(root: epath.Path) -> tuple[_Frames, list[epath.Path], list[str]]:
    """Lists the folders below a folder, the archives in them, and the names of archives that cannot be read."""
    frames: _Frames = {}
    packed: list[epath.Path] = []
    unreadable: list[str] = []

    def visit(folder: epath.Path, depth: int) -> None:
        progress.update()
        own = frames.setdefault(_Place(folder.relative_to(root).as_posix()), [])
        for path in folder.iterdir():
            name = path.name.lower()
            if path.name.startswith(_HIDDEN):
                continue
            if name.endswith(FRAME):
                own.append(str(path))
            elif archives.stem(name) is not None:
                packed.append(path)
            elif name.endswith(_UNREADABLE):
                unreadable.append(path.name)
            elif depth and not name.endswith(_NO_FOLDERS) and path.is_dir():
                visit(path, depth - 1)

    with tfds.core.utils.tqdm(desc=f"Looking into {root.name}...", unit=" folders", leave=False) as progress:
        visit(root, _DEPTH)
    return frames, sorted(packed), unreadable


def _packed(archive: epath.Path, root: epath.Path) -> _Frames:
    """Lists the folders in an archive."""
    above = PurePosixPath(archive.relative_to(root).as_posix()).with_name(archives.stem(archive.name) or "")
    frames: _Frames = defaultdict(list)
    seen = set()
    for name in archives.names(archive):
        path = PurePosixPath(name)
        if any(part.startswith(_HIDDEN) for part in path.parts):
            continue
        folder = path if name.endswith("/") else path.parent
        own = frames[_Place((above / folder).as_posix(), str(archive))]
        if name.lower().endswith(FRAME):
            if name in seen:
                raise ValueError(f"{archive}: expected each file once, got {name!r} again")
            seen.add(name)
            own.append(name)
    return dict(frames)


def _people(frames: _Frames, layout: Layout, root: epath.Path) -> dict[str, dict[str, _Place]]:
    """Finds each person's folder: split -> the person's name there -> the folder.

    Raises:
        ValueError: Frames lie elsewhere, a person has no frames, or two people have one name.
    """
    places: dict[str, dict[str, list[_Place]]] = {split: {} for split in layout.folders}
    stray = []
    for place, files in frames.items():
        person, split = PurePosixPath(place.path).name, layout.split(place.path)
        if split is not None and (files or _NUMBERED.fullmatch(person)):
            places[split].setdefault(person, []).append(place)
        elif files:
            stray.append(str(place))
    if stray:
        others = f" and {len(stray) - 1} more" if len(stray) > 1 else ""
        raise ValueError(f"{root}: expected {layout}, found frames in {min(stray)}{others}")
    return {split: _one_place_each(own, frames, root) for split, own in places.items()}


def _one_place_each(places: dict[str, list[_Place]], frames: _Frames, root: epath.Path) -> dict[str, _Place]:
    people: dict[str, _Place] = {}
    known: dict[str, _Place] = {}
    for person, where in places.items():
        filled = [place for place in where if frames[place]]
        if not filled:
            raise ValueError(f"{root}: expected frames of everybody, found none (*{FRAME}) in {where[0]}")
        if person != person.strip() or not person.isprintable():
            raise ValueError(f"{root}: expected names that can be printed, found {person!r} in {filled[0]}")
        for place in filled:
            if (other := known.setdefault(_identity(person), place)) != place:
                raise ValueError(f"{root}: expected one person a name, found two people under one: {other} and {place}")
        people[person] = filled[0]
    return people


def _walks(people: dict[str, dict[str, _Place]], frames: _Frames, layout: Layout) -> dict[str, list[Walk]]:
    names: dict[str, str] = {}
    walks: dict[str, list[Walk]] = {}
    for split, folder in layout.folders.items():
        walks[split] = []
        for person, place in sorted(people[split].items(), key=lambda item: natural(item[0])):
            name = names.setdefault(_identity(person), person)
            for recording, files in _recordings(frames[place]):
                walk = "/".join([folder, person, *recording])
                walks[split].append(Walk(walk, name, tuple(files), place.archive))
    return walks


def _recordings(files: Iterable[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Sorts a folder's files; one recording's only, or each recording's and its name, which begins the files' names."""
    of: dict[str, list[str]] = defaultdict(list)
    for file in sorted(files, key=natural):
        match = _RECORDING.fullmatch(PurePosixPath(file).name)
        of[match[1] if match else ""].append(file)
    if "" in of or len(of) == 1:
        yield [], sorted(files, key=natural)
    else:
        yield from (([recording], own) for recording, own in of.items())


def _identity(person: str) -> str:
    return re.sub(r"\d+", lambda number: str(int(number[0])), person.casefold())


def natural(name: str) -> tuple[list, str]:
    """A key that sorts names by the numbers in them."""
    return [int(part) if index % 2 else part for index, part in enumerate(re.split(r"(\d+)", name.casefold()))], name
