from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agegait.gallery.embedder import Embedder
from agegait.gallery.poor_walk_error import PoorWalkError
from agegait.gallery.quality import Quality
from agegait.recordings.walk import Walk

AnyWalk = NDArray[np.floating] | Walk
"""`[T, J, 3]` metres, or a walk with what of it was tracked."""

_FRAME_RATES = 0.1
"""By which part a walk's frame rate may be another than the embedder's."""


@dataclass(frozen=True, eq=False)
class Probe:
    """A walk that is good enough, as an embedding.

    Attributes:
        embedding: `[D]` float32, of unit length.
        quality: Of the walk.
    """

    embedding: NDArray[np.float32]
    quality: Quality

    @classmethod
    def of_walks(cls, embedder: Embedder, argument: str, walks: AnyWalk | Sequence[AnyWalk]) -> list["Probe"]:
        """Measures and embeds walks.

        Raises:
            ValueError: No walk, something else, or another frame rate than the embedder's.
            PoorWalkError: A walk that nobody can be recognised by.
        """
        if isinstance(walks, Walk) or (isinstance(walks, np.ndarray) and walks.ndim == 3):
            walks = [walks]
        if not len(walks):
            raise ValueError(f"{argument}: expected at least one walk, received none.")
        skeletons, qualities = [], []
        for number, walk in enumerate(walks):
            named = argument if argument == "walk" else f"{argument}, walk {number}"
            rate = walk.frame_rate if isinstance(walk, Walk) else None
            if rate is not None and abs(rate / embedder.frame_rate - 1) > _FRAME_RATES:
                raise ValueError(
                    f"{named}: expected {embedder.frame_rate:g} frames a second, received {rate:g}: "
                    f"resample={embedder.frame_rate:g} where it is loaded."
                )
            try:
                quality = Quality.of(walk)
            except ValueError as error:
                raise ValueError(f"{named}: {str(error).removeprefix('walk: ')}") from None
            if quality.fault:
                raise PoorWalkError(named, quality)
            qualities.append(quality)
            skeletons.append(np.asarray(walk.skeleton if isinstance(walk, Walk) else walk, "float32"))
        embeddings = np.asarray(embedder.embed(skeletons), "float64")
        lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
        if embeddings.shape != (len(walks), embedder.embedding_size) or not (lengths > 0).all():
            raise ValueError(f"embedder: expected embeddings other than 0, received {list(embeddings.shape)}.")
        unit = (embeddings / lengths).astype("float32")
        return [cls(embedding, quality) for embedding, quality in zip(unit, qualities, strict=True)]
