"""The lines of a table in text, without its comments."""

import io
import re
from collections.abc import Iterator

from agegait.recordings.files.limits import MOST_LINE

# Excel's errors, such as #N/A, are fields.
_COMMENT = re.compile(r"\s*(?:#(?!N/A|NUM!|VALUE!|REF!|DIV/0!|NAME\?|NULL!)|//|%)")
_MOST_COMMENTS = 200


class TextLines(Iterator[str]):
    """The lines of a text, none of them too long; comments, which begin with #, // or %, are kept apart.

    Args:
        file: What holds the text.
        source: What it is called in errors: the file's path.

    Attributes:
        number: Of the last line, from 1.
        row_length: Characters since this was last set to 0: a row may be of several lines.
        comments: The first comments, each with its line's number.
    """

    def __init__(self, file: io.TextIOBase, source: str) -> None:
        self.number = 0
        self.row_length = 0
        self.comments: list[tuple[str, int]] = []
        self._file, self._source = file, source
        self._quoted = False

    def __next__(self) -> str:
        while True:
            line = self._line()
            if self._quoted or not _COMMENT.match(line):
                self._quoted ^= line.count('"') % 2 == 1
                return line
            self.row_length = 0
            if len(self.comments) < _MOST_COMMENTS:
                self.comments.append((line[:MOST_LINE], self.number))

    def _line(self) -> str:
        line = self._file.readline(MOST_LINE + 1)
        if not line or line == "\x1a":
            raise StopIteration
        self.number += 1
        self.row_length += len(line)
        if self.row_length > MOST_LINE:
            raise ValueError(
                f"{self._source}, line {self.number}: expected rows of at most {MOST_LINE:,} characters, found more."
            )
        if "\0" in line:
            raise ValueError(f"{self._source}, line {self.number}: expected text, found a zero byte.")
        return line


def without_mark(comment: str) -> str:
    """What a comment says, without what marks it as one."""
    return comment.strip().lstrip("#/% \t")
