"""Walks as a folder of files."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agegait import skeletons
from agegait.data.folder.inputs import InputWalk
from agegait.data.folder.plain_name import plain_name, plain_person
from agegait.recordings.walk import Walk
from agegait.storage.disk_full import naming_full_disk
from agegait.storage.private_files import private_files


def check_new(folder: Path) -> None:
    """Refuses a folder that holds something.

    Raises:
        ValueError: It does, or is a file.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"out: expected a new or empty folder, received {folder}, which is there already.")


def write_walks(folder: Path, walks: Sequence[InputWalk]) -> list[Path]:
    """Writes walks as `<person>/<walk>.npz`, for their owner alone: all of them, or none.

    Args:
        folder: New, or empty.
        walks: Two of a person that have one name get another.

    Returns:
        The file of each walk.

    Raises:
        ValueError: The folder holds something, or two people's names would be taken for one.
        DiskFullError: There was no room.
    """
    check_new(folder)
    names = _file_names(walks)
    aside = folder.with_name(f".partial.{folder.name}")
    shutil.rmtree(aside, ignore_errors=True)  # a killed process left it
    try:
        with private_files(), naming_full_disk(folder):
            aside.mkdir(parents=True)
            for found, name in zip(walks, names, strict=True):
                (aside / name).parent.mkdir(exist_ok=True)
                _write(aside / name, found.walk)
            if folder.exists():
                folder.rmdir()
            aside.rename(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return [folder / name for name in names]


def _file_names(walks: Sequence[InputWalk]) -> list[str]:
    """A file for each walk, below the folder."""
    people: dict[str, str] = {}
    taken: set[str] = set()
    names = []
    for found in walks:
        person = people.setdefault(plain_person(found.person), found.person)
        if person != found.person:
            raise ValueError(
                f"{found.label}: expected a name of their own for each person, found {person!r} and {found.person!r}."
            )
        name, again = f"{person}/{found.name}", 2
        while plain_name(name) in taken:
            name, again = f"{person}/{found.name}-{again}", again + 1
        taken.add(plain_name(name))
        names.append(f"{name}.npz")
    return names


def _write(path: Path, walk: Walk) -> None:
    arrays = {
        "skeleton": walk.skeleton,
        "tracked": walk.tracked,
        "joints": np.array(skeletons.JOINTS),
        "units": np.array("m"),
    }
    if walk.frame_rate is not None:
        arrays["frame_rate"] = np.array(walk.frame_rate)
    np.savez(path, allow_pickle=False, **arrays)
