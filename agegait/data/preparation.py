"""What the papers do to walks before a model sees them: a recipe of each data set, by its name."""

from dataclasses import dataclass

import tensorflow as tf

from agegait.data.windowing import windows


@dataclass(frozen=True)
class Preparation:
    """A recipe: which frames of a walk are kept, and how windows are cut from them.

    Calling it leaves frames out of walks; `windows` is the whole recipe, from walks as they were recorded to windows.

    Attributes:
        clip: Frames left out at each end of a walk, where people start and stop; untracked ones are left out before.
        drop_untracked: Whether a frame in which a joint was not tracked is left out.
        overlap: Whether training windows are cut f // 2 frames apart from each start 0..f-1, not f apart from the
            first frame. That is the published recipe: most windows come twice, once each from two of the starts.

    Example:
        >>> walks = tfds.load("biwi", split="train")
        >>> windows = agegait.data.PREPARATIONS["biwi"].windows(walks, frames=6, training=True)
    """

    clip: int = 0
    drop_untracked: bool = False
    overlap: bool = False

    def __call__(self, walks: tf.data.Dataset) -> tf.data.Dataset:
        """Walks with the frames that are kept, their labels unchanged.

        Raises:
            ValueError: Untracked frames are to be left out of walks that do not say what was tracked.
        """
        if self.drop_untracked and "tracked" not in walks.element_spec:
            raise ValueError(f'walks: expected examples with "tracked", received {sorted(walks.element_spec)}.')
        return walks.map(self._keep, num_parallel_calls=tf.data.AUTOTUNE)

    def windows(self, walks: tf.data.Dataset, frames: int = 6, training: bool = False) -> tf.data.Dataset:
        """The whole recipe: frames left out, windows cut, the hip at the origin.

        Args:
            walks: Examples as `tfds.load` gives them: `"skeleton"` `[T, J, 3]`, perhaps `"tracked"` `[T, J]`, labels.
            frames: Frames f of a window.
            training: Whether the windows are to be trained on. Windows of a test never overlap.

        Returns:
            The same features, a window each: `"skeleton"` `[f, J, 3]`.

        Raises:
            ValueError: As `agegait.data.windows`, and as calling the recipe.
        """
        return self.cut(self(walks), frames, training, center=0)

    def cut(
        self, walks: tf.data.Dataset, frames: int = 6, training: bool = False, center: int | None = None
    ) -> tf.data.Dataset:
        """Cuts windows as `windows` does, from walks whose frames were left out before; centred only on request."""
        if training and self.overlap:
            return windows(walks, frames, stride=max(frames // 2, 1), starts=range(frames), center=center)
        return windows(walks, frames, stride=frames, center=center)

    def _keep(self, walk: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        per_frame: dict[str, tf.Tensor] = {name: walk[name] for name in ("skeleton", "tracked") if name in walk}
        if self.drop_untracked:
            kept = tf.reduce_all(walk["tracked"], axis=-1)
            per_frame = {name: tf.boolean_mask(value, kept) for name, value in per_frame.items()}
        if self.clip:
            per_frame = {name: value[self.clip : -self.clip] for name, value in per_frame.items()}
        return {**walk, **per_frame}


PREPARATIONS = {
    "biwi": Preparation(clip=10, drop_untracked=True, overlap=True),
    "ias": Preparation(clip=10, drop_untracked=True, overlap=True),
    "kgbd": Preparation(clip=10),
    "walkers": Preparation(),
}
"""The papers' recipe of each data set; the generated walkers neither start nor stop."""
