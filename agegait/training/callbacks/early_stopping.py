from collections.abc import Mapping, Sequence
from typing import Any

import keras


class EarlyStopping(keras.callbacks.EarlyStopping):
    """Keras's EarlyStopping for a training that may be resumed: it counts the epochs before as well.

    Args:
        past: The logs of the epochs that the training has behind it, numbers or text as in a table of losses.
        monitor: What is to get better.
        mode: `"min"` or `"max"`, which of them is better.
        patience: Epochs without anything better after which the training ends.
    """

    def __init__(self, past: Sequence[Mapping[str, str]], monitor: str, mode: str, patience: int) -> None:
        super().__init__(monitor=monitor, mode=mode, patience=patience)
        self.past = past

    def ended(self, model: keras.Model) -> bool:
        """Whether the training of a model had ended already: Keras reads that after an epoch, not before."""
        model.stop_training = False
        self.set_model(model)
        self.on_train_begin()
        return model.stop_training

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Goes through the epochs before."""
        super().on_train_begin(logs)
        for epoch, row in enumerate(self.past):
            self.on_epoch_end(epoch, {self.monitor: float(row[self.monitor])})
