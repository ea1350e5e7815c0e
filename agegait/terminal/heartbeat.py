import threading
import time
from types import TracebackType
from typing import Self

from agegait.terminal.console import TextConsole, errors, last_printed


class Heartbeat:
    """Prints a line wherever nothing else was printed for a while, so that a log shows that work goes on.

    Whatever a command does, reading files or fitting a baseline, it says so. On a terminal it prints nothing: a line
    of progress moves there. As a context manager it ends with its block.

    Args:
        task: What is being done, in a word or two.
        seconds: The longest time without a line.
        console: Where to print; standard error by default.
    """

    def __init__(self, task: str, seconds: float = 30.0, console: TextConsole | None = None) -> None:
        self.task = task
        self.seconds = seconds
        self.console = errors() if console is None else console
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        self._begun = time.monotonic()
        if not self.console.is_terminal:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()

    def _beat(self) -> None:
        wait = self.seconds
        while not self._end.wait(wait):
            now = time.monotonic()
            wait = max(self._begun, last_printed()) + self.seconds - now
            if wait <= 0:
                self.console.print(f"{self.task}: still running, {_duration(now - self._begun)}", soft_wrap=True)
                wait = self.seconds


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
