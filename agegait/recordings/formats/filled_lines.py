import math

from agegait.recordings.files.numbers import NUMBER

_NO_NUMBER = ("nan", "-nan", "nan(ind)", "-nan(ind)", "-1.#ind", "1.#qnan")
"""What C programs write where there is no number."""


class FilledLines:
    """The lines of a file that have something in them, one after the other.

    Args:
        text: The file's text.
        source: What it is called in errors: the file's path.

    Attributes:
        place: Of the last line, for errors.
    """

    def __init__(self, text: str, source: str) -> None:
        self._source = source
        self._lines = iter([(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()])
        self.place = source

    def fields(self, what: str, *counts: int) -> list[str]:
        """The fields of the next line.

        Raises:
            ValueError: There is none, or it has another number of fields.
        """
        number, line = next(self._lines, (0, ""))
        self.place = f"{self._source}, line {number}" if number else f"{self._source}, end of the file"
        fields = line.split()
        if len(fields) not in counts:
            expected = " or ".join(map(str, counts))
            found = f"{len(fields)}: {line[:80]!r}" if number else "none; the file ends early"
            raise ValueError(f"{self.place}: expected {what} in {expected} numbers, found {found}.")
        return fields

    def numbers(self, what: str, *counts: int) -> list[float]:
        """The numbers of the next line, NaN for what C programs write where there is none.

        Raises:
            ValueError: Something else, or another number of them.
        """
        found = []
        for field in self.fields(what, *counts):
            if not NUMBER.fullmatch(field) and field.lower() not in _NO_NUMBER:
                raise ValueError(f"{self.place}: expected numbers, found {field[:40]!r}.")
            found.append(float(field) if NUMBER.fullmatch(field) else math.nan)
        return found

    def count(self, what: str, most: int) -> int:
        """The number that is alone in the next line.

        Raises:
            ValueError: There is none, or one over `most`.
        """
        (field,) = self.fields(what, 1)
        if not field.isdecimal() or len(field) > 9 or int(field) > most:
            raise ValueError(f"{self.place}: expected {what}, at most {most:,}, found {field[:40]!r}.")
        return int(field)

    def is_over(self) -> bool:
        """Whether there are no more lines."""
        return next(self._lines, None) is None
