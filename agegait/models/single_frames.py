"""Windows of AGEs as the single frames that a recognizer of manner `"ap"` trains on."""

import types
from typing import Any

import keras
import numpy as np


def single_frames(ages: Any, *labels: Any) -> tuple[Any, ...]:
    """Frames `[M f, D]` of windows `[M, f, D]`, and each window's labels or weights repeated for its frames.

    Single frames `[M, D]` stay as they are, and so does None in place of labels.
    """
    if np.ndim(ages) != 3:
        return ages, *labels
    ages = keras.ops.convert_to_numpy(ages)
    _, frames, size = ages.shape
    repeated = (None if label is None else np.repeat(np.asarray(label), frames, axis=0) for label in labels)
    return np.reshape(ages, (-1, size)), *repeated


def batches_of_frames(batches: Any) -> Any:
    """The same for batches: a `tf.data.Dataset`, a `keras.utils.PyDataset` or a generator.

    Raises:
        ValueError: Something else.
    """
    if hasattr(batches, "element_spec"):
        from agegait.data import single_frames as of_data_set

        return of_data_set(batches)
    if isinstance(batches, keras.utils.PyDataset):
        return _SingleFrames(batches)
    if isinstance(batches, types.GeneratorType):
        return (single_frames(*batch) for batch in batches)
    expected = "an array, a tf.data.Dataset, a keras.utils.PyDataset or a generator"
    raise ValueError(f"x: expected {expected}, received {type(batches).__name__}.")


class _SingleFrames(keras.utils.PyDataset):
    def __init__(self, batches: keras.utils.PyDataset) -> None:
        super().__init__(batches.workers, batches.use_multiprocessing, batches.max_queue_size)
        self.batches = batches

    @property
    def num_batches(self) -> int | None:
        return self.batches.num_batches

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return single_frames(*self.batches[index])

    def on_epoch_begin(self) -> None:
        self.batches.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self.batches.on_epoch_end()
