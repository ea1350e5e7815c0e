"""What the decoder looks at while it rebuilds a frame."""

from typing import NamedTuple

import numpy as np

from agegait.layers.local_attention import LocalAttention
from agegait.models import GaitEncoder
from agegait.pages.picture import Picture, vector

CELLS_WITH_NUMBERS = 10
"""Frames of a window up to which the picture has room for numbers."""

READINGS = {
    "LA": "The encoder was trained with locality-aware attention (LA): its loss draws each row towards the locality, "
    "the frames next to the one that the step rebuilds. The weights themselves stay free, so a row may look elsewhere "
    "where that helps.",
    "BA": "The encoder was trained with basic attention (BA): nothing draws its rows anywhere. The locality is shown "
    "to compare with; it is what locality-aware attention would be drawn to.",
    "MBAS": "The encoder was trained with basic attention under a mask (MBAS): weights are multiplied by the locality, "
    "so that rows sum to less than 1.",
}


class Attention(NamedTuple):
    """The mean attention of a test.

    Attributes:
        reading: How to read it.
        on_rebuilt: For x, y and z, the mean weight on the frame that a step reconstructs.
        uniform: That weight, if all frames got the same.
        picture: The matrices.
    """

    reading: str
    on_rebuilt: list[float]
    uniform: float
    picture: Picture


def attention(weights: np.ndarray, encoder: GaitEncoder) -> Attention:
    """What weights `[3, f, f]` (axis, decoder step, frame) show."""
    from matplotlib.figure import Figure

    frames = weights.shape[-1]
    locality = LocalAttention(1, sigma=encoder.sigma, direction=encoder.direction).locality(frames, frames)
    figure = Figure(figsize=(5.2, 5.2), layout="constrained")
    axes = figure.subplots(2, 2)
    most = float(weights.max())
    shown = [(f"{name} axis", matrix, most) for name, matrix in zip("xyz", weights, strict=True)]
    for ax, (title, matrix, top) in zip(axes.flat, [*shown, ("locality", locality, 1.0)], strict=True):
        ax.imshow(matrix, cmap="Blues", vmin=0, vmax=top, extent=(0.5, frames + 0.5, frames + 0.5, 0.5))
        ax.grid(False)
        ax.set(title=title, xlabel="frame", ylabel="decoder step")
        ticks = np.arange(1, frames + 1, max(frames // 6, 1))
        ax.set(xticks=ticks, yticks=ticks)
        if frames <= CELLS_WITH_NUMBERS:
            for (row, column), value in np.ndenumerate(matrix):
                color = "white" if value > 0.6 * top else "black"
                text = f"{value:.2f}".removeprefix("0")
                ax.text(column + 1, row + 1, text, color=color, fontsize=8, ha="center", va="center")
    rebuilt = locality.argmax(axis=1)
    on_rebuilt = [float(matrix[np.arange(frames), rebuilt].mean()) for matrix in weights]
    told = ", ".join(f"{name} {weight:.2f}" for name, weight in zip("xyz", on_rebuilt, strict=True))
    return Attention(
        READINGS.get(encoder.attention, f"The encoder was trained with {encoder.attention} attention."),
        on_rebuilt,
        1 / frames,
        Picture(
            vector(figure),
            f"Four matrices of decoder steps by frames: mean attention for x, y and z, and the locality. Mean weight "
            f"on the frame that a step reconstructs: {told}.",
            "The locality is 1 on the frame that the step rebuilds, so its rows, unlike those of weights, sum to more "
            "than 1.",
        ),
    )
