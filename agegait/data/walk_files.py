"""A walk's file, as `agegait identify` takes it."""

from os import PathLike
from pathlib import Path

import numpy as np

from agegait import skeletons
from agegait.data import kgbd_text


def read_walk(path: str | PathLike) -> np.ndarray:
    """Reads one walk in canonical joints and metres.

    Args:
        path: A `.npy` file of `[T, 20, 3]` numbers, or a `.txt` file of KGBD.

    Returns:
        float32 `[T, 20, 3]`.

    Raises:
        ValueError: No such file, an unknown ending, or a content that is not a walk.
    """
    path = Path(path)
    readers = {".npy": _read_npy, ".txt": lambda path: kgbd_text.parse(path.read_bytes(), str(path))}
    if path.suffix.lower() not in readers:
        raise ValueError(f"{path}: expected a file that ends in {' or '.join(readers)}.")
    try:
        return readers[path.suffix.lower()](path)
    except OSError as error:
        raise ValueError(f"{path}: expected a walk's file: {error.strerror or error}.") from None


def _read_npy(path: Path) -> np.ndarray:
    try:
        walk = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path}: expected an array of numbers: {error}") from None
    joints = len(skeletons.JOINTS)
    if walk.dtype.kind not in "fiu" or walk.ndim != 3 or walk.shape[1:] != (joints, 3):
        raise ValueError(f"{path}: expected numbers [T, {joints}, 3], found {walk.dtype} {list(walk.shape)}.")
    if not np.isfinite(walk).all():
        frame = int(np.flatnonzero(~np.isfinite(walk).all(axis=(1, 2)))[0])
        raise ValueError(f"{path}: expected finite coordinates, found NaN or infinity in frame {frame}.")
    return walk.astype("float32")
