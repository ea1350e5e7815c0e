"""How the models read what Keras users feed them: arrays, dicts of features, tf.data."""

import contextlib
import types
import warnings
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

DEFAULT_BATCH = 128
KERAS_BATCH = 32


def skeletons_of(inputs: Any) -> Any:
    """The skeletons of a tensor, of a list that holds nothing else, or of a dict that has them as `"skeleton"`."""
    if isinstance(inputs, list) and len(inputs) == 1:
        return skeletons_of(inputs[0])
    if not isinstance(inputs, dict):
        return inputs
    if "skeleton" not in inputs:
        raise ValueError(f'inputs: expected a dict with "skeleton", received keys {sorted(inputs)}.')
    return inputs["skeleton"]


def unlabelled(data: Any, batch_size: int | None = None) -> Any:
    """Windows alone, in batches: what self-supervised training reads of a `tf.data.Dataset`, an array or a dict."""
    if not hasattr(data, "element_spec"):
        return skeletons_of(data)

    def windows(*element: Any) -> Any:
        return skeletons_of(element[0])

    data = data.map(windows)
    single_windows = data.element_spec.shape.rank == 3
    return data.batch(batch_size or DEFAULT_BATCH) if single_windows else data


def in_order(data: Any, batch_size: int | None = None) -> Any:
    """What `predict` reads: an array on TensorFlow as a data set that does not keep its end waiting, else as it is.

    Keras takes a list for several inputs; one that holds a single array is that array.
    """
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    if keras.backend.backend() != "tensorflow" or not isinstance(data, np.ndarray) or not len(data):
        return data
    from agegait.data import batches

    if np.issubdtype(data.dtype, np.floating):
        data = data.astype(keras.config.floatx(), copy=False)
    return batches(data, batch_size or KERAS_BATCH)


def unshuffled(data: Any, options: dict[str, Any]) -> None:
    """Sets `shuffle` in options of `fit` for data that Keras does not shuffle, and would warn of."""
    if hasattr(data, "element_spec") or isinstance(data, types.GeneratorType):
        options.setdefault("shuffle", False)


@contextlib.contextmanager
def any_length(steps: int | None = None) -> Iterator[None]:
    """Without Keras's warning at the end of a data set whose length it did not know, such as windows of walks.

    Where somebody says how many steps there are, a data set that ends before them is worth the warning.
    """
    with warnings.catch_warnings():
        if steps is None:
            warnings.filterwarnings("ignore", message="Your input ran out of data")
        yield
