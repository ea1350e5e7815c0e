"""Reads walks of KGBD as examples: functions of a module, so that Beam's workers find them."""

from collections.abc import Collection, Iterator

from etils import epath

from agegait.recordings.formats import kgbd_text
from tfds_builders import local_files
from tfds_builders.kgbd import manual
from tfds_builders.walk_builder import Example


def read_file(task: tuple[str, str]) -> Iterator[Example]:
    """Reads a walk, given its name, such as "Person001/1", and its file.

    Raises:
        ValueError: The file is no walk.
    """
    name, path = task
    yield _example(name, local_files.read_bytes(path), path)


def read_archive(task: tuple[str, Collection[str] | None]) -> Iterator[Example]:
    """Reads the walks of an archive, in its order, given its path and the walks' names; None is all of them.

    Raises:
        ValueError: A file is no walk, or the archive cannot be read.
    """
    path, names = task
    for name, text in manual.texts(epath.Path(path)):
        if names is None or name in names:
            yield _example(name, text, f"{path}: {name}.txt")


def _example(name: str, text: bytes, source: str) -> Example:
    walk = kgbd_text.parse(text, source)
    tracked = kgbd_text.tracked(walk)
    return name, {"skeleton": walk, "tracked": tracked, "person": name.split("/")[0], "walk": name}
