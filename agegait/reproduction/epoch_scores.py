from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from agegait import evaluation
from agegait.models.weighted_logits import weighted_logits
from agegait.storage.private_files import private_folder
from agegait.storage.whole_file import whole_file


class EpochScores(keras.callbacks.Callback):
    """Keeps what a network says of the test windows after each epoch, for the published protocol alone.

    It watches: nothing of it reaches the training or the choice on validation walks. An epoch's file has its name when
    it is whole, and an epoch that a resumed training repeats replaces its own.

    Args:
        folder: Where the files are.
        inputs: What the network is to see of each test split's windows, `[M, f, ...]`.
        beside: Logits `[M, N]` of an embedder, of each test split's windows, that answers too. None where there is no
            embedder.
    """

    def __init__(
        self, folder: Path, inputs: Mapping[str, np.ndarray], beside: Mapping[str, np.ndarray | None] | None = None
    ) -> None:
        super().__init__()
        self.folder = folder
        self.inputs = inputs
        self.beside = beside or {}

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes the logits of each test split."""
        for test, inputs in self.inputs.items():
            logits = self.model.predict(inputs, batch_size=evaluation.BATCH, verbose=0)
            if (beside := self.beside.get(test)) is not None:
                logits = weighted_logits(logits, beside, inputs.shape[1], inputs.shape[1])
            path = self.folder / test / f"{epoch + 1:06d}.npy"
            private_folder(path.parent)
            with whole_file(path) as aside:
                np.save(aside, np.asarray(logits, dtype="float32"))

    def of(self, test: str) -> Iterator[np.ndarray]:
        """The logits `[M, N]` of a test split after each epoch, one at a time."""
        return (np.load(path) for path in sorted((self.folder / test).glob("[0-9]*.npy")))
