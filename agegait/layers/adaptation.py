from collections.abc import Callable
from typing import Any

import keras
import numpy as np


def gather(data: Any, select: Callable[[Any], Any] = lambda batch: batch) -> np.ndarray:
    """All that `adapt` is given, as one array: an array itself, or the batches of a data set joined.

    Args:
        data: An array, or batches: a `tf.data.Dataset`, a `keras.utils.PyDataset` or another iterable. Of batches that
            are tuples only the inputs are read, not the labels.
        select: What is taken of inputs, such as a feature of a dictionary.

    Raises:
        ValueError: A data set without an end or without batches, or something else than numbers.
    """
    if hasattr(data, "shape") or isinstance(data, list | dict):
        parts = [data]
    elif hasattr(data, "cardinality") and int(data.cardinality()) == -1:
        raise ValueError("data: expected a data set with an end, received one that repeats without end.")
    elif isinstance(data, keras.utils.PyDataset):
        parts = [data[number] for number in range(data.num_batches or 0)]
    else:
        parts = list(data)
    inputs = [select(part[0] if isinstance(part, tuple) else part) for part in parts]
    arrays = [np.asarray(array if isinstance(array, list) else keras.ops.convert_to_numpy(array)) for array in inputs]
    if not arrays or any(array.dtype.kind in "OSU" for array in arrays):
        received = f"an array of {arrays[0].dtype}" if arrays else "no batches"
        raise ValueError(f"data: expected an array of numbers or batches of them, received {received}.")
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
