"""Walks in MATLAB's files, versions 5 to 7."""

import io
import math
import warnings
import zlib
from pathlib import Path

import numpy as np

from agegait.recordings.file_format import FileFormat
from agegait.recordings.files import opening
from agegait.recordings.files.limits import MIB, MOST_COORDINATES
from agegait.recordings.formats.array_layouts import layout_of
from agegait.recordings.formats.walk_arrays import recordings_of_array
from agegait.recordings.recording import Recording, listed
from agegait.recordings.walk_format import WalkFormat

_HEADER = 128
_COMPRESSED = 15
_MOST_MEMORY = 256 * MIB
_HDF5 = b"\x89HDF\r\n\x1a\n"
_NUMBERS = ("double", "single", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)))
_WALK = "skeleton"
_UTD_MHAD = (
    "d_skel",
    (
        *("Head", "ShoulderCenter", "Spine", "HipCenter"),
        *(f"{joint}Left" for joint in ("Shoulder", "Elbow", "Wrist", "Hand")),
        *(f"{joint}Right" for joint in ("Shoulder", "Elbow", "Wrist", "Hand")),
        *(f"{joint}Left" for joint in ("Hip", "Knee", "Ankle", "Foot")),
        *(f"{joint}Right" for joint in ("Hip", "Knee", "Ankle", "Foot")),
    ),
)
"""What UTD-MHAD calls its variable [20, 3, T], and its order of Kinect v1's joints."""


def _read(path: Path, within: Path | None, walk_format: WalkFormat) -> list[Recording]:
    from scipy.io import loadmat, whosmat  # a tenth of a second that other files do not need
    from scipy.io.matlab import MatReadError, MatReadWarning

    source = str(path)
    content = opening.read_regular(path, within)
    if _HDF5 in content[: 1024 + len(_HDF5)]:
        raise ValueError(
            f"{source}: expected a MAT file of version 7 or older, found one of version 7.3. Save it again in MATLAB: "
            "save('walk.mat', 'skeleton', '-v7')."
        )
    failures = (MatReadError, MatReadWarning, ValueError, TypeError, KeyError, IndexError, OverflowError)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            plain = _inflated(content)
            variables = {name: (shape, kind) for name, shape, kind in whosmat(io.BytesIO(plain))}
            name = _only_walk(variables, source)
            if name is not None:
                values = loadmat(io.BytesIO(plain), variable_names=[name])[name]
    # SciPy has a NotImplementedError for versions that it does not read, as damaged files may claim to be.
    except (*failures, NotImplementedError, OSError, MemoryError, AttributeError, zlib.error, EOFError) as error:
        raise ValueError(f"{source}: expected a MAT file, found a damaged one: {error!s:.200}") from None
    if name is None:
        described = listed([f"{name} {kind} {list(shape)}" for name, (shape, kind) in variables.items()]) or "nothing"
        raise ValueError(
            f"{source}: expected a variable '{_WALK}', or just one of numbers [T, J, 3], [J, 3, T] or [T, 3 J], found "
            f"{described}. Save the walk alone: save('walk.mat', '{_WALK}', '-v7')."
        )
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu" or values.shape != variables[name][0]:
        raise ValueError(f"{source}, '{name}': expected an array of real numbers, found another one.")
    others = [other for other in variables if other != name]
    remarks = (f"not read: {listed(others)}",) if others else ()
    own_order = name == _UTD_MHAD[0] and len(values) == len(_UTD_MHAD[1])
    return recordings_of_array(
        source, f"{source}, '{name}'", values, walk_format, remarks=remarks, names=_UTD_MHAD[1] if own_order else None
    )


def _only_walk(variables: dict[str, tuple[tuple[int, ...], str]], source: str) -> str | None:
    """Name of the only variable that can be a walk; None where none can, or several."""
    walks = [
        name
        for name, (shape, kind) in variables.items()
        if kind in _NUMBERS and math.prod(shape) <= 2 * MOST_COORDINATES and layout_of(shape) is not None
    ]
    if _WALK in walks:
        return _WALK
    deep = [name for name in walks if len(variables[name][0]) > 2]
    walks = deep or [name for name in walks if variables[name][0][1] > 3]
    return walks[0] if len(walks) == 1 else None


def _inflated(content: bytes) -> bytes:
    """The file without compression: what it holds is then no more than there are bytes.

    Raises:
        ValueError: It would be too large, or ends early.
    """
    if len(content) < _HEADER or content[126:128] not in (b"IM", b"MI"):
        raise ValueError("it does not begin as a MAT file of version 5 to 7 does")
    order = "little" if content[126:128] == b"IM" else "big"
    out, place = bytearray(content[:_HEADER]), _HEADER
    while place + 8 <= len(content):
        kind, size = (int.from_bytes(content[place + at : place + at + 4], order) for at in (0, 4))  # type: ignore[arg-type]
        if place + 8 + size > len(content):
            raise ValueError("the file ends early")
        body = content[place + 8 : place + 8 + size]
        if kind == _COMPRESSED:
            inflater = zlib.decompressobj()
            out += inflater.decompress(body, _MOST_MEMORY - len(out))
            if not inflater.eof:
                raise ValueError(f"a variable breaks off, or takes over {_MOST_MEMORY // MIB} MiB")
        else:
            out += content[place : place + 8] + body
        if len(out) >= _MOST_MEMORY:
            raise ValueError(f"it takes over {_MOST_MEMORY // MIB} MiB")
        place += 8 + size
    return bytes(out)


FORMATS = (FileFormat("mat", "a MAT file of MATLAB", (".mat",), _read),)
