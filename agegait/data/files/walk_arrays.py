"""Walks in NumPy's files."""

import io
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from agegait.data.files.recording import Recording, listed
from agegait.data.files.tracking import tracked_of
from agegait.data.walk_format import UNITS, is_rate

_UNREADABLE = (
    *(ValueError, EOFError, OSError, KeyError, TypeError, SyntaxError, RuntimeError),
    *(MemoryError, OverflowError, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)
"""What a damaged file may end in. zipfile raises a RuntimeError for a password and for a compression that it lacks;
SyntaxError and TokenError come of a `.npy` header, which NumPy parses."""

_BESIDES = ("tracked", "joints", "frame_rate", "units")


def read_npy(path: Path) -> Recording:
    """Reads a `.npy` file of numbers [T, J, 3] or [T, 3 J].

    Raises:
        ValueError: Another content. Pickled objects are refused unread, as they can run code.
    """
    return Recording(str(path), _coordinates(_array(path.read_bytes(), str(path)), str(path)))


def read_npz(path: Path) -> Recording:
    """Reads a `.npz` file.

    Of its arrays, `"skeleton"` [T, J, 3] or [T, 3 J] is the walk, or else the only one of numbers in three dimensions;
    there may be `"tracked"` [T, J], `"joints"` [J] of names, `"frame_rate"` and `"units"` too.

    Raises:
        ValueError: Another content. Pickled objects are refused unread, as they can run code.
    """
    source, content = str(path), path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist()}
    except _UNREADABLE as error:
        raise ValueError(f"{source}: expected an archive of arrays: {error}") from None
    walk = "skeleton" if "skeleton" in members else _only_walk(members, source)
    arrays = {name: _array(members[name], f"{source}, {name!r}") for name in (walk, *_BESIDES) if name in members}
    coordinates = _coordinates(arrays[walk], f"{source}, {walk!r}")
    unread = [name for name in members if name not in arrays]
    return Recording(
        source,
        coordinates,
        names=_names(arrays, coordinates.shape[1], source),
        tracked=_tracked(arrays, coordinates.shape[:2], source),
        units=_units(arrays, source),
        frame_rate=_frame_rate(arrays, source),
        remarks=(f"not read: {listed(unread)}",) if unread else (),
    )


def _only_walk(members: dict[str, bytes], source: str) -> str:
    """Name of the only array that can be a walk; the headers alone are read."""
    found = {}
    for name, content in members.items():
        try:
            found[name] = _header(io.BytesIO(content))
        except _UNREADABLE:
            continue  # not an array
    walks = [name for name, (shape, dtype) in found.items() if len(shape) == 3 and dtype.kind in "fiu"]
    if len(walks) != 1:
        arrays = listed([f"{name} {dtype} {list(shape)}" for name, (shape, dtype) in found.items()]) or "no array"
        raise ValueError(f"{source}: expected an array 'skeleton', or just one of numbers [T, J, 3], found {arrays}.")
    return walks[0]


def _array(content: bytes, source: str) -> np.ndarray:
    file = io.BytesIO(content)
    try:
        if _header(file)[1].hasobject:
            raise ValueError("it holds pickled objects, which can run code; refused")
        file.seek(0)
        return npy.read_array(file, allow_pickle=False)
    except _UNREADABLE as error:
        raise ValueError(f"{source}: expected an array of numbers: {error}") from None


def _header(file: io.BytesIO) -> tuple[tuple[int, ...], np.dtype]:
    read_header = npy.read_array_header_1_0 if npy.read_magic(file) == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read_header(file)
    return shape, dtype


def _coordinates(array: np.ndarray, source: str) -> np.ndarray:
    if array.ndim == 2 and array.shape[1] and array.shape[1] % 3 == 0:
        array = array.reshape(len(array), -1, 3)
    if array.dtype.kind not in "fiu" or array.ndim != 3 or array.shape[2] != 3 or not array.shape[1]:
        raise ValueError(f"{source}: expected numbers [T, J, 3] or [T, 3 J], found {array.dtype} {list(array.shape)}.")
    return array.astype("float64")


def _names(arrays: dict[str, np.ndarray], joints: int, source: str) -> tuple[str, ...] | None:
    if "joints" not in arrays:
        return None
    names = arrays["joints"]
    if names.dtype.kind not in "US" or names.shape != (joints,):
        raise ValueError(
            f"{source}, 'joints': expected names [{joints}], one a joint, found {names.dtype} {list(names.shape)}."
        )
    try:
        return tuple(str(name) for name in names.astype("U"))
    except UnicodeDecodeError as error:
        raise ValueError(f"{source}, 'joints': expected names in ASCII or as text: {error}.") from None


def _tracked(arrays: dict[str, np.ndarray], shape: tuple[int, ...], source: str) -> np.ndarray | None:
    if "tracked" not in arrays:
        return None
    tracked = arrays["tracked"]
    if tracked.dtype.kind not in "bfiu" or tracked.shape != shape:
        raise ValueError(
            f"{source}, 'tracked': expected booleans or numbers {list(shape)}, one a joint of each frame, found "
            f"{tracked.dtype} {list(tracked.shape)}."
        )
    return tracked_of(tracked.astype("float64"), f"{source}, 'tracked'")


def _units(arrays: dict[str, np.ndarray], source: str) -> str | None:
    units = _only(arrays, "units", source)
    if units is not None and units not in UNITS:
        raise ValueError(f"{source}, 'units': expected one of {', '.join(UNITS)}, found {units!r}.")
    return units


def _frame_rate(arrays: dict[str, np.ndarray], source: str) -> float | None:
    rate = _only(arrays, "frame_rate", source)
    if rate is not None and not is_rate(rate):
        raise ValueError(f"{source}, 'frame_rate': expected a rate in Hz, found {rate!r}.")
    return rate


def _only(arrays: dict[str, np.ndarray], name: str, source: str) -> Any:
    """The only value in an array, as Python has it; None where there is no such array."""
    if name not in arrays:
        return None
    if arrays[name].size != 1:
        raise ValueError(f"{source}, {name!r}: expected one value, found {list(arrays[name].shape)}.")
    value = arrays[name].reshape(-1)[0].item()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
