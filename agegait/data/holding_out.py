"""Training and validation out of the same walks, where people have too few to keep one apart."""

import tensorflow as tf

from agegait.data.windowing import PER_FRAME


def hold_out(walks: tf.data.Dataset, share: float = 0.2, end: bool = False) -> tf.data.Dataset:
    """Keeps the first part of each walk in time, or the part at its end that is held out of the first.

    The two parts of a walk overlap in no frame and leave none out. Apply what leaves frames out of walks, as a
    `Preparation` does, before this, or it takes its share of both parts.

    Args:
        walks: Examples as `tfds.load` gives them: `"skeleton"` `[T, J, 3]`, perhaps `"tracked"` `[T, J]`, labels.
        share: Share of a walk's frames that is held out at its end, rounded to whole frames.
        end: Whether to keep what is held out, not what is before it.

    Returns:
        The same features, fewer frames.

    Raises:
        ValueError: A share that is not between 0 and 1, or walks without `"skeleton"`.

    Example:
        >>> walks = tfds.load("biwi", split="train")
        >>> train, validation = hold_out(walks), hold_out(walks, end=True)
    """
    if not 0 < share < 1:
        raise ValueError(f"share: expected more than 0 and less than 1, received {share}.")
    if not isinstance(walks.element_spec, dict) or "skeleton" not in walks.element_spec:
        raise ValueError(f'walks: expected examples with "skeleton", received {walks.element_spec}.')

    def part(walk: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        frames = tf.shape(walk["skeleton"])[0]
        first = frames - tf.cast(tf.round(share * tf.cast(frames, tf.float32)), tf.int32)
        return {
            name: (value[first:] if end else value[:first]) if name in PER_FRAME else value
            for name, value in walk.items()
        }

    return walks.map(part, num_parallel_calls=tf.data.AUTOTUNE)
