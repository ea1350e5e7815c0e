"""The authors' pre-processed windows, `Datasets/<D>_train_npy_data/...`, read without trusting them."""

import pickle
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

AXES = ("x", "y", "z")
UNREADABLE = (
    *(pickle.UnpicklingError, ValueError, EOFError, OSError, AttributeError, IndexError, TypeError, KeyError),
    *(MemoryError, OverflowError),
)
"""What a damaged pickle may end in."""


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
        with path.open("rb") as file:
            array = np.load(file, allow_pickle=False)
    except FileNotFoundError:
        raise ValueError(f"{path}: expected a file of windows, found none.") from None
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"{path}: expected an array of windows: {error}") from None
    if array.ndim == 2 and len(array) % frames == 0:  # frame after frame
        array = array.reshape(-1, frames, array.shape[1])
    if array.dtype.kind != "f" or array.ndim != 3 or array.shape[1] != frames:
        raise ValueError(f"{path}: expected floats [M, {frames}, J], found {array.dtype} {array.shape}.")
    if not np.isfinite(array).all():
        window = int(np.flatnonzero(~np.isfinite(array).all(axis=(1, 2)))[0])
        raise ValueError(f"{path}: expected finite coordinates, found NaN or infinity in window {window}.")
    return array.astype("float32")


def _labels(path: Path, windows: int) -> np.ndarray:
    persons = np.full(windows, -1)
    for person, indices in _ids(path).items():
        try:
            label, indices = int(person), np.asarray(indices, dtype=int)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"{path}: expected numbers of a person and of windows: {error}") from None
        if label < 0 or not ((indices >= 0) & (indices < windows)).all():
            raise ValueError(
                f"{path}: expected a person from 0 and windows of 0..{windows - 1}, found person {label} with windows "
                f"{indices.min(initial=0)}..{indices.max(initial=0)}."
            )
        persons[indices] = label
    if (persons < 0).any():
        raise ValueError(f"{path}: expected a person for each of {windows} windows, found none for {persons.argmin()}.")
    return persons


def _ids(path: Path) -> dict:
    """The dict person -> indices of windows that the authors pickled into an object array."""
    try:
        with path.open("rb") as file:
            version = npy.read_magic(file)
            read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            _, _, dtype = read_header(file)
            # Python 2's strings are bytes; NumPy wants them as Latin-1.
            found = _PlainUnpickler(file, encoding="latin1").load() if dtype.hasobject else None
    except FileNotFoundError:
        raise ValueError(f"{path}: expected a file of labels, found none.") from None
    except UNREADABLE as error:
        raise ValueError(f"{path}: expected a pickled dict of person to windows: {error}") from None
    if isinstance(found, np.ndarray) and found.shape == ():
        found = found.item()
    if not isinstance(found, dict):
        raise ValueError(f"{path}: expected a pickled dict of person to windows, found {type(found).__name__}.")
    return found


class _PlainUnpickler(pickle.Unpickler):
    """An unpickler that makes dicts, lists, numbers and NumPy arrays and scalars, and calls nothing else."""

    ALLOWED = frozenset(
        (module, name)
        for package in ("numpy.core", "numpy._core")
        for module, name in (
            (f"{package}.multiarray", "_reconstruct"),
            (f"{package}.multiarray", "scalar"),
            (f"{package}.numeric", "_frombuffer"),
        )
    ) | {("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")}

    def find_class(self, module, name):
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is not plain data; refused")
        return super().find_class(module, name)
