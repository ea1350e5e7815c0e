"""What every model of ours promises of a file that it was saved in."""

from pathlib import Path

import keras
import numpy as np


def assert_loaded_it_gives_the_same_and_learns_on(
    model: keras.Model, inputs: np.ndarray, labels: np.ndarray, folder: Path
) -> None:
    """Fits a compiled model, saves it, loads it, and fits both on."""
    model.fit(inputs, labels, verbose=0)
    model.save(folder / "model.keras")
    loaded = keras.models.load_model(folder / "model.keras")
    np.testing.assert_array_equal(loaded(inputs), model(inputs))
    assert loaded.get_config() == model.get_config()
    losses = [one.fit(inputs, labels, shuffle=False, verbose=0).history["loss"] for one in (model, loaded)]
    np.testing.assert_allclose(*losses, rtol=1e-5)
