"""Walks cut into windows."""

import tensorflow as tf

PER_FRAME = ("skeleton", "tracked")
"""Features of a walk that have a value for each frame; the others are labels of the whole walk."""


def windows(walks: tf.data.Dataset, frames: int = 6, stride: int = 6) -> tf.data.Dataset:
    """Cuts walks into windows, in order, walk after walk; a walk's labels are carried along to each of its windows.

    Frames at the end of a walk that fill no window are left out; a walk shorter than a window gives none.

    Args:
        walks: Examples as `tfds.load` gives them: `"skeleton"` `[T, J, 3]`, perhaps `"tracked"` `[T, J]`, labels.
        frames: Frames f of a window.
        stride: Frames from the start of a window to the next; `stride=frames` is no overlap.

    Returns:
        The same features, a window each: `"skeleton"` `[f, J, 3]`. Batch it, or let `GaitEncoder.fit` do so.

    Raises:
        ValueError: frames or stride below 1, or walks without `"skeleton"`.

    Example:
        >>> walks = tfds.load("walkers", split="train")
        >>> encoder.fit(agegait.data.windows(walks).shuffle(10_000).batch(128))
    """
    if frames < 1 or stride < 1:
        raise ValueError(f"frames, stride: expected at least 1, received {frames} and {stride}.")
    if not isinstance(walks.element_spec, dict) or "skeleton" not in walks.element_spec:
        raise ValueError(f'walks: expected examples with "skeleton", received {walks.element_spec}.')

    def cut(walk):
        count = tf.maximum((tf.shape(walk["skeleton"])[0] - frames) // stride + 1, 0)
        positions = tf.range(count)[:, None] * stride + tf.range(frames)
        return tf.data.Dataset.from_tensor_slices(
            {
                name: tf.gather(value, positions) if name in PER_FRAME else tf.repeat(value[None], count, axis=0)
                for name, value in walk.items()
            }
        )

    return walks.flat_map(cut)
