import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

_WRITER = Path(__file__).with_name("json_lines_writer.py")
_END_SECONDS = 5.0


@contextlib.contextmanager
def json_stderr() -> Iterator[TextIO]:
    """Has whatever writes to standard error write JSON lines, gRPC's and TensorFlow's C++ among it.

    Another process wraps the lines: it needs none of this one's locks, so that nobody waits for it who holds one, and
    it tells the last words of a process that crashes.

    Yields:
        Standard error itself, for those who write JSON.
    """
    sys.stderr.flush()
    with os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="backslashreplace") as stream:
        writer = subprocess.Popen(
            [sys.executable, "-IS", str(_WRITER)], stdin=subprocess.PIPE, stdout=stream, start_new_session=True
        )
        if writer.stdin is None:
            raise RuntimeError("the writer of JSON lines has no input")
        os.dup2(writer.stdin.fileno(), 2)
        writer.stdin.close()
        try:
            yield stream
        finally:
            sys.stderr.flush()
            os.dup2(stream.fileno(), 2)
            with contextlib.suppress(subprocess.TimeoutExpired):  # What was started here may still hold the pipe.
                writer.wait(_END_SECONDS)
