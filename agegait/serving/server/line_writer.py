import contextlib
import logging
import threading
from collections import deque
from typing import TextIO

_MOST_LINES = 10_000
_LAST_SECONDS = 2.0


class LineWriter(logging.Handler):
    """Writes what is logged in a thread of its own, so that nobody waits for who reads the log.

    A pipe that is read slowly, or a disk that is full, would stop whoever logs: gRPC's event thread, and the server
    with it. Lines that there is no room for are dropped, and a line says how many.

    Args:
        stream: Where to write.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: deque[str] = deque()
        self._dropped = 0
        self._writing = False
        self._changed = threading.Condition()
        threading.Thread(target=self._write, name="agegait-log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Has a line written."""
        line = self.format(record)
        with self._changed:
            if len(self._lines) < _MOST_LINES:
                self._lines.append(line)
                self._changed.notify_all()
            else:
                self._dropped += 1

    def flush(self) -> None:
        """Waits until all is written, two seconds at most."""
        with self._changed:
            self._changed.wait_for(lambda: not self._lines and not self._writing, _LAST_SECONDS)

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines)
                lines, self._lines = self._lines, deque()
                dropped, self._dropped = self._dropped, 0
                self._writing = True
            if dropped:
                words = "%d lines were dropped: the log is read too slowly"
                level = logging.WARNING
                lines.append(self.format(logging.LogRecord("agegait.serving", level, "", 0, words, (dropped,), None)))
            with contextlib.suppress(OSError, ValueError):  # Nobody reads any more; there is nowhere to say so.
                self._stream.write("".join(f"{line}\n" for line in lines))
                self._stream.flush()
            with self._changed:
                self._writing = False
                self._changed.notify_all()
