"""KGBD's text files: a walk as lines `Joint;x;y;z`, 20 lines a frame, no time stamps."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from agegait import skeletons
from agegait.recordings.files.limits import check_size
from agegait.recordings.files.numbers import NUMBER

_NAMES = list(skeletons.KGBD)
_ORDER = skeletons.canonical_order(skeletons.KGBD.values())
_CHARACTERS = "".join(_NAMES).encode() + b"0123456789+-.eE;\n"
_BLOCK = 1000 * len(_NAMES)
"""Lines that are read at once: texts of single numbers take many times the memory of the numbers."""

_NOT_SEPARATORS = bytes(set(range(256)) - set(b";\n"))


def parse(text: bytes, source: str) -> np.ndarray:
    """Reads a walk from KGBD's text, whose lines may end in CRLF or LF.

    Args:
        text: A file's content.
        source: What the text is called in errors: the file's path.

    Returns:
        The walk [T, 20, 3], float32: metres, in the camera's frame, joints in canonical order.

    Raises:
        ValueError: The text is no walk, or too long. The message names the source, the line, what was expected and
            what came.
    """
    text = text.replace(b"\r\n", b"\n").rstrip(b"\r\n")
    frames = (text.count(b"\n") + 1) // len(_NAMES)
    check_size(source, frames, len(_NAMES))
    walk = np.empty((frames, len(_NAMES), 3), "float32")
    start = 0
    for block in _blocks(text):
        part = _parse_block(block)
        if part is None or start + len(part) > frames:
            raise ValueError(f"{source}, {_first_fault(text)}")
        walk[start : start + len(part)] = part
        start += len(part)
    return walk


def tracked(walk: np.ndarray) -> np.ndarray:
    """Tells which joints the sensor saw: KGBD writes (0, 0, 0), the sensor's own place, where it saw none.

    Args:
        walk: [T, 20, 3]

    Returns:
        [T, 20], bool
    """
    return np.any(walk, axis=-1)


def _blocks(text: bytes) -> Iterator[bytes]:
    """Cuts a text into pieces of whole frames."""
    (ends,) = np.nonzero(np.frombuffer(text, "uint8") == ord("\n"))
    starts = [0, *(ends[_BLOCK - 1 :: _BLOCK] + 1).tolist(), len(text) + 1]
    return (text[start : end - 1] for start, end in pairwise(starts))


def _parse_block(text: bytes) -> np.ndarray | None:
    """Parses lines at once, by whole-text operations for speed; None if there is any fault."""
    lines = text.count(b"\n") + 1
    if (
        lines % len(_NAMES)
        or text.translate(None, _CHARACTERS)  # float() would let white space and underscores pass
        or text.translate(None, _NOT_SEPARATORS) + b"\n" != b";;;\n" * lines
    ):
        return None
    fields = text.decode("ascii").replace("\n", ";").split(";")
    if fields[::4] != _NAMES * (lines // len(_NAMES)):
        return None
    try:
        columns = np.array([[float(field) for field in fields[axis::4]] for axis in (1, 2, 3)])
    except ValueError:
        return None
    with np.errstate(over="ignore"):  # too large for float32 becomes infinite, and is refused as such
        walk = columns.T.astype(np.float32).reshape(-1, len(_NAMES), 3)[:, _ORDER]
    return walk if np.isfinite(walk).all() else None


def _first_fault(text: bytes) -> str:
    """Says where a text that is no walk first goes wrong: the slow way, line by line."""
    if not text:
        return "line 1: expected frames of 20 lines Joint;x;y;z, got an empty file"
    try:
        lines = text.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        number = text.count(b"\n", 0, error.start) + 1
        return f"line {number}: expected text, got the byte 0x{text[error.start]:02x}"
    for index, line in enumerate(lines):
        if fault := _line_fault(line, _NAMES[index % len(_NAMES)]):
            return f"line {index + 1}: expected {fault}"
    return (
        f"line {len(lines) + 1}: expected {_NAMES[len(lines) % len(_NAMES)]};x;y;z, "
        f"got the end of the file after {len(lines) % len(_NAMES)} of the last frame's {len(_NAMES)} joints"
    )


def _line_fault(line: str, joint: str) -> str | None:
    name, *coordinates = line.split(";")
    shown = line if len(line) <= 80 else line[:80] + "..."
    if len(coordinates) != 3:
        return f"4 fields {joint};x;y;z, got {len(coordinates) + 1}: {shown!r}"
    if name != joint:
        return f"the joint {joint}, got {shown!r}"
    for axis, field in zip("xyz", coordinates, strict=True):
        if not NUMBER.fullmatch(field):
            return f"a finite number with a decimal point for {axis}, got {field[:80]!r}"
        with np.errstate(over="ignore"):
            if not np.isfinite(np.float32(float(field))):
                return f"a number within float32 for {axis}, got {field[:80]!r}"
    return None
