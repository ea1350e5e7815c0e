from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Template:
    """What a gallery keeps of a walk.

    Attributes:
        embedding: `[D]` float32, of unit length.
        frames: Frames of the walk.
        tracked: Share of its joints that were tracked.
        steadiness: By which part limbs changed, see `Quality`.
        enrolled: When.

    Example:
        >>> from datetime import UTC, datetime
        >>> embedding = np.array([0.6, 0.8], "float32")
        >>> agegait.gallery.Template(embedding, 90, 1.0, 0.1, datetime(2030, 1, 1, tzinfo=UTC)).frames
        90
    """

    embedding: NDArray[np.float32]
    frames: int
    tracked: float
    steadiness: float | None
    enrolled: datetime
