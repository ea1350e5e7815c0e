"""Reads walks that `frame_folders` found."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from etils import epath

from agegait.recordings.files.limits import MOST_FRAME_BYTES
from agegait.recordings.formats import biwi_text
from tfds_builders import archives, local_files
from tfds_builders.frame_folders import Walk
from tfds_builders.walk_builder import Example

_THREADS = 8
_OF_A_ZIP = 8


def batches(walks: Iterable[Walk]) -> Iterator[list[Walk]]:
    """Puts together what is best read at once: a walk, a few walks of a zip archive, all of another archive."""
    archived: dict[str, list[Walk]] = {}
    for walk in walks:
        if walk.archive is None:
            yield [walk]
        else:
            archived.setdefault(walk.archive, []).append(walk)
    for archive, own in archived.items():
        size = _OF_A_ZIP if archive.lower().endswith(".zip") else len(own)
        yield from (own[start : start + size] for start in range(0, len(own), size))


def read(walks: Sequence[Walk]) -> Iterator[Example]:
    """Reads walks as examples: unpacked ones, or all of one archive, whose order theirs then is.

    Raises:
        ValueError: A file is no frame, or the archive cannot be read.
    """
    if walks[0].archive is None:
        for walk in walks:
            yield _read_files(walk)
    else:
        yield from _read_archive(epath.Path(walks[0].archive), walks)


def _read_files(walk: Walk) -> Example:
    # On a disk that is far away, opening many small files is mostly waiting.
    with ThreadPoolExecutor(_THREADS) as pool:
        texts = pool.map(lambda file: local_files.read_bytes(file, MOST_FRAME_BYTES), walk.files)
        return _example(walk, [biwi_text.parse(text, file) for text, file in zip(texts, walk.files, strict=True)])


def _read_archive(archive: epath.Path, walks: Sequence[Walk]) -> Iterator[Example]:
    place = {file: (walk, index) for walk in walks for index, file in enumerate(walk.files)}
    read: dict[str, dict[int, tuple[np.ndarray, np.ndarray]]] = {walk.name: {} for walk in walks}
    for file, text in archives.read(archive, place.__contains__, MOST_FRAME_BYTES):
        walk, index = place[file]
        frames = read[walk.name]
        frames[index] = biwi_text.parse(text, f"{archive}: {file}")
        if len(frames) == len(walk.files):
            yield _example(walk, [frames[index] for index in range(len(walk.files))])
            del read[walk.name]


def _example(walk: Walk, frames: Sequence[tuple[np.ndarray, np.ndarray]]) -> Example:
    skeleton, tracked = (np.stack(values) for values in zip(*frames, strict=True))
    return walk.name, {"skeleton": skeleton, "tracked": tracked, "person": walk.person, "walk": walk.name}
