import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

CHECK_SECONDS = 1.0
"""How often a file is looked at, at most."""

_log = logging.getLogger("agegait.serving")

_Entries = TypeVar("_Entries", bound=Mapping[Any, Any])


class FollowedFile(Generic[_Entries]):
    """What a file says of callers, read again when a caller comes and a second has passed. May be shared by threads.

    A file that can't be read or holds a mistake changes nothing: what it said before stays, and the mistake is logged
    once.

    Args:
        name: What its entries are called, for the log.
        entries: What it says now.
        read: Reads it again; absent, nothing ever changes.
    """

    def __init__(self, name: str, entries: _Entries, read: Callable[[], _Entries] | None = None) -> None:
        self._name = name
        self._entries = entries
        self._read = read
        self._reading = threading.Lock()
        self._next_check = time.monotonic() + CHECK_SECONDS
        self._complaint = ""

    @property
    def entries(self) -> _Entries:
        """What it says."""
        # One caller reads; others go on with what was good, however slow the disk is.
        if self._read and time.monotonic() >= self._next_check and self._reading.acquire(blocking=False):
            try:
                entries, complaint = self._read(), ""
            except ValueError as error:
                entries, complaint = self._entries, str(error)
                if complaint != self._complaint:
                    _log.error("the %s stay as they were: %s", self._name, complaint)
            else:
                if entries != self._entries:
                    _log.info("%s were renewed: %d %s", self._name, len(entries), self._name)
            finally:
                self._next_check = time.monotonic() + CHECK_SECONDS
                self._reading.release()
            self._entries, self._complaint = entries, complaint
        return self._entries
