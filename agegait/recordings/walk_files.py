"""Files of walks: your own, and those of the published data sets."""

from collections.abc import Callable
from os import PathLike
from pathlib import Path

import numpy as np

from agegait import skeletons
from agegait.recordings.files import opening
from agegait.recordings.formats import csv_tables, frame_folders, kgbd_text, walk_arrays
from agegait.recordings.formats.walk_tables import read_table
from agegait.recordings.recording import Recording
from agegait.recordings.walk import Walk
from agegait.recordings.walk_format import WalkFormat


def read_walk(path: str | PathLike, walk_format: WalkFormat | None = None) -> np.ndarray:
    """Reads one walk in canonical joints and metres.

    Args:
        path: A file, by its ending: `.npy`, an array [T, J, 3] or [T, 3 J]; `.npz`, see
            `agegait.recordings.formats.walk_arrays.read_npz`; `.csv`, `.tsv` or `.parquet`, a table, see
            `agegait.recordings.formats.walk_columns.find_columns`; `.txt`, of KGBD. Or a folder of frames
            `*_skel.txt` as BIWI and IAS-Lab have them.
        walk_format: What the file holds where it does not say so, and what is to become of it.

    Returns:
        float32 `[T, 20, 3]`.

    Raises:
        ValueError: No such file, an unknown ending, or a content that is not a walk. The message says where.

    Example:
        >>> skeleton = read_walk("anna/1.csv", WalkFormat(units="mm"))
    """
    return load_walk(path, walk_format).skeleton


def load_walk(path: str | PathLike, walk_format: WalkFormat | None = None) -> Walk:
    """Reads one walk as `read_walk` does, with all that is known of it."""
    return Walk.of(read_recording(path), walk_format or WalkFormat())


def read_recording(path: str | PathLike, within: Path | None = None) -> Recording:
    """Reads what the file or folder of a walk holds, as it holds it.

    Args:
        path: The file or folder.
        within: The folder that links may not lead out of; None for any place.

    Raises:
        ValueError: No such file, an unknown ending, something other than a regular file, a link out of the folder, or
            a content that is not a walk or too large. The message says where.
    """
    path = Path(path)
    try:
        if path.is_dir():
            if within is not None:
                opening.inside(path, within)
            return frame_folders.read_frames(path, within)
        if path.suffix.lower() not in READERS:
            *some, last = READERS
            raise ValueError(f"{path}: expected a file that ends in {', '.join(some)} or {last}.")
        return READERS[path.suffix.lower()](path, within)
    except OSError as error:
        raise ValueError(f"{path}: expected a walk's file: {error.strerror or error}.") from None


def _read_csv(path: Path, within: Path | None) -> Recording:
    with opening.open_regular(path, within) as file, csv_tables.open_text(file) as text:
        return read_table(csv_tables.blocks(text, str(path)))


def _read_parquet(path: Path, within: Path | None) -> Recording:
    from agegait.recordings.formats import parquet_tables  # a tenth of a second that other files do not need

    with opening.open_regular(path, within) as file:
        return read_table(parquet_tables.blocks(file, str(path)))


def _read_kgbd(path: Path, within: Path | None) -> Recording:
    walk = kgbd_text.parse(opening.read_regular(path, within), str(path))
    coordinates, tracked = walk.astype("float64"), kgbd_text.tracked(walk)
    return Recording(str(path), coordinates, names=skeletons.JOINTS, tracked=tracked, units="m")


READERS: dict[str, Callable[[Path, Path | None], Recording]] = {
    ".npy": walk_arrays.read_npy,
    ".npz": walk_arrays.read_npz,
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".parquet": _read_parquet,
    ".txt": _read_kgbd,
}
"""What reads a file, by its ending in small letters, and the folder that links may not lead out of."""
