import threading
from collections.abc import Callable


class DoneCallbacks:
    """What is to be called once a request is over. May be shared by threads."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], object]] = []
        self._changed = threading.Lock()
        self._over = False

    def add(self, callback: Callable[[], object]) -> bool:
        """Has a function called at the end; False where the request is over already."""
        with self._changed:
            if not self._over:
                self._callbacks.append(callback)
            return not self._over

    def run(self) -> None:
        """Says that the request is over."""
        with self._changed:
            self._over = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()
