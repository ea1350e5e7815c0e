"""Walks in NumPy's files."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from agegait.recordings.files import opening
from agegait.recordings.files.bounded_reads import BoundedReads
from agegait.recordings.files.limits import MOST_ARRAYS_LISTED, MOST_BESIDES, check_size
from agegait.recordings.files.npy_arrays import ArrayHeader, read_header, read_values
from agegait.recordings.files.numbers import to_float64
from agegait.recordings.formats.array_layouts import Layout, has_states, layout_of, recordings_of_bodies
from agegait.recordings.formats.tracking import tracked_of
from agegait.recordings.recording import Recording, listed
from agegait.recordings.walk_format import UNITS, WalkFormat, is_rate

_UNREADABLE = (*(ValueError, EOFError, OSError, KeyError, RuntimeError, MemoryError, OverflowError), zipfile.BadZipFile)
"""What a damaged archive may end in; a RuntimeError, of zipfile, for a password and for a compression that it lacks."""

_RATES = ("frame_rate", "fps", "framerate")
_BESIDES = ("tracked", "joints", "units", *_RATES)

_HIGHEST_STATE = 3
"""Of tracking, as Azure Kinect has it; Kinect's is 2, and confidences are up to 1."""

_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What NumPy writes. Of the others zipfile cannot inflate a part alone."""


def read_npy(path: Path, within: Path | None = None, walk_format: WalkFormat | None = None) -> list[Recording]:
    """Reads a `.npy` file of numbers [T, J, 3] or [T, 3 J], or in an order of axes that `layout_of` knows.

    Raises:
        ValueError: Another content. Pickled objects are refused unread, as they can run code.
    """
    source = str(path)
    with opening.open_regular(path, within) as file:
        header = _header(file, source)
        layout = _layout(header, source)
        return _recordings(source, source, layout, _content(file, header, source), walk_format)


def read_npz(path: Path, within: Path | None = None, walk_format: WalkFormat | None = None) -> list[Recording]:
    """Reads a `.npz` file.

    Of its arrays, `"skeleton"` [T, J, 3] or [T, 3 J] is the walk, or else the only one of numbers in three dimensions;
    there may be `"tracked"` [T, J], `"joints"` [J] of names, `"frame_rate"` and `"units"` too. No others are inflated.

    Raises:
        ValueError: Another content. Pickled objects are refused unread, as they can run code.
    """
    source = str(path)
    with opening.open_regular(path, within) as file:
        try:
            archive = zipfile.ZipFile(BoundedReads(file, MOST_ARRAYS_LISTED))
        except _UNREADABLE as error:
            raise ValueError(f"{source}: expected an archive of arrays: {error}") from None
        with archive:
            members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
            return _read_members(_Members(archive, members, source), walk_format)


def recordings_of_array(
    source: str, place: str, values: np.ndarray, walk_format: WalkFormat | None, **known: Any
) -> list[Recording]:
    """A recording for each body in an array of numbers that a file holds.

    Args:
        source: The file's path.
        place: What the array is called in errors.
        values: Of any layout that is known.
        walk_format: How it is to be understood.
        **known: What else is known of the walk, as `Recording` has it.

    Raises:
        ValueError: An array of another shape, or too large.
    """
    layout = _layout(ArrayHeader(values.shape, False, values.dtype), place)
    return _recordings(source, place, layout, values, walk_format, **known)


@dataclass(frozen=True)
class _Members:
    """The arrays of an archive, of which nothing was inflated yet."""

    archive: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo]
    source: str

    def place(self, name: str) -> str:
        return f"{self.source}, {name!r}"

    def header(self, name: str, pickled: bool = False) -> ArrayHeader:
        with self._open(name) as file:
            return _header(file, self.place(name), pickled)

    def array(self, name: str) -> np.ndarray:
        with self._open(name) as file:
            return _content(file, _header(file, self.place(name)), self.place(name))

    def small_array(self, name: str) -> np.ndarray:
        """An array of names or of one value."""
        header = self.header(name)
        if header.size > MOST_BESIDES:
            raise ValueError(f"{self.place(name)}: expected at most {MOST_BESIDES} bytes, found {header}.")
        return self.array(name)

    def _open(self, name: str) -> IO[bytes]:
        member = self.members[name]
        try:
            if member.compress_type not in _COMPRESSIONS:
                raise ValueError(f"{name!r} has another compression than deflate")
            return self.archive.open(member)
        except _UNREADABLE as error:
            raise ValueError(f"{self.source}: expected an archive of arrays: {error}") from None


def _read_members(arrays: _Members, walk_format: WalkFormat | None) -> list[Recording]:
    source = arrays.source
    walk = "skeleton" if "skeleton" in arrays.members else _only_walk(arrays)
    layout = _layout(arrays.header(walk), arrays.place(walk))
    names, tracked = _names(arrays, layout.walk_shape[1]), _tracked(arrays, layout.walk_shape)
    unread = [name for name in arrays.members if name not in (walk, *_BESIDES)]
    return _recordings(
        source,
        arrays.place(walk),
        layout,
        arrays.array(walk),
        walk_format,
        names=names,
        tracked=tracked,
        units=_units(arrays),
        frame_rate=_frame_rate(arrays),
        remarks=(f"not read: {listed(unread)}",) if unread else (),
    )


def _recordings(
    source: str, place: str, layout: Layout, values: np.ndarray, walk_format: WalkFormat | None, **known: Any
) -> list[Recording]:
    """A recording for each body in an array, with what is known of it besides."""
    bodies, tracked = layout.bodies(to_float64(values)), known.pop("tracked", None)
    if has_states(layout):
        states, bodies = bodies[..., 3], bodies[..., :3]
        if not (np.nan_to_num(states) >= 0).all() or np.nanmax(states, initial=0) > _HIGHEST_STATE:
            raise ValueError(
                f"{place}: expected x, y, z and a state of tracking of 0 to {_HIGHEST_STATE} of each joint, found a "
                "fourth number that is none. Save x, y and z alone."
            )
        tracked = tracked_of(states, place) if tracked is None else tracked[None]
    elif tracked is not None:
        tracked = np.broadcast_to(tracked, bodies.shape[:3])
    said = (layout.remark,) if layout.remark else ()
    recording = Recording(source, bodies[0], **{**known, "remarks": (*said, *known.get("remarks", ()))})
    own = walk_format is not None and walk_format.joint_map is not None
    return recordings_of_bodies(recording, bodies, tracked, pairs=known.get("names") is None and not own)


def _only_walk(arrays: _Members) -> str:
    """Name of the only array that can be a walk; the headers alone are read."""
    found = {}
    for name in arrays.members:
        try:
            found[name] = arrays.header(name, pickled=True)
        except ValueError:
            continue  # not an array
    walks = [
        name
        for name, header in found.items()
        if header.dtype.kind in "fiu" and len(header.shape) > 2 and layout_of(header.shape) is not None
    ]
    pickled = [name for name, header in found.items() if header.dtype.hasobject]
    if pickled and not walks:
        raise ValueError(
            f"{arrays.place(pickled[0])}: expected an array of numbers [T, J, 3]: it holds pickled objects, which can "
            f"run code; refused. Load it where you trust it, with numpy.load(file, allow_pickle=True), and save each "
            "walk's array alone, with numpy.savez(file, skeleton=array)."
        )
    if len(walks) != 1:
        described = listed([f"{name} {header}" for name, header in found.items()]) or "no array"
        raise ValueError(
            f"{arrays.source}: expected an array 'skeleton', or just one of numbers [T, J, 3], found {described}."
        )
    return walks[0]


def _header(file: IO[bytes], source: str, pickled: bool = False) -> ArrayHeader:
    """What an array says that it is; `pickled` lets pickled objects be looked at from outside."""
    try:
        header = read_header(file)
        if header.dtype.hasobject and not pickled:
            raise ValueError(
                "it holds pickled objects, which can run code; refused. Load it where you trust it, with "
                "numpy.load(file, allow_pickle=True), and save each walk's array alone, with numpy.save"
            )
    except ValueError as error:
        raise ValueError(f"{source}: expected an array of numbers: {error}") from None
    return header


def _content(file: IO[bytes], header: ArrayHeader, source: str) -> np.ndarray:
    try:
        return read_values(file, header)
    except ValueError as error:
        raise ValueError(f"{source}: expected an array of numbers: {error}") from None


def _layout(header: ArrayHeader, source: str) -> Layout:
    """The layout of an array that is a walk."""
    layout = layout_of(header.shape) if header.dtype.kind in "fiu" else None
    if layout is None:
        raise ValueError(f"{source}: expected numbers [T, J, 3] or [T, 3 J], found {header}.")
    check_size(source, *layout.walk_shape)
    return layout


def _names(arrays: _Members, joints: int) -> tuple[str, ...] | None:
    if "joints" not in arrays.members:
        return None
    names = arrays.small_array("joints")
    if names.dtype.kind not in "US" or names.shape != (joints,):
        raise ValueError(
            f"{arrays.place('joints')}: expected names [{joints}], one a joint, found {names.dtype} "
            f"{list(names.shape)}."
        )
    try:
        return tuple(str(name) for name in names.astype("U"))
    except ValueError as error:  # bytes that are not ASCII, or no characters
        raise ValueError(f"{arrays.place('joints')}: expected names in ASCII or as text: {error}.") from None


def _tracked(arrays: _Members, shape: tuple[int, ...]) -> np.ndarray | None:
    if "tracked" not in arrays.members:
        return None
    header = arrays.header("tracked")
    if header.dtype.kind not in "bfiu" or header.shape != shape:
        raise ValueError(
            f"{arrays.place('tracked')}: expected booleans or numbers {list(shape)}, one a joint of each frame, found "
            f"{header}."
        )
    return tracked_of(to_float64(arrays.array("tracked")), arrays.place("tracked"))


def _units(arrays: _Members) -> str | None:
    units = _only(arrays, "units")
    if units is not None and units not in UNITS:
        raise ValueError(f"{arrays.place('units')}: expected one of {', '.join(UNITS)}, found {units!r:.40}.")
    return units


def _frame_rate(arrays: _Members) -> float | None:
    for name in _RATES:
        rate = _only(arrays, name)
        if rate is not None:
            if not is_rate(rate):
                raise ValueError(f"{arrays.place(name)}: expected a rate in Hz, found {rate!r:.40}.")
            return float(rate)
    return None


def _only(arrays: _Members, name: str) -> Any:
    """The only value in an array, as Python has it; None where there is no such array."""
    if name not in arrays.members:
        return None
    array = arrays.small_array(name)
    if array.size != 1:
        raise ValueError(f"{arrays.place(name)}: expected one value, found {list(array.shape)}.")
    value = array.reshape(-1)[0].item()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
