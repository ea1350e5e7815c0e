"""Windows beside what the encoder-decoder makes of them."""

from typing import NamedTuple

import numpy as np

from agegait.evaluation.report.observations import Tested, evenly
from agegait.pages.picture import Picture, vector
from agegait.skeletons import drawing


class Rebuilding(NamedTuple):
    """How well the windows of a test are reconstructed.

    Attributes:
        windows: How many were looked at.
        of: How many there are.
        quantiles: Error in centimetres that 10, 50 and 90 per cent of the windows stay below.
        pictures: The best, the median and the worst window, each with its error in centimetres.
    """

    windows: int
    of: int
    quantiles: list[float]
    pictures: list[tuple[str, float, Picture]]


def rebuilding(test: Tested) -> Rebuilding:
    """How well the windows of a test are reconstructed."""
    errors = 100 * test.errors
    of_window = errors.mean(axis=1)
    order = of_window.argsort(kind="stable")
    pictures = []
    for name, index in (("best", order[0]), ("median", order[len(order) // 2]), ("worst", order[-1])):
        picture = _picture(name, test.windows[index], test.rebuilt[index], errors[index])
        pictures.append((name, float(of_window[index]), picture))
    return Rebuilding(len(of_window), len(test.persons), np.quantile(of_window, (0.1, 0.5, 0.9)).tolist(), pictures)


def _picture(name: str, window: np.ndarray, rebuilt: np.ndarray, errors: np.ndarray) -> Picture:
    some = evenly(len(window), drawing.MOST_FRAMES)
    titles = [f"frame {frame + 1}\n{errors[frame]:.1f} cm" for frame in some]
    figure = drawing.rebuilt_figure(window[some], rebuilt[some], titles)
    told = ", ".join(f"{error:.1f}" for error in errors)
    return Picture(
        vector(figure),
        f"The {name} window, frame by frame, from the front and from the side: recorded in grey, reconstructed over it."
        f" Error of its frames in centimetres: {told}.",
    )
