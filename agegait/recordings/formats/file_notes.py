"""What a table's file says besides its rows: in comments, and in lines before the header."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agegait.recordings.formats.column_names import LENGTHS
from agegait.recordings.formats.csv_dialect import Header, Row
from agegait.recordings.walk_format import is_rate

_RATE = re.compile(
    r"\b(?:frame[\s_]*rate|(?:nominal|sampling|sample|capture|export)[\s_]*(?:frame[\s_]*)?(?:rate|frequency)|fps)"
    r"\W{1,5}([0-9]{1,4}(?:\.[0-9]{1,6})?)",
    re.IGNORECASE,
)
_UNITS = re.compile(rf"\b(?:length\s)?units?\W{{1,5}}({'|'.join(LENGTHS)})\b", re.IGNORECASE)
_QUALISYS = re.compile(r"NO_OF_MARKERS\b", re.IGNORECASE)
_QUALISYS_RATE = re.compile(r"FREQUENCY\W{1,5}([0-9]{1,4}(?:\.[0-9]{1,6})?)", re.IGNORECASE)
_LONGEST = 1000


@dataclass(frozen=True)
class Notes:
    """What a file says besides its rows.

    Attributes:
        units: Of coordinates.
        frame_rate: Hz
        remarks: What of it was not read, and what was understood.
    """

    units: str | None
    frame_rate: float | None
    remarks: tuple[str, ...]


def notes_of(said: Sequence[str], header: Header, encoding: str, rows: Sequence[Row]) -> Notes:
    """Looks for a frame rate and units in what a file says.

    Args:
        said: Comments and lines before the header.
        header: Of the table.
        encoding: Of the text.
        rows: The first rows.
    """
    lines = [line[:_LONGEST] for line in said]
    rates = {float(found[1]) for line in lines if (found := _RATE.search(line)) and is_rate(float(found[1]))}
    units = {LENGTHS[found[1].lower()] for line in lines if (found := _UNITS.search(line))}
    if any(map(_QUALISYS.match, lines)):  # Qualisys' lengths are millimetres in all its exports
        rates = {
            float(found[1]) for line in lines if (found := _QUALISYS_RATE.match(line)) and is_rate(float(found[1]))
        }
        units = units or {"mm"}
    rate = rates.pop() if len(rates) == 1 else None
    unit = header.units or (units.pop() if len(units) == 1 else None)
    remarks = []
    if encoding == "cp1252":
        remarks.append("read as Windows-1252, as it is not UTF-8")
    if header.preamble:
        remarks.append(f"not read: what is before line {rows[header.preamble][1]}")
    if rate is not None:
        remarks.append(f"the file says {rate:g} frames/s")
    return Notes(unit, rate, tuple(remarks))
