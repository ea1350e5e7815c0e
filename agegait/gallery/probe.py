from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agegait.gallery.poor_walk_error import PoorWalkError
from agegait.gallery.quality import Quality
from agegait.recordings.walk import Walk
from agegait.thresholds.embedder import Embedder

AnyWalk = NDArray[np.floating] | Walk
"""`[T, J, 3]` metres, or a walk with what of it was tracked."""


@dataclass(frozen=True, eq=False)
class Probe:
    """A walk that is good enough, as an embedding: what a gallery compares.

    Attributes:
        embedding: `[D]` float32, of unit length.
        quality: Of the walk.

    Example:
        >>> quality = agegait.gallery.Quality(90, 1.0, 0.1, "")
        >>> agegait.gallery.Probe(np.array([0.6, 0.8], "float32"), quality).quality.frames
        90
    """

    embedding: NDArray[np.float32]
    quality: Quality

    @classmethod
    def of_walks(cls, embedder: Embedder, argument: str, walks: AnyWalk | Sequence[AnyWalk]) -> list["Probe"]:
        """Measures and embeds walks; those of another frame rate than the embedder's are resampled.

        Raises:
            ValueError: No walk, or something else.
            PoorWalkError: A walk that nobody can be recognised by.
        """
        if isinstance(walks, Walk) or (isinstance(walks, np.ndarray) and walks.ndim == 3):
            walks = [walks]
        if not len(walks):
            raise ValueError(f"{argument}: expected at least one walk, received none.")
        skeletons, qualities = [], []
        for number, walk in enumerate(walks):
            named = argument if argument == "walk" else f"{argument}, walk {number}"
            try:
                if isinstance(walk, Walk):
                    walk = walk.at_rate(embedder.frame_rate)
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
