"""What an encoder makes of many windows, for a recognizer to know people by."""

import keras
import numpy as np

from agegait.models import GaitEncoder
from agegait.training.callbacks import ProgressLine

FEATURE_BATCH = 512


def encode(encoder: GaitEncoder, skeletons: np.ndarray, features: str, task: str) -> np.ndarray:
    """The features of windows, a batch at a time.

    Args:
        encoder: Trained or not.
        skeletons: `[M, f, J, 3]` metres, normalized.
        features: `"ages"`, or `"states"` for the encoder's outputs, which AGEs are made of.
        task: The name of a line of progress.

    Returns:
        `[M, f, 3 k]` float32.
    """
    progress = ProgressLine(task, len(skeletons))
    if features == "states":
        found = encoder.states(skeletons, batch_size=FEATURE_BATCH, verbose=0, callbacks=[progress])
        return np.asarray(found, dtype="float32")
    # Straight into their place: `predict` would hold gigabytes in pieces and then once more in one.
    ages = np.empty((*skeletons.shape[:2], encoder.AXES * encoder.units), "float32")
    starts = range(0, len(skeletons), FEATURE_BATCH)
    callbacks = keras.callbacks.CallbackList([progress], model=encoder, steps=len(starts))
    callbacks.on_predict_begin()
    for number, start in enumerate(starts):
        rows = slice(start, start + FEATURE_BATCH)
        ages[rows] = encoder.predict_on_batch(skeletons[rows])["ages"]
        callbacks.on_predict_batch_end(number)
    callbacks.on_predict_end()
    return ages
