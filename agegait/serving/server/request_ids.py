"""The number of a request, by which a caller finds it in the log."""

import re
import uuid

REQUEST_ID = "x-request-id"
"""The header, or key of metadata, that carries it: there and back."""

_SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def request_id(given: str | bytes | None) -> str:
    """The caller's number where it is one that a log can carry; else a new one."""
    if isinstance(given, str) and _SANE.fullmatch(given):
        return given
    return uuid.uuid4().hex
