"""How many fields a message has, counted before it is parsed."""

import functools
from typing import Any

from agegait.serving.server.status_error import invalid_argument

MOST_FIELDS = 16_384
"""More than any request needs: arrays are one field each, whatever their size."""

FIELD_BYTES = 512
"""Memory that a parsed field takes at most, beside its bytes: an empty message is two bytes on the wire."""

_VARINT, _FIXED_64, _LENGTH, _FIXED_32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


def count_fields(raw: bytes, kind: Any, most: int = MOST_FIELDS) -> int:
    """The fields of a message, and of the messages in it.

    A parser makes an object of each field, of some hundreds of bytes, while nothing else runs. So a message of many
    empty fields takes gigabytes, and seconds for which the server stands still.

    Args:
        raw: The message.
        kind: Its class.
        most: Counting ends there.

    Raises:
        StatusError: INVALID_ARGUMENT for more fields, or for what is no message of this kind.
    """
    try:
        return _count(raw, kind.DESCRIPTOR, most)
    except (IndexError, ValueError):
        raise invalid_argument(f"the request is no {kind.DESCRIPTOR.name}") from None


def _count(raw: bytes, kind: Any, most: int) -> int:
    count, messages = 0, [(0, len(raw), kind)]
    while messages:
        place, end, kind = messages.pop()
        inner = _inner(kind)
        while place < end:
            count += 1
            if count > most:
                raise invalid_argument(f"the request: expected at most {most:,} fields, received more")
            tag, place = _varint(raw, place)
            wire_type = tag & 7
            if wire_type == _LENGTH:
                size, place = _varint(raw, place)
                if tag >> 3 in inner:
                    messages.append((place, place + size, inner[tag >> 3]))
                place += size
            elif wire_type == _VARINT:
                _, place = _varint(raw, place)
            elif wire_type in (_FIXED_64, _FIXED_32):
                place += 8 if wire_type == _FIXED_64 else 4
            else:
                raise ValueError("groups are not read")
        if place != end:
            raise ValueError("a field ends beyond its message")
    return count


@functools.cache
def _inner(kind: Any) -> dict[int, Any]:
    """The kinds of the messages in a kind of message, by their number."""
    return {field.number: field.message_type for field in kind.fields if field.message_type is not None}


def _varint(raw: bytes, place: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    number = 0
    for shift in range(0, 7 * _LONGEST_VARINT, 7):
        byte = raw[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
    raise ValueError("a number of more than ten bytes")
