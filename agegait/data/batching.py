"""Batches of arrays in their order, and data sets that end when their last batch is taken."""

import numpy as np
import tensorflow as tf


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The same data set without TensorFlow's tuner, for pipelines that leave it nothing to choose.

    An iterator that ends waits for its tuner to wake up, which sleeps twice as long every time: up to as long again as
    the data set was read, a minute at most (seen with TensorFlow 2.21).
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def batches(arrays: np.ndarray | tuple[np.ndarray, ...], batch_size: int) -> tf.data.Dataset:
    """Rows of an array, or of several with as many rows each, in their order.

    Args:
        arrays: An array, or a tuple of them.
        batch_size: Rows of a batch; the last one may have fewer.

    Returns:
        Batches as the arrays are given: alone, or in tuples.

    Raises:
        ValueError: Arrays of different numbers of rows.
    """
    return untuned(tf.data.Dataset.from_tensor_slices(arrays).batch(batch_size).prefetch(2))


def single_frames(windows: tf.data.Dataset) -> tf.data.Dataset:
    """Batches of windows `([B, f, D], labels [B], ...)` as batches of their frames `([B f, D], labels [B f], ...)`.

    Batches of single frames stay as they are.
    """

    def frames_of(ages: tf.Tensor, *labels: tf.Tensor) -> tuple[tf.Tensor, ...]:
        if len(ages.shape) != 3:
            return ages, *labels
        shape = tf.shape(ages)
        repeated = (tf.repeat(label, shape[1], axis=0) for label in labels)
        return tf.reshape(ages, (-1, ages.shape[-1])), *repeated

    return windows.map(frames_of)
