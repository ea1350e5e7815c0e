"""Has Keras compile nothing: a graph for each shape costs more than all that small models compute."""

import contextlib

import keras
import pytest


@contextlib.contextmanager
def without_graphs():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.Model, "run_eagerly", property(lambda model: True, lambda model, value: None))
        yield
