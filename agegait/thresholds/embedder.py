from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Embedder(Protocol):
    """What a gallery asks of an embedder; `agegait.GaitEmbedder` is one."""

    @property
    def embedding_size(self) -> int:
        """Size D of an embedding."""
        ...

    @property
    def frame_rate(self) -> float:
        """Frames a second of the walks that it takes."""
        ...

    def embed(self, walks: Sequence[NDArray[np.floating]]) -> NDArray[np.float32]:
        """Embeddings `[W, D]` of walks `[T, J, 3]` of any lengths."""
        ...

    def fingerprint(self) -> str:
        """What no other embedder has."""
        ...
