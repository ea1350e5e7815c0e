from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agegait.recordings.walk import Walk
from agegait.skeletons import JOINTS, limbs

MIN_FRAMES = 30
"""A second: shorter walks have no whole step of each leg."""

MIN_TRACKED = 0.6
"""The least share of joints that a sensor saw."""


@dataclass(frozen=True)
class Quality:
    """How good a walk is to recognise somebody by.

    Attributes:
        frames: How many frames it has.
        tracked: Share of the joints of all frames that the sensor saw, in 0..1; 1 where the recording does not say.
        steadiness: By which part the lengths of limbs change from frame to frame, the median over limbs: 0.05 to 0.15
            for a Kinect; None for other joints than the 20 canonical ones.
        fault: Why it is not good enough; empty where it is.

    Example:
        >>> walk = np.repeat(agegait.skeletons.STANDING[None], 60, axis=0)
        >>> agegait.gallery.Quality.of(walk).fault
        ''
        >>> agegait.gallery.Quality.of(walk[:10]).fault
        'expected at least 30 frames, received 10'
    """

    frames: int
    tracked: float
    steadiness: float | None
    fault: str

    @classmethod
    def of(cls, walk: NDArray[np.floating] | Walk) -> "Quality":
        """Measures a walk.

        Args:
            walk: `[T, J, 3]` metres, or a walk with what of it was tracked.

        Raises:
            ValueError: Something else than a walk.
        """
        tracked = walk.tracked if isinstance(walk, Walk) else None
        skeleton = np.asarray(walk.skeleton if isinstance(walk, Walk) else walk)
        if skeleton.dtype.kind not in "fiu" or skeleton.ndim != 3 or skeleton.shape[2] != 3 or not skeleton.shape[1]:
            shape = list(skeleton.shape) if skeleton.dtype.kind in "fiu" else type(walk).__name__
            raise ValueError(f"walk: expected [T, J, 3], received {shape}.")
        share = 1.0 if tracked is None else float(np.mean(tracked))
        faults, steadiness = [], None
        if len(skeleton) < MIN_FRAMES:
            faults.append(f"expected at least {MIN_FRAMES} frames, received {len(skeleton)}")
        if not np.isfinite(skeleton).all():
            faults.append("expected finite coordinates, received NaN or infinity")
        elif share < MIN_TRACKED:
            faults.append(f"expected at least {MIN_TRACKED:.0%} of the joints to be tracked, received {share:.0%}")
        elif len(skeleton) and skeleton.shape[1] == len(JOINTS):
            measured = {"skeleton": skeleton} if tracked is None else {"skeleton": skeleton, "tracked": tracked}
            summary = limbs.summarize([measured])
            if not np.isnan(summary.steadiness).all():
                steadiness = float(np.nanmedian(summary.steadiness))
            faults += [f"expected limbs as bodies have them: {fault}" for fault in limbs.faults(summary)[:1]]
        return cls(len(skeleton), share, steadiness, "; ".join(faults))
