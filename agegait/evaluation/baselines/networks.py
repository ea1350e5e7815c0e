"""The networks among the baselines, and what they see of windows."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from agegait.datasets import Windows
from agegait.layers import WindowMeasures
from agegait.models import GaitEncoder
from agegait.training import make_recognizer
from agegait.training.encoding import encode
from agegait.training.recipes import Recipe

LSTM_UNITS = 256
"""As the encoder's."""

MEASURED_AT_ONCE = 4096
"""Windows that are measured in one go: the differences of all their joints take a few hundred megabytes."""

Build = Callable[[int, np.ndarray, Recipe], keras.Model]


def coordinates(windows: Windows) -> np.ndarray:
    """The coordinates of each frame joined, `[M, f, 3 J]`."""
    return windows.skeletons.reshape(*windows.skeletons.shape[:2], -1)


def measures(windows: Windows) -> np.ndarray:
    """Coordinates and distances between joints, see `WindowMeasures`, `[M, D]`."""
    measure = WindowMeasures()
    found = np.empty(measure.compute_output_shape(windows.skeletons.shape), "float32")
    for start in range(0, len(found), MEASURED_AT_ONCE):
        rows = slice(start, start + MEASURED_AT_ONCE)
        found[rows] = keras.ops.convert_to_numpy(measure(windows.skeletons[rows]))
    return found


def encoder_states(encoder: GaitEncoder, windows: Windows) -> np.ndarray:
    """The states h of an encoder's last layer in place of AGEs, `[M, f, 3 k]`: x, y and z joined."""
    return encode(encoder, windows.skeletons, "states", "encoder states")


class UntrainedAGEs:
    """The AGEs `[M, f, 3 k]` of an encoder as it is drawn for the first windows, never trained.

    Args:
        like: The encoder whose sizes, attention and feed it has.
    """

    def __init__(self, like: GaitEncoder) -> None:
        self._config = like.get_config()
        self._encoder: GaitEncoder | None = None

    def __call__(self, windows: Windows) -> np.ndarray:
        """The AGEs of windows."""
        if self._encoder is None:
            self._encoder = GaitEncoder.from_config(self._config)
            self._encoder.build((None, *windows.skeletons.shape[1:]))
        return encode(self._encoder, windows.skeletons, "ages", "AGEs of no training")


def recognizer(manner: str, **changes: Any) -> Build:
    """A recognizer on features as they are, by a recipe that is the caller's but for the changes."""
    return lambda persons, features, recipe: make_recognizer(replace(recipe, **changes), persons, manner, features)


def lstm(layers: int) -> Build:
    """LSTM layers over the frames of a window, and logits from the last one's state at the end."""

    def build(persons: int, features: np.ndarray, recipe: Recipe) -> keras.Model:
        normalization = keras.layers.Normalization()
        normalization.adapt(features)
        return keras.Sequential(
            [
                keras.Input(features.shape[1:]),
                normalization,
                *(keras.layers.LSTM(LSTM_UNITS, return_sequences=True) for _ in range(layers - 1)),
                keras.layers.LSTM(LSTM_UNITS),
                keras.layers.Dropout(recipe.dropout),
                keras.layers.Dense(persons),
            ]
        )

    return build
