"""In which encoding a file of text is: Unicode, or what spreadsheets in Western Europe write."""

import codecs
from typing import BinaryIO

from agegait.recordings.files.limits import MIB

_MARKS = (  # that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TITLES = {
    **dict.fromkeys(("utf-8", "utf-8-sig"), "UTF-8"),
    **dict.fromkeys(("utf-16", "utf-16-le", "utf-16-be"), "UTF-16"),
    **{"utf-32": "UTF-32", "cp1252": "Windows-1252"},
}
_HEAD = 4096
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1a") | {0x7F}
"""Bytes that no text has; Ctrl-Z is how DOS ends one."""


def encoding_of(file: BinaryIO, source: str) -> str:
    """Finds the encoding of a text by its byte order mark, else by its bytes: UTF-8, UTF-16 or Windows-1252.

    Args:
        file: What holds the text, which can seek; it is left at its beginning.
        source: What it is called in errors: the file's path.

    Raises:
        ValueError: It is text in none of these.
    """
    head = file.read(_HEAD)
    encoding = next((name for mark, name in _MARKS if head.startswith(mark)), None) or _by_zeros(head)
    fault = _fault(file, encoding)
    if fault and encoding == "utf-8" and not _fault(file, "cp1252") and not _has_controls(file):
        encoding, fault = "cp1252", ""
    if fault:
        raise ValueError(f"{source}, {fault}")
    file.seek(0)
    return encoding


def _by_zeros(head: bytes) -> str:
    """UTF-16 without a mark has a zero in every other byte of what is mostly digits and English."""
    pairs = len(head) // 2
    even, odd = head[::2].count(0), head[1::2].count(0)
    if pairs and odd > 0.7 * pairs and not even:
        return "utf-16-le"
    if pairs and even > 0.7 * pairs and not odd:
        return "utf-16-be"
    return "utf-8"


def _fault(file: BinaryIO, encoding: str) -> str:
    """Where the first bytes are that are no text in an encoding; nothing if all are."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, chunk = 1, b"\0"
    file.seek(0)
    while chunk:
        chunk = file.read(MIB)
        try:
            line += decoder.decode(chunk, final=not chunk).count("\n")
        except UnicodeDecodeError as error:
            line += error.object[: error.start].count(b"\n")
            found = f"the byte 0x{error.object[error.start]:02x}" if chunk else "a character that is cut off"
            return f"line {line}: expected text in {_TITLES[encoding]}, found {found}."
    return ""


def _has_controls(file: BinaryIO) -> bool:
    file.seek(0)
    return any(not _CONTROLS.isdisjoint(chunk) for chunk in iter(lambda: file.read(MIB), b""))
