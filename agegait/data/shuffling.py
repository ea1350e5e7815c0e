"""Training batches whose order depends on the seed and the epoch alone."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf


def shuffled_epochs(
    arrays: Sequence[np.ndarray], batch_size: int, seed: int, epochs: int, first_epoch: int = 0
) -> tf.data.Dataset:
    """Batches of rows of arrays held in memory, epoch after epoch in one data set.

    An epoch's order is drawn from the seed and its number, so that a training taken up again at some epoch sees what
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
    arrays = tuple(np.asarray(array) for array in arrays)

    types = [tf.as_dtype(array.dtype) for array in arrays]

    def batches(epoch):
        order = tf.random.experimental.stateless_shuffle(
            tf.range(rows), seed=tf.stack([tf.cast(seed, tf.int64), epoch])
        )
        return tf.data.Dataset.from_tensor_slices(order).batch(batch_size)

    def gather(indices):
        # By NumPy, where the rows are: TensorFlow would hold gigabytes of AGEs a second time.
        batch = tf.numpy_function(lambda chosen: [array[chosen] for array in arrays], [indices], types, stateful=False)
        for rows_of, array in zip(batch, arrays, strict=True):
            rows_of.set_shape((None, *array.shape[1:]))
        return tuple(batch) if len(batch) > 1 else batch[0]

    return tf.data.Dataset.range(first_epoch, epochs).flat_map(batches).map(gather, num_parallel_calls=2).prefetch(4)
