"""NumPy's arrays in files, whose claims are looked at before anything is made of them."""

import math
import re
import zipfile
import zlib
from typing import IO, NamedTuple

import numpy as np

from agegait.recordings.files.limits import MIB, MOST_HEADER

_MAGIC = b"\x93NUMPY"
_VERSIONS = {b"\x01\x00": 2, b"\x02\x00": 4, b"\x03\x00": 4}
"""Bytes that tell the header's length, by the format's version."""

_ENTRY = re.compile(
    r"""\s*(['"])(?P<key>descr|fortran_order|shape)\1\s*:\s*"""
    r"""(?:(?P<order>True|False)|\((?P<shape>[0-9L,\s]*)\)|(['"])(?P<type>[^'"\\]{1,20})\5)\s*(?:,|$)"""
)
_VALUES = {"descr": "type", "fortran_order": "order", "shape": "shape"}
_TYPE = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248]|c8|c16|[SU][1-9][0-9]{0,5}|[mM]8(\[[0-9a-zA-Z]+\])?|O[48]?)")
_SIZE = re.compile(r"\s*([0-9]{1,18})L?\s*")  # Python 2 wrote an L behind long numbers
_MOST_DIMENSIONS = 8


class ArrayHeader(NamedTuple):
    """What an array says that it is, before any of it is read.

    Attributes:
        shape: Of the array.
        fortran_order: Whether the first index runs fastest.
        dtype: Of booleans, numbers, times, text or pickled objects.
    """

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype

    def __str__(self) -> str:
        return f"{self.dtype} {list(self.shape)}"

    @property
    def size(self) -> int:
        """Bytes of the array's values."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(file: IO[bytes]) -> ArrayHeader:
    """Reads what stands before an array's values.

    NumPy evaluates this text as Python, and makes whatever type it names; here it is matched.

    Raises:
        ValueError: There is no array, or one of another kind: of fields, or of numbers of over eight bytes.
    """
    try:
        start = file.read(len(_MAGIC) + 2)
        version = start[len(_MAGIC) :]
        if not start.startswith(_MAGIC) or version not in _VERSIONS:
            raise ValueError("it does not begin as an array of NumPy does")
        length = file.read(_VERSIONS[version])
        if int.from_bytes(length, "little") > MOST_HEADER:
            raise ValueError(f"its header is longer than {MOST_HEADER:,} bytes")
        text = file.read(int.from_bytes(length, "little"))
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(str(error)) from None
    if len(length) < _VERSIONS[version] or len(text) < int.from_bytes(length, "little"):
        raise ValueError("it ends in its header")
    return _parse(text.decode("latin-1").strip())


def read_values(file: IO[bytes], header: ArrayHeader) -> np.ndarray:
    """Reads an array's values, which the header was read before of; no more memory is taken than there are bytes.

    Raises:
        ValueError: Pickled objects, which are not read as they can run code; or values are missing or damaged.
    """
    if header.dtype.hasobject:
        raise ValueError("it holds pickled objects, which can run code; refused")
    content = bytearray()
    try:
        while len(content) < header.size and (piece := file.read(min(MIB, header.size - len(content)))):
            content += piece
        if len(content) < header.size:
            raise ValueError(f"{header} takes {header.size} bytes, found {len(content)}")
        file.read(1)  # at the end an archive's checksum is compared
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(str(error)) from None
    flat = np.frombuffer(content, header.dtype, math.prod(header.shape))
    return flat.reshape(header.shape, order="F" if header.fortran_order else "C")


def _parse(text: str) -> ArrayHeader:
    found: dict[str, str] = {}
    place, end = 1, len(text) - 1
    while text.startswith("{") and text.endswith("}") and (entry := _ENTRY.match(text, place, end)):
        value = entry[_VALUES[entry["key"]]]
        if value is None or entry["key"] in found:
            break
        found[entry["key"]] = value
        place = entry.end()
    sizes = [_SIZE.fullmatch(size) for size in found.get("shape", "").removesuffix(",").split(",")]
    if len(found) < len(_VALUES) or text[place:end].strip() or len(sizes) > _MOST_DIMENSIONS:
        raise ValueError(f"its header is {text[:200]!r}, which is no array of plain values")
    if not _TYPE.fullmatch(found["descr"]):
        raise ValueError(f"its values are of the type {found['descr']!r}, which is none of plain values")
    shape = () if not found["shape"].strip() else tuple(int(size[1]) for size in sizes if size)
    if shape and len(shape) < len(sizes):
        raise ValueError(f"its shape is ({found['shape'][:100]})")
    try:
        return ArrayHeader(shape, found["fortran_order"] == "True", np.dtype(found["descr"]))
    except TypeError as error:  # a unit of time that is none
        raise ValueError(str(error)) from None
