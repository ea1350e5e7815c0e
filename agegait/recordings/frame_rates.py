"""Frame rates as callers state them beside walks."""

from collections.abc import Sequence

import numpy as np

FrameRates = float | Sequence[float | None] | None
"""Of walks that do not say it themselves: one of all, or one of each; None for the model's own."""


def checked_rate(frame_rate: float | None) -> float | None:
    """A frame rate, or None.

    Raises:
        ValueError: It is none.
    """
    if frame_rate is not None and not 0 < frame_rate < np.inf:
        raise ValueError(f"frame_rate: expected a positive number of frames a second, received {frame_rate}.")
    return None if frame_rate is None else float(frame_rate)


def rates_of(frame_rate: FrameRates, walks: int) -> list[float | None]:
    """The rate of each of so many walks.

    Raises:
        ValueError: A rate that is none, or another number of rates than walks.
    """
    rates = list(frame_rate) if isinstance(frame_rate, Sequence | np.ndarray) else [frame_rate] * walks
    if len(rates) != walks:
        raise ValueError(f"frame_rate: expected one, or one for each of {walks} walks, received {len(rates)}.")
    return [checked_rate(rate) for rate in rates]
