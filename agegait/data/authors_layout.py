"""The authors' pre-processed windows, `Datasets/<D>_train_npy_data/...`, read without trusting them."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from agegait.recordings.files.limits import MOST_LABEL_BYTES, MOST_WINDOW_BYTES
from agegait.recordings.files.npy_arrays import read_header, read_values
from agegait.recordings.files.opening import open_regular
from agegait.recordings.files.plain_pickle import read_plain_pickle

AXES = ("x", "y", "z")


@dataclass(frozen=True)
class AuthorsWindows:
    """One part of a data set in the authors' layout.

    Attributes:
        windows: `[M, f, J, 3]` metres, centred as the authors did.
        persons: `[M]` label of each window, as the authors number people.
    """

    windows: np.ndarray
    persons: np.ndarray


def load_authors_layout(folder: str | PathLike, dataset: str, part: str = "train", frames: int = 6) -> AuthorsWindows:
    """Reads one part of a data set in the authors' pre-processed layout.

    Args:
        folder: The folder that holds `<D>_train_npy_data` and `<D>_test_npy_data`, often called `Datasets`.
        dataset: `"BIWI"`, `"IAS"` or `"KGBD"`.
        part: `"train"`, or a test by the name its files have: `"test"`, for IAS `"A"` or `"B"`.
        frames: Frames f of a window, which the files' names carry.

    Returns:
        The windows and their labels, in the order of the files.

    Raises:
        ValueError: A file is missing, is not of this layout, disagrees with the others, or holds an object that is not
            plain data (the labels are a pickle, which could run code: nothing but plain data is let through).
    """
    folder = Path(folder)
    if part == "train":
        base, prefix, name = folder / f"{dataset}_train_npy_data", "source", dataset
    else:
        name = dataset if part == "test" else f"{dataset}-{part}"
        base, prefix = folder / f"{dataset}_test_npy_data", "t_source"
    coordinates = [_array(base / f"{prefix}_{axis}_{name}_{frames}.npy", frames) for axis in AXES]
    if len({axis.shape for axis in coordinates}) != 1:
        raise ValueError(
            f"{base}: expected as many windows of each axis, found {[axis.shape for axis in coordinates]}."
        )
    ids_file = base / f"ids_{name}_{frames}.npy"
    return AuthorsWindows(np.stack(coordinates, axis=-1), _labels(ids_file, len(coordinates[0])))


def _array(path: Path, frames: int) -> np.ndarray:
    try:
        with open_regular(path, most=MOST_WINDOW_BYTES) as file:
            header = read_header(file)
            shape = header.shape
            if len(shape) == 2 and shape[0] % frames == 0:  # frame after frame
                shape = (shape[0] // frames, frames, shape[1])
            fits = header.dtype.kind == "f" and len(shape) == 3 and shape[1] == frames and shape[2]
            array = read_values(file, header) if fits or header.dtype.hasobject else None
    except FileNotFoundError:
        raise ValueError(f"{path}: expected a file of windows, found none.") from None
    except (ValueError, OSError, MemoryError) as error:
        raise ValueError(f"{path}: expected an array of windows: {error}") from None
    if array is None:
        raise ValueError(f"{path}: expected floats [M, {frames}, J], found {header.dtype} {header.shape}.")
    with np.errstate(over="ignore", invalid="ignore"):  # too large for float32 becomes infinite, and is refused as such
        array = array.reshape(shape).astype("float32")
    if not (finite := np.isfinite(array).all(axis=(1, 2))).all():
        raise ValueError(
            f"{path}: expected finite coordinates, found NaN or infinity in window {int(finite.argmin())}."
        )
    return array


def _labels(path: Path, windows: int) -> np.ndarray:
    persons = np.full(windows, -1)
    left = 2 * windows  # A list may be short in the file and named by many people: its numbers are counted.
    for person, indices in _ids(path).items():
        label, indices = _number(path, person), _numbers(path, indices, left)
        left -= len(indices)
        if label < 0 or not ((indices >= 0) & (indices < windows)).all():
            raise ValueError(
                f"{path}: expected a person from 0 and windows of 0..{windows - 1}, found person {label} with windows "
                f"{indices.min(initial=0)}..{indices.max(initial=0)}."
            )
        persons[indices] = label
    if (persons < 0).any():
        raise ValueError(f"{path}: expected a person for each of {windows} windows, found none for {persons.argmin()}.")
    return persons


def _numbers(path: Path, found: Any, most: int) -> np.ndarray:
    """The windows of a person: a flat list of whole numbers, or an array of them."""
    if not isinstance(found, list | tuple | np.ndarray):
        raise ValueError(f"{path}: expected numbers of a person and of windows: found {type(found).__name__}.")
    if isinstance(found, np.ndarray) and found.ndim != 1:
        raise ValueError(f"{path}: expected numbers of a person and of windows: found an array {found.shape}.")
    if len(found) > most:
        raise ValueError(f"{path}: expected each window once, found over twice as many numbers.")
    return np.array([_number(path, number) for number in found], dtype=int)


def _number(path: Path, found: Any) -> int:
    if isinstance(found, np.integer) or type(found) is int:
        return int(found)
    shown = repr(found) if isinstance(found, str | float) else type(found).__name__
    raise ValueError(f"{path}: expected numbers of a person and of windows: found {shown:.40}.")


def _ids(path: Path) -> dict:
    """The dict person -> indices of windows that the authors pickled into an object array."""
    try:
        with open_regular(path, most=MOST_LABEL_BYTES) as file:
            content = file.read(MOST_LABEL_BYTES) if read_header(file).dtype.hasobject else b"N."
        found = read_plain_pickle(content)
    except FileNotFoundError:
        raise ValueError(f"{path}: expected a file of labels, found none.") from None
    except (ValueError, OSError, MemoryError) as error:
        raise ValueError(f"{path}: expected a pickled dict of person to windows: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path}: expected a pickled dict of person to windows, found {type(found).__name__}.")
    return found
