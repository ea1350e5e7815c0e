"""Walks of several lengths in one batch."""

from collections.abc import Sequence

import numpy as np


def padded(walks: Sequence[np.ndarray], frames: int | None = None) -> dict[str, np.ndarray]:
    """Walks side by side, zeros behind the end of those that are shorter than others.

    Args:
        walks: Each `[T, J, 3]`, at least one.
        frames: Frames to pad to; those of the longest walk where absent.

    Returns:
        `"skeleton"` `[B, T, J, 3]` float32 and `"length"` `[B]` int32, as `agegait.GaitEmbedder` takes them.

    Raises:
        ValueError: No walks, walks of other joints than the first, or a walk that is longer than `frames`.

    Example:
        >>> agegait.data.padded([np.ones((2, 20, 3)), np.ones((5, 20, 3))])["skeleton"].shape
        (2, 5, 20, 3)
    """
    if not len(walks):
        raise ValueError("walks: expected at least one walk, received none.")
    lengths = np.array([len(walk) for walk in walks], "int32")
    frames = int(lengths.max()) if frames is None else frames
    if lengths.max() > frames:
        raise ValueError(f"walks: expected at most {frames} frames, received {lengths.max()}.")
    shape = np.shape(walks[0])[1:]
    skeletons = np.zeros((len(walks), frames, *shape), "float32")
    for row, walk in zip(skeletons, walks, strict=True):
        if np.shape(walk)[1:] != shape:
            raise ValueError(f"walks: expected {list(shape)} a frame, as the first has, received {list(walk.shape)}.")
        row[: len(walk)] = walk
    return {"skeleton": skeletons, "length": lengths}
