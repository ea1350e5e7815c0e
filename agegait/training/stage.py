import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from agegait import data
from agegait.storage.disk_full import naming_full_disk
from agegait.storage.private_files import private_files, private_folder
from agegait.training.callbacks import BestWeights, EarlyStopping, ProgressLine, TrainingCheckpoint
from agegait.training.encoding import FEATURE_BATCH
from agegait.training.history import History
from agegait.training.run import Run
from agegait.training.run_record import StageResult

BETTER: dict[str, Callable[..., float]] = {"min": min, "max": max}


@dataclass
class Stage:
    """The training of one model of a run.

    Attributes:
        name: The stage, and the model's file in the run.
        model: A built model.
        inputs: What the model is trained on, `[M, ...]`.
        labels: `[M]`; None where the model learns without labels.
        validation: What the model is validated on after each epoch: inputs, or inputs and labels.
        epochs: Epochs of the whole stage.
        batch_size: Rows of a batch.
        optimizer: Makes the optimizer, from the number of batches of the whole stage.
        loss: The loss; None where the model has its own.
        monitor: The validation value that says which epoch is best.
        mode: `"min"` or `"max"`, which of its values is better.
        keep_best: Whether the best epoch's model is kept, not the last one's.
        patience: Epochs without a better validation after which the stage ends; None where it never ends early.
        unit: What the rows are called.
    """

    name: str
    model: keras.Model
    inputs: np.ndarray
    labels: np.ndarray | None
    validation: Any
    epochs: int
    batch_size: int
    optimizer: Callable[[int], keras.optimizers.Optimizer]
    loss: keras.losses.Loss | None
    monitor: str
    mode: str
    keep_best: bool = True
    patience: int | None = None
    unit: str = "windows"

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch."""
        return math.ceil(len(self.inputs) / self.batch_size)

    def fit(self, run: Run, callbacks: Sequence[keras.callbacks.Callback] = ()) -> None:
        """Trains the model, or resumes its training, and saves it in the run.

        A resumed training ends with the same model as one that was never stopped.

        Args:
            run: The run.
            callbacks: Keras callbacks, to watch.

        Raises:
            ValueError: No epoch gave a number by which to choose the best.
        """
        began = time.monotonic()
        metrics = None if self.labels is None else ["accuracy"]
        self.model.compile(self.optimizer(self.epochs * self.steps_per_epoch), self.loss, metrics=metrics)
        checkpoint = TrainingCheckpoint(run.folder / "checkpoints", self.name)
        first = checkpoint.restore(self.model)
        history = History(run.folder / "history" / f"{self.name}.csv")
        past = history.rows()[:first]
        history.keep(past)
        best = run.folder / "checkpoints" / f"best_{self.name}.weights.h5"
        watching = list(callbacks)
        if self.keep_best:
            private_folder(best.parent)
            watching.append(BestWeights(best, self.monitor, self.mode, self._best(past)))
        epochs = self.epochs
        if self.patience is not None:
            stopping = EarlyStopping(past, self.monitor, self.mode, self.patience)
            watching.append(stopping)
            if stopping.ended(self.model):
                epochs = first
        arrays = [self.inputs] if self.labels is None else [self.inputs, self.labels]
        progress = ProgressLine(self.name.replace("_", " "), len(self.inputs), unit=self.unit)
        with private_files(), naming_full_disk(run.folder), history.logger() as logger:
            self.model.fit(
                data.shuffled_epochs(arrays, self.batch_size, run.settings.seed, epochs, first),
                initial_epoch=first,
                epochs=epochs,
                steps_per_epoch=self.steps_per_epoch,
                shuffle=False,
                verbose=0,
                callbacks=[progress, *watching, logger, checkpoint],
                validation_data=data.batches(self.validation, FEATURE_BATCH),
            )
        rows = history.rows()
        reached = StageResult(len(rows), round(time.monotonic() - began, 1))
        if self.keep_best:
            chosen = self._best(rows)
            if chosen is None or not best.exists():
                raise ValueError(
                    f"{self.name}: expected a {self.monitor} that is a number, found none in {len(rows)} epochs."
                )
            self.model.load_weights(best)
            reached.chosen_epoch = [float(row[self.monitor]) for row in rows].index(chosen) + 1
            setattr(reached, self.monitor.replace("val_", "validation_"), chosen)
        run.save_model(self.name, self.model)
        run.finish_stage(self.name, reached)

    def _best(self, rows: Sequence[dict[str, str]]) -> float | None:
        values = (float(row[self.monitor]) for row in rows)
        return BETTER[self.mode]((value for value in values if not math.isnan(value)), default=None)
