"""Walks as users have them, at the frame rate that a model was trained at."""

from collections.abc import Sequence

import numpy as np

from agegait.recordings.frame_rates import FrameRates, rates_of
from agegait.recordings.resampling import at_rate
from agegait.recordings.walk import Walk

AnyWalks = np.ndarray | Walk | Sequence[np.ndarray | Walk]
"""One walk `[T, J, 3]`, walks of one length `[B, T, J, 3]`, or a sequence of walks of any lengths."""


def walks_at_rate(walks: AnyWalks, frame_rate: FrameRates, wanted: float | None) -> list[np.ndarray]:
    """The skeletons of walks, float32, those of another frame rate resampled.

    A walk whose rate nobody knows is taken to be at the model's. Nothing else is checked here, but by the models.

    Args:
        walks: What the user has. The rate of a `Walk` that knows its own counts.
        frame_rate: That of the others.
        wanted: The model's; None where it does not know.

    Raises:
        ValueError: A rate that is none, another number of rates than walks, a rate for a model that does not know its
            own, or a walk that would have too many frames.
    """
    if isinstance(walks, Walk) or (isinstance(walks, np.ndarray) and walks.ndim == 3):
        walks = [walks]
    elif not isinstance(walks, Sequence):
        walks = list(np.asarray(walks))
    rates = rates_of(frame_rate, len(walks))
    if wanted is None and any(rate is not None for rate in rates):
        raise ValueError(
            "frame_rate: expected none, as the model does not know the one that it was trained at, received "
            f"{frame_rate}."
        )
    return [_at_rate(number, walk, rate, wanted) for number, (walk, rate) in enumerate(zip(walks, rates, strict=True))]


def _at_rate(number: int, walk: np.ndarray | Walk, rate: float | None, wanted: float | None) -> np.ndarray:
    if isinstance(walk, Walk):
        rate = walk.frame_rate or rate
    skeleton = np.asarray(walk.skeleton if isinstance(walk, Walk) else walk, "float32")
    # What is no walk is left for the model to refuse.
    if wanted is None or skeleton.ndim != 3 or not np.isfinite(skeleton).all():
        return skeleton
    try:
        return at_rate(skeleton, rate, wanted)
    except ValueError as error:
        raise ValueError(f"walk {number}: {error}") from None
