"""The log as JSON lines on standard error."""

import datetime
import json
import logging
import sys
from typing import TextIO

from agegait.serving.server.line_writer import LineWriter

_REQUESTS = "agegait.serving.requests"
_OTHERS = ("grpc", "uvicorn", "asyncio", "opentelemetry")
"""Libraries whose warnings belong into the same log."""


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.name == _REQUESTS:
            fields = json.loads(message)
        else:
            fields = {"logger": record.name, "message": message}
            if record.exc_info and record.exc_info[0] is not None:  # One line: what it was, and no traceback.
                fields["failure"] = record.exc_info[0].__name__
        return json.dumps({"time": self.formatTime(record), "level": record.levelname, **fields})

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        return datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds")


def log_json(requests: bool, stream: TextIO | None = None) -> logging.Handler:
    """Writes what the server logs to standard error, a JSON object a line, and what the libraries below it warn of.

    Args:
        requests: Whether each request gets a line, and not only models that come and go.
        stream: Where to write instead.

    Returns:
        What writes; flush it before the stream is closed.
    """
    handler = LineWriter(stream or sys.stderr)
    handler.setFormatter(_JsonLines())
    for name in ("agegait.serving", *_OTHERS):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.WARNING if name in _OTHERS else logging.INFO)
        logger.propagate = False
    logging.getLogger(_REQUESTS).setLevel(logging.INFO if requests else logging.WARNING)
    return handler
