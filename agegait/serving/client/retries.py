import random
import threading
import time
from dataclasses import dataclass, field

import grpc

from agegait.serving.client.client_errors import ClientError

PATIENCE_SECONDS = 3.0
"""How long a server that is not there is tried again, unless the client has `wait=True`."""

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 1.0
_LAST_SECONDS = 0.05
_LOADING = "Servable is loading"
# CANCELLED is what a server says that goes down before it has looked at a request.
_AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


@dataclass
class Retries:
    """Decides whether a request is sent again, and when. One for each request.

    Every request of the interface may be sent twice: it changes nothing. While a model loads, the request is repeated
    until its deadline. A server that can't be reached, or that goes, is tried again for three seconds, or until the
    deadline if `wait`. Whatever else a server says is final. Pauses double from 0.1 to 1 second and vary by a quarter,
    so that many clients do not come at once.

    Attributes:
        seconds: How long the request may take in all.
        wait: Whether to wait for a server that can't be reached.
    """

    seconds: float
    wait: bool
    _end: float = field(init=False)
    _away_since: float | None = field(default=None, init=False)
    _pause: float = field(default=_FIRST_PAUSE, init=False)

    def __post_init__(self) -> None:
        self._end = time.monotonic() + self.seconds

    @property
    def remaining(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self._end - time.monotonic())

    def pause(self, error: ClientError) -> float:
        """How many seconds to wait after an error before the request is sent again.

        Raises:
            ClientError: The error itself, where it is final.
        """
        remaining = self.remaining
        if error.status not in _AWAY or remaining < _LAST_SECONDS:
            raise error from None
        if error.status == grpc.StatusCode.UNAVAILABLE and error.details.startswith(_LOADING):
            self._away_since = None
        else:
            now = time.monotonic()
            self._away_since = now if self._away_since is None else self._away_since
            if not self.wait and now - self._away_since > PATIENCE_SECONDS:
                raise error from None
        pause = self._pause * random.uniform(0.75, 1.25)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return min(pause, remaining / 2)


def require_timeout(seconds: float) -> None:
    """Makes sure of a time-out.

    Raises:
        ValueError: It is no number of seconds above 0.
    """
    if not 0 < seconds <= threading.TIMEOUT_MAX:
        raise ValueError(f"timeout: expected a number of seconds above 0, received {seconds}.")
