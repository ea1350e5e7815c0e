"""A line of progress for each training or prediction, on the terminal."""

import atexit
import time

import keras
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agegait.terminal.console import TextConsole, errors
from agegait.terminal.visible_text import visible


class ProgressLine(keras.callbacks.Callback):
    """A Keras callback that shows how far a training or a prediction is, how fast it goes and how long it still takes.

    Where the output is no terminal, it prints a line an epoch.

    Args:
        task: What is being done, in a word or two.
        samples: Samples of an epoch, for the rate.
        console: Where to; standard error where absent.
        unit: What the samples are called.
    """

    def __init__(self, task: str, samples: int, console: TextConsole | None = None, unit: str = "windows") -> None:
        super().__init__()
        self.task = visible(task)
        self.samples = samples
        self.unit = unit
        self.console = errors() if console is None else console
        self.progress = Progress(
            TextColumn("{task.description:<22}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}", markup=False),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )

    def on_train_begin(self, logs=None):
        steps = self.params["steps"]
        self._begin(None if steps is None else self.params["epochs"] * steps)

    def on_predict_begin(self, logs=None):
        self._begin(self.params["steps"])

    def _begin(self, total):
        self.epoch_begun = time.monotonic()
        self.steps = self.params["steps"]
        self.line = self.progress.add_task(self.task, total=total, state="")
        self.progress.start()
        # Keras tells no callback of a training that is broken off; the terminal is to get its cursor back all the same.
        atexit.register(self.progress.stop)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        self.epoch_begun = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self._advance(batch + 1, self.epoch, self._losses(logs))

    def on_predict_batch_end(self, batch, logs=None):
        self._advance(batch + 1, 0, "")

    def _advance(self, done, epoch, state):
        if self.steps is None:  # a data set of unknown length: it cannot be said how far this is, nor how fast
            self.progress.update(self.line, state=state)
            return
        elapsed = time.monotonic() - self.epoch_begun
        rate = f"{self.samples * done / self.steps / max(elapsed, 1e-9):,.0f} {self.unit}/s"
        completed = epoch * self.steps + done
        self.progress.update(self.line, completed=completed, state=f"{state}  {rate}" if state else rate)

    def on_epoch_end(self, epoch, logs=None):
        if not self.console.is_terminal:
            line = f"{self.task}: epoch {epoch + 1} of {self.params['epochs']}  {self._losses(logs)}"
            self.console.print(line, soft_wrap=True)

    def on_train_end(self, logs=None):
        self._end()

    def on_predict_end(self, logs=None):
        self._end()

    def _end(self):
        self.progress.stop()
        atexit.unregister(self.progress.stop)

    def _losses(self, logs):
        logs = logs or {}
        names = [name for name in ("loss", "accuracy", "val_loss", "val_accuracy") if name in logs]
        return "  ".join(f"{name.replace('_', ' ')} {float(logs[name]):.4g}" for name in names)
