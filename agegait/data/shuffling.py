"""Training batches whose order depends on the seed and the epoch alone."""

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from agegait.data.batching import untuned


def shuffled_epochs(
    arrays: Sequence[np.ndarray], batch_size: int, seed: int, epochs: int, first_epoch: int = 0
) -> tf.data.Dataset:
    """Batches of rows of arrays held in memory, epoch after epoch in one data set.

    An epoch's order is drawn from the seed and its number, so that a training resumed at some epoch sees what
    one that never stopped would have seen. Use with `fit(..., steps_per_epoch=ceil(rows / batch_size))`.

    Args:
        arrays: Arrays with as many rows each.
        batch_size: Rows of a batch; an epoch's last batch may have fewer.
        seed: Of the orders.
        epochs: The epoch to stop before.
        first_epoch: The epoch to begin with.

    Returns:
        Tuples of batches, one for each array; a single array's batches without a tuple.

    Raises:
        ValueError: Arrays of different numbers of rows.
    """
    rows = len(arrays[0])
    if any(len(array) != rows for array in arrays):
        raise ValueError(f"arrays: expected as many rows each, received {[len(array) for array in arrays]}.")
    held = list(arrays)
    types = [tf.as_dtype(array.dtype) for array in held]
    shapes = [(None, *array.shape[1:]) for array in held]

    def batches(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(
            tf.range(rows), seed=tf.stack([tf.cast(seed, tf.int64), epoch])
        )
        return tf.data.Dataset.from_tensor_slices(order).batch(batch_size)

    def gather(indices: tf.Tensor) -> Any:
        # By NumPy, where the rows are: TensorFlow would hold gigabytes of AGEs a second time.
        batch = tf.numpy_function(lambda chosen: [array[chosen] for array in held], [indices], types, stateful=False)
        for rows_of, shape in zip(batch, shapes, strict=True):
            rows_of.set_shape(shape)
        return tuple(batch) if len(batch) > 1 else batch[0]

    orders = tf.data.Dataset.range(first_epoch, epochs).flat_map(batches)
    dataset = untuned(orders.map(gather, num_parallel_calls=2).prefetch(4))
    # TensorFlow never lets go of a Python function, so the arrays are taken out of this one.
    weakref.finalize(dataset, held.clear)
    return dataset
