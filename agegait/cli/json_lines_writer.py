"""Run as a script: copies standard input to standard output, with lines that are no JSON objects made into ones."""

import datetime
import json
import os
import re
from collections.abc import Iterator

_MOST = 2000
_ATOMIC = 4096  # POSIX: what is written to a pipe in one piece of so many bytes is not mixed with others' lines.
_LEVELS = {"I": "INFO", "W": "WARNING", "E": "ERROR", "F": "CRITICAL"}

# The prefix of absl and of TensorFlow: `E0000 00:00:1700000000.123456   1234 file.cc:12] message`, with a date or not.
_PREFIX = re.compile(r"(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: )?([IWEF])(?:\d{4} [\d:.]+ +\d+)? ?([\w./-]+:\d+)\] ?")


def wrap(line: str) -> str:
    """A line as a JSON object."""
    try:
        if isinstance(json.loads(line), dict):
            return line
    except ValueError:
        pass
    found = _PREFIX.match(line)
    fields = {
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
        "level": _LEVELS[found[1]] if found else "WARNING",
        "logger": "native" if found else "stderr",
        "message": line[found.end() if found else 0 :][:_MOST],
    }
    if found:
        fields["source"] = found[2]
    told = json.dumps(fields)
    return told if len(told) < _ATOMIC else json.dumps({**fields, "message": fields["message"][: _MOST // 4]})


def read_lines(descriptor: int) -> Iterator[str]:
    """The lines of a pipe, whatever their length; empty ones left out."""
    rest = b""
    while piece := os.read(descriptor, 1 << 16):
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > 1 << 16:
            lines, rest = [*lines, rest], b""
        yield from (line.decode(errors="replace").rstrip("\r") for line in lines if line.strip())
    if rest.strip():
        yield rest.decode(errors="replace")


if __name__ == "__main__":
    for each in read_lines(0):
        os.write(1, wrap(each).encode() + b"\n")
