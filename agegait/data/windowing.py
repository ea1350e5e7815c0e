"""Walks cut into windows."""

from collections.abc import Iterable

import tensorflow as tf

PER_FRAME = ("skeleton", "tracked")
"""Features of a walk that have a value for each frame; the others are labels of the whole walk."""


def windows(
    walks: tf.data.Dataset,
    frames: int = 6,
    stride: int = 6,
    starts: Iterable[int] = (0,),
    center: int | None = None,
) -> tf.data.Dataset:
    """Cuts walks into windows, in order, walk after walk; a walk's labels are carried along to each of its windows.

    Frames at the end of a walk that fill no window are left out; a walk shorter than a window gives none.

    Args:
        walks: Examples as `tfds.load` gives them: `"skeleton"` `[T, J, 3]`, perhaps `"tracked"` `[T, J]`, labels.
        frames: Frames f of a window.
        stride: Frames from the start of a window to the next; `stride=frames` is no overlap.
        starts: Frames of a walk to start cutting from, one after another; a window that several of them lead to comes
            as often.
        center: Index of the joint that is moved to the origin of each frame. Models learn from windows that are centred
            on the hip, joint 0 of the canonical ones. None leaves windows where they were recorded.

    Returns:
        The same features, a window each: `"skeleton"` `[f, J, 3]`. Batch it, or let `GaitEncoder.fit` do so.

    Raises:
        ValueError: frames or stride below 1, a start below 0 or none, a centre below 0, or walks without `"skeleton"`.

    Example:
        >>> walks = tf.data.Dataset.from_tensors({"skeleton": np.random.default_rng(0).normal(2, 1, (13, 20, 3))})
        >>> windows = agegait.data.windows(walks, center=0)
        >>> [window["skeleton"].shape for window in windows.as_numpy_iterator()]
        [(6, 20, 3), (6, 20, 3)]
        >>> batches = windows.shuffle(10_000).batch(128)  # for `GaitEncoder.fit`
    """
    if frames < 1 or stride < 1:
        raise ValueError(f"frames, stride: expected at least 1, received {frames} and {stride}.")
    starts = list(starts)
    if not starts or min(starts) < 0:
        raise ValueError(f"starts: expected frames from 0, received {starts}.")
    if center is not None and center < 0:
        raise ValueError(f"center: expected the index of a joint or None, received {center}.")
    if not isinstance(walks.element_spec, dict) or "skeleton" not in walks.element_spec:
        raise ValueError(f'walks: expected examples with "skeleton", received {walks.element_spec}.')

    def cut(walk: dict[str, tf.Tensor]) -> tf.data.Dataset:
        if center is not None:
            skeleton = walk["skeleton"]
            walk = {**walk, "skeleton": skeleton - skeleton[:, center : center + 1]}
        end = tf.shape(walk["skeleton"])[0] - frames + 1
        firsts = tf.concat([tf.range(start, tf.maximum(start, end), stride) for start in starts], axis=0)
        positions = firsts[:, None] + tf.range(frames)
        return tf.data.Dataset.from_tensor_slices(
            {
                name: tf.gather(value, positions)
                if name in PER_FRAME
                else tf.repeat(value[None], tf.size(firsts), axis=0)
                for name, value in walk.items()
            }
        )

    return walks.flat_map(cut)
