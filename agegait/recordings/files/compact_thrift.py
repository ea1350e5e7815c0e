"""Thrift's compact protocol, in which Parquet says what a file holds."""

from dataclasses import dataclass
from typing import Any

I32, I64, STRUCT, LIST = 5, 6, 12, 9
"""Kinds of values."""

_DEEPEST = 16


class ThriftStruct(dict[int, tuple[int, Any]]):
    """A struct's fields by their numbers: kind and value."""

    def value(self, field: int, kind: int) -> Any:
        """A field's value.

        Raises:
            ValueError: There is no such field, or it is of another kind.
        """
        found = self.get(field)
        if found is None or found[0] != kind:
            raise ValueError(f"field {field} of {len(self)} is not there, or of another kind")
        return found[1]


@dataclass
class ThriftReader:
    """Reads structs.

    Attributes:
        content: Where they are.
        place: Where the next one begins.

    Raises:
        ValueError: The content is damaged, or ends.
    """

    content: bytes
    place: int = 0

    def struct(self, depth: int = 0) -> ThriftStruct:
        """Reads a struct."""
        fields, field = ThriftStruct(), 0
        while head := self._byte():
            kind = head & 15
            field = field + (head >> 4) if head >> 4 else self._integer()
            if field in fields:
                raise ValueError(f"field {field} is there twice")
            fields[field] = kind, kind == 1 if kind in (1, 2) else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ValueError("structs are nested too deeply")
        if kind in (1, 2):  # booleans in a list take a byte
            return self._byte() == 1
        if kind == 3:
            return self._byte()
        if kind in (4, I32, I64):
            return self._integer()
        if kind == 7:
            return self._bytes(8)
        if kind == 8:
            return self._bytes(self._varint())
        if kind in (LIST, 10):
            head = self._byte()
            count = self._varint() if head >> 4 == 15 else head >> 4
            if count > len(self.content) - self.place:  # no value takes less than a byte
                raise ValueError("a list goes on behind the end")
            return [self._value(head & 15, depth + 1) for _ in range(count)]
        if kind == STRUCT:
            return self.struct(depth + 1)
        raise ValueError(f"kind {kind} of value is not known")

    def _byte(self) -> int:
        if self.place >= len(self.content):
            raise ValueError("it goes on behind the end")
        self.place += 1
        return self.content[self.place - 1]

    def _bytes(self, count: int) -> bytes:
        if count > len(self.content) - self.place:
            raise ValueError("it goes on behind the end")
        self.place += count
        return self.content[self.place - count : self.place]

    def _varint(self) -> int:
        number = shift = 0
        while (byte := self._byte()) & 128:
            number |= (byte & 127) << shift
            shift += 7
            if shift > 63:
                raise ValueError("a number has more than 64 bits")
        return number | byte << shift

    def _integer(self) -> int:
        number = self._varint()
        return number >> 1 ^ -(number & 1)
