from pathlib import Path
from typing import Any

import keras

from agegait.storage.whole_file import whole_file


class BestWeights(keras.callbacks.Callback):
    """Keeps the weights of the epoch with the best validation so far, whole or not at all.

    Args:
        path: The file, ending in `.weights.h5`.
        monitor: The value that says which epoch is best.
        mode: `"min"` or `"max"`.
        threshold: What the first epoch must be better than; None where it need not.
    """

    def __init__(self, path: Path, monitor: str, mode: str, threshold: float | None = None) -> None:
        super().__init__()
        self.path = path
        self.monitor = monitor
        self.sign = {"min": -1, "max": 1}[mode]
        self.best = threshold

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves if this epoch is the best."""
        value = float((logs or {})[self.monitor])
        if value != value or (self.best is not None and self.sign * value <= self.sign * self.best):
            return
        with whole_file(self.path) as aside:
            self.model.save_weights(aside)
        self.best = value
