import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_MAX_VERSION = 2**63 - 1  # int64, that of TensorFlow Serving's messages


@dataclass(frozen=True)
class Source:
    """Where a model's versions are and which of them to serve.

    Attributes:
        base_path: Folder of the version folders.
        newest: How many of the newest versions that load; None for all.
        versions: These alone, where given.
        labels: Versions by label.
    """

    base_path: Path
    newest: int | None = 1
    versions: frozenset[int] | None = None
    labels: Mapping[str, int] = field(default_factory=dict)


def version_folders(base_path: Path) -> dict[int, Path]:
    """The version folders of a model: those named by a number that is an int64, decimal digits alone.

    As TensorFlow Serving has it, every other name is left alone, and leading zeros count for nothing: of `01` and `1`,
    the last in the order of their names is version 1, which is `1`.

    Raises:
        OSError: The folder can't be read.
    """
    with os.scandir(base_path) as entries:
        names = sorted(
            entry.name
            for entry in entries
            if entry.name.isascii() and entry.name.isdecimal() and int(entry.name) <= _MAX_VERSION and _is_folder(entry)
        )
    return {int(name): base_path / name for name in names}


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or to what may not be looked at
        return False
