from pathlib import Path

import keras


class TrainingCheckpoint(keras.callbacks.Callback):
    """Keeps the state after each whole epoch, the optimizer's included, to take a killed training up again.

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
        found = sorted(self.folder.glob(f"{self.name}-[0-9]*.weights.h5"))
        return (int(found[-1].name.split(".")[0].rpartition("-")[2]), found[-1]) if found else (0, None)

    def restore(self, model: keras.Model) -> int:
        """Puts a built and compiled model into the newest checkpoint's state and returns the epochs it has seen."""
        epochs, path = self.latest()
        model.optimizer.build(model.trainable_variables)
        if path is not None:
            model.load_weights(path)
        return epochs

    def on_epoch_end(self, epoch, logs=None):
        """Saves, then deletes the checkpoint before."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _, before = self.latest()
        path = self.folder / f"{self.name}-{epoch + 1:06d}.weights.h5"
        aside = path.with_name(f".{path.name}")
        self.model.save_weights(aside, overwrite=True)
        aside.replace(path)
        if before is not None and before != path:
            before.unlink()
