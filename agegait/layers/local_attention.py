from typing import Any

import numpy as np

from agegait.layers.basic_attention import BasicAttention


class LocalAttention(BasicAttention):
    """Attention that knows the frame each step rebuilds, and the Gaussian locality around it.

    Step t (from 1) rebuilds frame p_t, f + 1 - t of a reverse decoder, t of one that goes forward. The locality is
    l_t(j) = exp(-(j - p_t)^2 / (2 sigma^2)). What is made of it, subclasses say.

    Args:
        units: Size k of a query.
        axes: Number A of axes.
        sigma: Width of the locality in frames; half the number of frames where absent.
        direction: `"reverse"` or `"forward"`, the order in which frames are reconstructed.

    Raises:
        ValueError: sigma is not positive, or an unknown direction.

    Reference:
        Rao et al., Self-Supervised Gait Encoding with Locality-Aware Attention, IJCAI 2020, equations 7 and 8.
    """

    DIRECTIONS = ("reverse", "forward")

    def __init__(
        self, units: int, axes: int = 3, sigma: float | None = None, direction: str = "reverse", **kwargs: Any
    ) -> None:
        super().__init__(units, axes, **kwargs)
        if sigma is not None and sigma <= 0:
            raise ValueError(f"sigma: expected a positive number of frames, received {sigma}.")
        if direction not in self.DIRECTIONS:
            raise ValueError(f"direction: expected one of {', '.join(self.DIRECTIONS)}, received {direction!r}.")
        self.sigma = sigma
        self.direction = direction

    def locality(self, steps: int, frames: int) -> np.ndarray:
        """The locality l_t(j), `[steps, frames]`: 1 on the frame that a step rebuilds, less with distance from it."""
        sigma = frames / 2 if self.sigma is None else self.sigma
        step = np.arange(steps)[:, None]
        position = step if self.direction == "forward" else frames - 1 - step
        return np.exp(-((np.arange(frames) - position) ** 2) / (2 * sigma**2))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sigma": self.sigma, "direction": self.direction}
