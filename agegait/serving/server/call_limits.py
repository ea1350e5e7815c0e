import threading
import time

import grpc


class CallLimits:
    """Ends calls that take too long, those whose answer is never read among them.

    Args:
        seconds: How long a call may take.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._calls: dict[int, tuple[float, grpc.ServicerContext]] = {}  # In the order of their ends.
        self._changed = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="agegait-limits", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        return len(self._calls)

    def limit(self, context: grpc.ServicerContext) -> None:
        """Ends a call so many seconds from now, if it is not over by then."""
        with self._changed:
            self._calls[id(context)] = time.monotonic() + self._seconds, context
        if not context.add_callback(lambda: self.release(context)):
            self.release(context)

    def prolong(self, context: grpc.ServicerContext) -> None:
        """Begins the time of a call anew, unless it is over."""
        with self._changed:
            if self._calls.pop(id(context), None) is not None:
                self._calls[id(context)] = time.monotonic() + self._seconds, context

    def release(self, context: grpc.ServicerContext) -> None:
        """Lets a call take as long as it likes."""
        with self._changed:
            self._calls.pop(id(context), None)

    def close(self) -> None:
        """Ends no more calls."""
        self._stopping.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopping.wait(min(1.0, self._seconds / 4)):
            now = time.monotonic()
            with self._changed:
                late = []
                for end, context in self._calls.values():
                    if end > now:
                        break
                    late.append(context)
            for context in late:
                context.cancel()
                self.release(context)
