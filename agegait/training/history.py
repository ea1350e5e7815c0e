import contextlib
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras

from agegait.storage.private_files import private_folder
from agegait.storage.whole_file import whole_file


class History:
    """The table of a stage's losses and metrics, a row for each epoch.

    Args:
        path: The CSV file; its folder is made.
    """

    def __init__(self, path: Path) -> None:
        private_folder(path.parent)
        self.path = path

    def rows(self) -> list[dict[str, str]]:
        """The rows so far, as text."""
        if not self.path.exists():
            return []
        with self.path.open(newline="") as file:
            return list(csv.DictReader(file))

    def keep(self, rows: Sequence[dict[str, str]]) -> None:
        """Leaves some rows alone: what a killed training wrote after its last checkpoint comes again."""
        if not rows:
            self.path.unlink(missing_ok=True)
            return
        with whole_file(self.path) as aside, aside.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)

    @contextlib.contextmanager
    def logger(self) -> Iterator[keras.callbacks.CSVLogger]:
        """A callback that adds a row after each epoch."""
        logger = _TableLogger(self.path, append=True)
        try:
            yield logger
        finally:
            if logger.csv_file:  # Keras leaves it open where a training breaks off
                logger.csv_file.close()


class _TableLogger(keras.callbacks.CSVLogger):
    """Keeps to the columns that a table has: rounds of a training may have other figures than the first one."""

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        with open(self.filename, newline="") as file:
            header = next(csv.reader(file), [])
        self.keys = header[1:] or None  # the first one is the epoch
