"""A line of progress for each training or prediction."""

import atexit
import time
from collections.abc import Iterator
from typing import Any, TypeAlias

import keras
from rich.progress import Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from agegait.terminal.console import TextConsole, errors
from agegait.terminal.visible_text import visible

_QUIET_SECONDS = 20.0
"""The longest time without a line where the output is no terminal: sooner than `agegait.terminal.heartbeat` would say
less."""


Logs: TypeAlias = dict[str, Any]


class ProgressLine(keras.callbacks.Callback):
    """A Keras callback that shows how far a training or a prediction is, how fast it goes and how long it still takes.

    On a terminal it is one line that moves, with the epoch, the losses of the epoch so far and the validation figures
    of the epoch before. Elsewhere it prints a line at the end of each epoch, and one at least every 20 seconds.

    Args:
        task: What is being done, in a word or two.
        samples: Samples of an epoch, for the rate.
        console: Where to print; standard error by default.
        unit: What the samples are called.
    """

    def __init__(self, task: str, samples: int, console: TextConsole | None = None, unit: str = "windows") -> None:
        super().__init__()
        self.task = visible(task)
        self.samples = samples
        self.unit = unit
        self.console = errors() if console is None else console
        self.validation = ""
        self.progress = Progress(
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            TextColumn("{task.percentage:>3.0f}%", markup=False, table_column=Column(no_wrap=True)),
            TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True)),
            # The last column gives way on a narrow terminal, its end first.
            TextColumn("{task.fields[state]}", markup=False, table_column=Column(no_wrap=True, ratio=1)),
            console=self.console,
            disable=not self.console.is_terminal,
            expand=True,
        )

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._begin(self.params["epochs"])

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._begin(1)

    def _begin(self, epochs: int) -> None:
        self.epoch, self.epochs, self.steps = 0, epochs, self.params["steps"]
        self.begun = self.epoch_begun = self.printed = time.monotonic()
        self.first_epoch: int | None = None
        total = None if self.steps is None else epochs * self.steps
        self.line = self.progress.add_task(self.task, total=total, state="")
        self.progress.start()
        # Keras tells no callback when a training breaks off. The terminal needs its cursor back in any case.
        atexit.register(self.progress.stop)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch = epoch
        self.epoch_begun = time.monotonic()
        if self.first_epoch is None:
            self.first_epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._advance(batch + 1, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._advance(batch + 1, None)

    def _advance(self, done: int, logs: Logs | None) -> None:
        now = time.monotonic()
        state = [f"epoch {self.epoch + 1}/{self.epochs}"] if self.epochs > 1 else []
        figures = _figures(logs, *(("loss",) if self.validation else ("loss", "accuracy")))
        state += filter(None, (figures, self.validation))
        if self.steps is not None:  # With an unknown length, nobody can say how far this is, nor how fast.
            rate = self.samples * done / self.steps / max(now - self.epoch_begun, 1e-9)
            state.append(f"{rate:,.0f} {self.unit}/s")
            self.progress.update(self.line, completed=self.epoch * self.steps + done)
        self.progress.update(self.line, state="  ".join(state))
        if not self.console.is_terminal and now - self.printed >= _QUIET_SECONDS:
            batches = f"batch {done}" if self.steps is None else f"batch {done} of {self.steps}"
            self._print("  ".join([batches, *state, *self._remaining(done, now)]), now)

    def _remaining(self, done: int, now: float) -> Iterator[str]:
        if self.steps is None:
            return
        completed = self.epoch * self.steps + done
        # A resumed training starts in the middle: only the batches of this process tell the speed.
        batches = completed - (self.first_epoch or 0) * self.steps
        seconds = (self.epochs * self.steps - completed) * (now - self.begun) / batches
        yield f"{seconds / 60:,.0f} min left" if seconds >= 60 else f"{seconds:.0f} s left"

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.validation = _figures(logs, "val_loss", "val_accuracy")
        if not self.console.is_terminal:
            figures = _figures(logs, "loss", "accuracy", "val_loss", "val_accuracy")
            self._print(f"epoch {epoch + 1} of {self.epochs}  {figures}", time.monotonic())

    def _print(self, text: str, now: float) -> None:
        self.console.print(f"{self.task}: {text}", soft_wrap=True)
        self.printed = now

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._end()

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._end()

    def _end(self) -> None:
        self.progress.stop()
        atexit.unregister(self.progress.stop)


def _figures(logs: Logs | None, *names: str) -> str:
    logs = logs or {}
    return "  ".join(f"{name.replace('_', ' ')} {float(logs[name]):.4g}" for name in names if name in logs)
