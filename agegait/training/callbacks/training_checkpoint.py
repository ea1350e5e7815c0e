from pathlib import Path
from typing import Any

import keras
import numpy as np

from agegait.storage.private_files import private_folder
from agegait.storage.whole_file import whole_file


class TrainingCheckpoint(keras.callbacks.Callback):
    """Keeps the state after each whole epoch to take a killed training up again as if nothing had happened.

    The state is weights, the optimizer's variables and those of dropout's random generators, which Keras's own weight
    files leave out.

    The number of epochs is in the file's name and the file gets its name when it is whole, so that a training killed
    at any moment leaves weights and number that belong together.

    Args:
        folder: Where checkpoints are kept.
        name: What is trained.
    """

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__()
        self.folder = Path(folder)
        self.name = name

    def latest(self) -> tuple[int, Path | None]:
        """Whole epochs that the newest checkpoint has seen, and its file; 0 and None where there is none."""
        found = self._found()
        return (int(found[-1].name.split(".")[0].rpartition("-")[2]), found[-1]) if found else (0, None)

    def restore(self, model: keras.Model) -> int:
        """Puts a built and compiled model into the newest checkpoint's state and returns the epochs it has seen."""
        epochs, path = self.latest()
        model.optimizer.build(model.trainable_variables)
        if path is not None:
            with np.load(path) as state:
                for number, variable in enumerate(_variables(model)):
                    variable.assign(state[f"arr_{number}"])
        return epochs

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves, then deletes the checkpoints before."""
        private_folder(self.folder)
        before = self._found()
        path = self.folder / f"{self.name}-{epoch + 1:06d}.npz"
        with whole_file(path) as aside:
            np.savez(aside, *(keras.ops.convert_to_numpy(variable) for variable in _variables(self.model)))
        for old in before:
            if old != path:
                old.unlink()

    def _found(self) -> list[Path]:
        return sorted(self.folder.glob(f"{self.name}-[0-9]*.npz"))


def _variables(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]
