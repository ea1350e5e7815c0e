"""Which joints the sensor saw."""

import numpy as np

LEAST_CONFIDENCE = 0.5
"""From which confidence, visibility or likelihood on a joint counts as tracked."""

STATES = {
    **dict.fromkeys(("false", "nottracked", "not_tracked", "not tracked", "untracked", "none", "no"), 0.0),
    **dict.fromkeys(("true", "inferred", "low", "yes"), 1.0),
    **{"tracked": 2.0, "medium": 2.0, "high": 3.0},
}
"""Words for whether a joint was tracked, and for how sure Azure Kinect is of it."""


def tracked_of(states: np.ndarray, source: str) -> np.ndarray:
    """Tells which joints were tracked by what a file says of them.

    Whole numbers are states: 0 is untracked; 1 and more, which sensors give to joints that they inferred or are sure
    of, are tracked, as where the papers drop untracked frames. Others are confidences, from `LEAST_CONFIDENCE` on
    tracked. Where the file is silent (NaN), the joint is not.

    Args:
        states: [...], float
        source: What they are called in errors.

    Returns:
        [...], bool

    Raises:
        ValueError: Numbers below 0, or confidences above 1.
    """
    known = states[~np.isnan(states)]
    whole = bool((known == np.round(known)).all())
    highest = np.inf if whole else 1
    if len(known) and not (known.min() >= 0 and known.max() <= highest):
        raise ValueError(
            f"{source}: expected states of 0 and more, or confidences of 0 to 1, found {known.min():g} to "
            f"{known.max():g}."
        )
    return np.nan_to_num(states) >= (1 if whole else LEAST_CONFIDENCE)
