import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Colours that the colour-blind tell apart (Okabe and Ito, 2008), without their yellow, which paper swallows."""

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.9",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.6,
    "savefig.facecolor": "white",
    "svg.hashsalt": "agegait",
}
"""Of all pictures. Names of people and folders never stand in one: no font has all letters, the page does."""


@dataclass(frozen=True)
class Picture:
    """A figure as the page holds it.

    Attributes:
        source: A data: URI.
        alternative: What it shows, for those who do not see it.
        caption: What stands below.
        legend: Colour, shape (`"circle"` or `"triangle"`) and name of what is shown, where names are those of people.
    """

    source: str
    alternative: str
    caption: str = ""
    legend: tuple[tuple[str, str, str], ...] = ()


@contextmanager
def style() -> Iterator[None]:
    """All figures are made within."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        yield


def vector(figure: "Figure") -> str:
    """A figure as the data: URI of an SVG; its dense parts, which are asked to be rasterized, at 150 dots an inch."""
    file = io.BytesIO()
    figure.savefig(file, format="svg", dpi=150, metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(file.getvalue()).decode()}"
