"""What is done to walks before they are cut into windows: the papers' recipe, by name of the data set."""

from dataclasses import dataclass

import tensorflow as tf


@dataclass(frozen=True)
class Preparation:
    """Which frames of a walk are kept.

    Attributes:
        clip: Frames left out at each end of a walk, where people start and stop.
        drop_untracked: Whether a frame in which a joint was not tracked is left out.
    """

    clip: int = 0
    drop_untracked: bool = False

    def __call__(self, walks: tf.data.Dataset) -> tf.data.Dataset:
        """Walks with the frames that are kept, their labels unchanged.

        Raises:
            ValueError: Untracked frames are to be left out of walks that do not say what was tracked.
        """
        if self.drop_untracked and "tracked" not in walks.element_spec:
            raise ValueError(f'walks: expected examples with "tracked", received {sorted(walks.element_spec)}.')
        return walks.map(self._keep, num_parallel_calls=tf.data.AUTOTUNE)

    def _keep(self, walk):
        per_frame = {name: walk[name] for name in ("skeleton", "tracked") if name in walk}
        if self.drop_untracked:
            kept = tf.reduce_all(walk["tracked"], axis=-1)
            per_frame = {name: tf.boolean_mask(value, kept) for name, value in per_frame.items()}
        if self.clip:
            per_frame = {name: value[self.clip : -self.clip] for name, value in per_frame.items()}
        return {**walk, **per_frame}


PREPARATIONS = {
    "biwi": Preparation(clip=10, drop_untracked=True),
    "ias": Preparation(clip=10, drop_untracked=True),
    "kgbd": Preparation(clip=10),
    "walkers": Preparation(),
}
"""The papers' preparation of each data set; the generated walkers neither start nor stop."""
