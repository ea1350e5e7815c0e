import threading

import grpc

from agegait.serving.server.status_error import StatusError


class MemoryBudget:
    """Counts what requests hold of the memory, from their message to the last byte of their answer.

    Args:
        size: Bytes that all requests together may hold.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._held = 0
        self._changed = threading.Lock()

    @property
    def held(self) -> int:
        """Bytes that are held now."""
        return self._held

    def open(self) -> "Reservation":
        """A reservation of nothing yet."""
        return Reservation(self)

    def _take(self, more: int) -> None:
        with self._changed:
            if more > 0 and self._held + more > self.size:
                raise StatusError(
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                    f"not enough memory: this request needs {more:,} bytes, {self.size - self._held:,} of "
                    f"{self.size:,} are free",
                )
            self._held += more


class Reservation:
    """What one request holds of a `MemoryBudget`.

    It is let go once the request was handled and its answer has left, whichever comes last: work whose caller went away
    holds its memory all the same, and so does an answer that nobody reads.

    Args:
        budget: The budget; without one, nothing is counted.
    """

    def __init__(self, budget: MemoryBudget | None = None) -> None:
        self._budget = budget
        self._size = 0
        self._open = {"handled", "sent"}
        self._changed = threading.Lock()

    def resize(self, size: int) -> None:
        """Holds so many bytes from now on.

        Raises:
            StatusError: RESOURCE_EXHAUSTED where the budget does not allow it.
        """
        if self._budget is None:
            return
        with self._changed:
            if self._open:
                self._budget._take(size - self._size)
                self._size = size

    def handled(self) -> None:
        """Says that nothing works on the request any more."""
        self._close("handled")

    def sent(self) -> None:
        """Says that the answer has left, or the caller has."""
        self._close("sent")

    def _close(self, what: str) -> None:
        if self._budget is None:
            return
        with self._changed:
            self._open.discard(what)
            if not self._open:
                self._budget._take(-self._size)
                self._size = 0
