"""What the pages of a Parquet file inflate to, by their own headers: Arrow takes that much memory for each unasked."""

from collections.abc import Iterator
from typing import BinaryIO

from agegait.data.files.limits import MIB

_LONGEST_HEADER = MIB // 16
_DEEPEST = 8

# Types of Thrift's compact protocol, in which headers are written.
_BOOLEANS, _BYTE, _INTEGERS, _DOUBLE, _BINARY, _LISTS, _STRUCT = (1, 2), 3, (4, 5, 6), 7, 8, (9, 10), 12
_INFLATED, _DEFLATED = 2, 3
"""Fields of a page's header."""


def inflated_sizes(file: BinaryIO, start: int, size: int) -> Iterator[int]:
    """Bytes that each page of a column inflates to.

    Args:
        file: The Parquet file.
        start: Where the column's first page is.
        size: Bytes of all its pages.

    Raises:
        ValueError: Something other than headers of pages.
    """
    place = start
    while place < start + size:
        file.seek(place)
        header = _Header(file.read(min(_LONGEST_HEADER, start + size - place)))
        fields = header.integers()
        inflated, deflated = fields.get(_INFLATED, -1), fields.get(_DEFLATED, -1)
        if inflated < 0 or deflated < 0:
            raise ValueError("a page has no size")
        yield inflated
        place += header.length + deflated


class _Header:
    """The header of a page, read as far as it takes to find its end."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.length = 0

    def integers(self, depth: int = 0) -> dict[int, int]:
        """The whole numbers among a struct's fields, by the fields' numbers."""
        if depth > _DEEPEST:
            raise ValueError("the header of a page is too deep")
        found, field = {}, 0
        while byte := self._take(1)[0]:
            field = field + (byte >> 4) if byte >> 4 else self._integer()
            value = self._value(byte & 15, depth)
            if value is not None:
                found[field] = value
        return found

    def _value(self, kind: int, depth: int) -> int | None:
        if kind in _INTEGERS:
            return self._integer()
        if kind == _STRUCT:
            self.integers(depth + 1)
        elif kind == _BINARY:
            self._take(self._varint())
        elif kind in _LISTS:
            head = self._take(1)[0]
            for _ in range(self._varint() if head >> 4 == 15 else head >> 4):
                if head & 15 in _BOOLEANS:
                    self._take(1)
                else:
                    self._value(head & 15, depth + 1)
        elif kind in (_BYTE, _DOUBLE):
            self._take(1 if kind == _BYTE else 8)
        elif kind not in _BOOLEANS:
            raise ValueError("the header of a page has an unknown field")
        return None

    def _integer(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._take(1)[0]
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("the header of a page has a number that is too long")

    def _take(self, size: int) -> bytes:
        taken = self._content[self.length : self.length + size]
        if len(taken) < size:
            raise ValueError("the header of a page is cut off or too long")
        self.length += size
        return taken
