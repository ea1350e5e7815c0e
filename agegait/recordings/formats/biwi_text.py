"""The frame files of BIWI and IAS-Lab: a row of 14 numbers for each joint, in canonical order."""

import re

import numpy as np

from agegait import skeletons
from agegait.recordings.files.numbers import NUMBER

COLUMNS = (
    "id", "x3D", "y3D", "z3D", "x2D", "y2D", "TrackingState", "QualityFlag",
    "OriStart", "OriEnd", "Qx", "Qy", "Qz", "Qw",
)  # fmt: skip
_POSITION = slice(1, 4)
_STATE = 6
_STATES = (0, 1, 2)
_JOINTS = len(skeletons.JOINTS)
_ROWS = (_JOINTS, 2 * _JOINTS)
_NO_NUMBER = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_CHARACTERS = b"0123456789+-.eE,\n \tnaifntyNAIFNTY"
_NOT_SEPARATORS = bytes(set(range(256)) - set(b",\n"))
_ROW = b"," * (len(COLUMNS) - 1) + b"\n"


def parse(text: bytes, source: str) -> tuple[np.ndarray, np.ndarray]:
    """Reads one frame of BIWI or IAS-Lab, whose lines may end in CRLF or LF.

    A file has 20 rows, or 40, of which the second 20 are the zeros of a skeleton that is not there, and are not read.
    Of the columns, the position and TrackingState are read. What is not read must be numbers too, though not finite.

    Args:
        text: A file's content.
        source: What the text is called in errors: the file's path.

    Returns:
        The skeleton [20, 3], float32: metres, y up, in the camera's frame, joints in canonical order; and what was
        tracked [20], bool: false where TrackingState is 0, not tracked. A joint of state 1, which the sensor inferred
        from its neighbours, has a place and counts as tracked, as it does where the papers drop untracked frames.

    Raises:
        ValueError: The text is no frame. The message names the source, the line, what was expected and what came.
    """
    text = text.replace(b"\r\n", b"\n").rstrip(b"\r\n")
    frame = _parse_whole(text)
    if frame is None:
        raise ValueError(f"{source}, {_first_fault(text)}")
    return frame


def _parse_whole(text: bytes) -> tuple[np.ndarray, np.ndarray] | None:
    """Parses all rows at once, by whole-text operations for speed; None if there is any fault."""
    rows = text.count(b"\n") + 1
    if (
        rows not in _ROWS
        or text.translate(None, _CHARACTERS)  # float() would let other white space and underscores pass
        or text.translate(None, _NOT_SEPARATORS) + b"\n" != _ROW * rows
    ):
        return None
    try:
        numbers = [float(field) for field in text.decode("ascii").replace("\n", ",").split(",")]
    except ValueError:
        return None
    table = np.array(numbers[: _JOINTS * len(COLUMNS)]).reshape(_JOINTS, len(COLUMNS))
    with np.errstate(over="ignore"):  # too large for float32 becomes infinite, and is refused as such
        skeleton = table[:, _POSITION].astype(np.float32)
    state = table[:, _STATE]
    if not np.isfinite(skeleton).all() or not np.isin(state, _STATES).all():
        return None
    return skeleton, state != 0


def _first_fault(text: bytes) -> str:
    """Says where a text that is no frame first goes wrong: the slow way, line by line."""
    rows = f"{_ROWS[0]} or {_ROWS[1]} rows of {len(COLUMNS)} numbers"
    if not text:
        return f"line 1: expected {rows}, got an empty file"
    try:
        lines = text.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        number = text.count(b"\n", 0, error.start) + 1
        return f"line {number}: expected text, got the byte 0x{text[error.start]:02x}"
    for index, line in enumerate(lines[: _ROWS[1]]):
        if fault := _line_fault(line, index < _JOINTS):
            return f"line {index + 1}: expected {fault}"
    if len(lines) > _ROWS[1]:
        return f"line {_ROWS[1] + 1}: expected the end of the file after {rows}, got {_shown(lines[_ROWS[1]])}"
    return f"line {len(lines) + 1}: expected {rows}, got the end of the file after {len(lines)}"


def _line_fault(line: str, is_joint: bool) -> str | None:
    fields = [field.strip(" \t") for field in line.split(",")]
    if len(fields) != len(COLUMNS):
        hint = "; are there decimal commas?" if len(fields) > len(COLUMNS) else ""
        return f"{len(COLUMNS)} numbers with commas between them, got {len(fields)}: {_shown(line)}{hint}"
    for index, (column, field) in enumerate(zip(COLUMNS, fields, strict=True)):
        is_number = NUMBER.fullmatch(field)
        if is_joint and column in COLUMNS[_POSITION]:
            if not is_number:
                return f"a finite number with a decimal point for {column}, got {_shown(field)}"
            with np.errstate(over="ignore"):
                if not np.isfinite(np.float32(float(field))):
                    return f"a number within float32 for {column}, got {_shown(field)}"
        elif not is_number and not _NO_NUMBER.fullmatch(field):
            return f"a number for {column}, got {_shown(field)}"
        elif is_joint and index == _STATE and float(field) not in _STATES:
            return f"{column} 0, 1 or 2, got {_shown(field)}"
    return None


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:80] + "...")
