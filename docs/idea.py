"""Draws docs/idea.svg, the picture of the idea at the head of the README: `.venv/bin/python docs/idea.py`."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle

from agegait.skeletons import BONES, JOINTS

# Text as paths looks the same everywhere; the salt makes a second run give the same bytes.
mpl.rcParams.update({"svg.fonttype": "path", "svg.hashsalt": "agegait", "font.family": "DejaVu Sans"})

WIDTH, HEIGHT = 1240, 638
INK, FAINT, PAPER = "#1f2937", "#6b7280", "#ffffff"
BLUE, ORANGE, GREEN = "#2563eb", "#ea580c", "#0f766e"
PALE_BLUE, PALE_ORANGE, PALE_GREEN, CARD = "#dbeafe", "#ffedd5", "#ccfbf1", "#f8fafc"
AXES = {"x": "#0f766e", "y": "#14b8a6", "z": "#99e0d6"}

FRAMES = 6
COLUMNS = 164 + 100 * np.arange(FRAMES)  # the middle of each frame
WALK, ENCODER, CONTEXT, DECODER, REBUILT = 72, 182, 326, 388, 506  # heights


def walker(phase: float) -> dict[str, np.ndarray]:
    """The joints of somebody walking to the right, seen from the side and a little from the front; metres."""
    joints = {
        "HipCenter": (0.0, 0.95),
        "Spine": (0.01, 1.12),
        "ShoulderCenter": (0.03, 1.45),
        "Head": (0.05, 1.66),
    }
    for side, turn, depth in (("Left", 0.0, 0.05), ("Right", np.pi, -0.05)):
        swing = np.sin(phase + turn)
        lift = max(0.0, np.cos(phase + turn))  # the leg that comes forward bends

        def limb(start, *bones):
            for name, length, angle in bones:
                start = (start[0] + length * np.sin(angle), start[1] - length * np.cos(angle))
                joints[name + side] = start  # noqa: B023

        shoulder, hip = (0.03 + depth, 1.42 - depth / 3), (depth, 0.92 - depth / 3)
        joints["Shoulder" + side], joints["Hip" + side] = shoulder, hip
        limb(
            shoulder,
            ("Elbow", 0.28, -0.5 * swing),
            ("Wrist", 0.24, 0.35 - 0.55 * swing),
            ("Hand", 0.08, 0.4 - 0.55 * swing),
        )
        thigh = 0.48 * swing + 0.12 * lift
        shin = thigh - 0.16 - 0.7 * lift
        limb(hip, ("Knee", 0.44, thigh), ("Ankle", 0.42, shin), ("Foot", 0.14, shin + 1.45))
    return {name: np.array(place) for name, place in joints.items()}


def stick_figure(ax: Axes, x: float, bottom: float, phase: float, colour: str, *, rebuilt: bool = False) -> None:
    """A skeleton about 100 high; a reconstructed one is drawn thin and open."""
    joints = walker(phase)
    lowest = min(place[1] for place in joints.values())
    place = {name: (x + 60 * p[0], bottom + 60 * (p[1] - lowest)) for name, p in joints.items()}
    for a, b in BONES:
        far = "Right" in JOINTS[a] + JOINTS[b]
        (x0, y0), (x1, y1) = place[JOINTS[a]], place[JOINTS[b]]
        style = {"lw": 1.3 if rebuilt else 2.4, "alpha": 0.45 if far else 1.0, "zorder": 4 if far else 5}
        ax.plot([x0, x1], [y0, y1], color=colour, solid_capstyle="round", **style)
    for far in (True, False):
        inner = np.array([at for name, at in place.items() if ("Right" in name) == far and name != "Head"])
        style = {"mfc": PAPER if rebuilt else colour, "mew": 1.0, "alpha": 0.5 if far else 1.0, "zorder": 6}
        ax.plot(*inner.T, "o", color=colour, ms=2.8 if rebuilt else 3.2, **style)
    ax.add_patch(Circle(place["Head"], 7.5, fc=PAPER if rebuilt else colour, ec=colour, lw=1.3, zorder=6))


def box(ax: Axes, x: float, y: float, width: float, height: float, fill: str, edge: str, **style) -> None:
    """A rounded box about its middle."""
    corner = (x - width / 2, y - height / 2)
    shape = f"round,pad=0,rounding_size={style.pop('rounding', 8)}"
    ax.add_patch(FancyBboxPatch(corner, width, height, boxstyle=shape, fc=fill, ec=edge, **{"lw": 1.4, **style}))


def arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str, **style) -> None:
    """An arrow from point to point."""
    kind = {"arrowstyle": "-|>", "mutation_scale": 11, "lw": 1.6, "shrinkA": 0, "shrinkB": 0, "zorder": 3}
    ax.add_patch(FancyArrowPatch(start, end, color=colour, **{**kind, **style}))


def text(ax: Axes, x: float, y: float, words: str, size: float = 11, colour: str = INK, **style) -> None:
    """Words about a point."""
    ax.text(x, y, words, fontsize=size, color=colour, **{"ha": "center", "va": "center", "zorder": 9, **style})


def locality() -> np.ndarray:
    """[decoder step, encoder frame]: how near a frame is to the one that the step rebuilds, 0..1."""
    step, frame = np.mgrid[1 : FRAMES + 1, 1 : FRAMES + 1]
    return np.exp(-((frame - (FRAMES + 1 - step)) ** 2) / (2 * (FRAMES / 2) ** 2))


def encoder_and_decoder(ax: Axes) -> None:
    """The left part: each step of the decoder stands above the frame that it rebuilds, so time runs back along it."""
    middle, span = (COLUMNS[0] + COLUMNS[-1]) / 2, COLUMNS[-1] - COLUMNS[0] + 118
    for offset, axis in ((26, "z"), (13, "y"), (0, "x")):  # one network an axis, one card each
        box(ax, middle + offset, (ENCODER + DECODER) / 2 + offset, span, 280, CARD, "#cbd5e1", zorder=1)
        corner = (middle + span / 2 + offset, (ENCODER + DECODER) / 2 - 140 + offset)
        text(ax, corner[0] - 7.5, corner[1] + 9, axis, 10.5, FAINT, style="italic")

    box(ax, middle + 46, CONTEXT, span + 54, 34, PALE_GREEN, "none", rounding=17, zorder=3.5)
    weights = locality() ** 4  # as attention that follows it looks; sharper, so that the picture is read at a glance
    for step in range(FRAMES):
        x = COLUMNS[FRAMES - 1 - step]
        for frame, strength in enumerate(weights[step]):
            style = {"lw": 0.5 + 2.5 * strength, "alpha": 0.10 + 0.75 * strength**2, "solid_capstyle": "round"}
            if strength > 0.02:
                ax.plot([COLUMNS[frame], x], [ENCODER + 17, CONTEXT - 12], color=GREEN, zorder=2.5, **style)
        ax.add_patch(Circle((x, CONTEXT), 12, fc=PAPER, ec=GREEN, lw=1.6, zorder=5))
        text(ax, x, CONTEXT, f"$c_{step + 1}$", 10.5, GREEN)
        arrow(ax, (x, CONTEXT + 12), (x, DECODER - 17), GREEN)

    for frame, x in enumerate(COLUMNS):
        phase = 2 * np.pi * (frame / FRAMES) * 0.9 - 0.9
        stick_figure(ax, x, WALK - 54, phase, INK)
        stick_figure(ax, x, REBUILT - 46, phase, ORANGE, rebuilt=True)
        arrow(ax, (x, WALK + 58), (x, ENCODER - 17), BLUE)
        arrow(ax, (x, DECODER + 17), (x, REBUILT - 52), ORANGE)
        box(ax, x, ENCODER, 62, 34, PALE_BLUE, BLUE, zorder=4)
        text(ax, x, ENCODER, f"$h_{frame + 1}$", 12.5, BLUE)
        box(ax, x, DECODER, 62, 34, PALE_ORANGE, ORANGE, zorder=4)
        text(ax, x, DECODER, f"$s_{FRAMES - frame}$", 12.5, ORANGE)
        if frame:
            arrow(ax, (COLUMNS[frame - 1] + 31, ENCODER), (x - 31, ENCODER), BLUE)
            arrow(ax, (x - 31, DECODER), (COLUMNS[frame - 1] + 31, DECODER), ORANGE)
    last = COLUMNS[-1] + 31
    arrow(ax, (COLUMNS[-1] + 130, CONTEXT), (COLUMNS[-1] + 152, CONTEXT), GREEN, lw=2.4, mutation_scale=14)
    bend = "arc,angleA=0,angleB=0,armA=18,armB=18,rad=9"
    arrow(ax, (last, ENCODER), (last, DECODER), ORANGE, connectionstyle=bend, zorder=3)

    for y, words, colour in (
        (WALK, "a walk", INK),
        (ENCODER, "encoder", BLUE),
        ((ENCODER + CONTEXT) / 2, "attention", GREEN),
        (CONTEXT, "contexts", GREEN),
        (DECODER, "decoder", ORANGE),
        (REBUILT, "output", ORANGE),
    ):
        text(ax, COLUMNS[0] - 70, y, words, 11.5, colour, weight="bold", ha="right")


def recognition(ax: Axes) -> None:
    """The right part: the contexts of all axes joined, and the small network that classifies the person."""
    cell, left = 15, 836
    shades = np.random.default_rng(3).uniform(0.25, 1.0, size=(3 * 2, FRAMES))
    top = CONTEXT + 3 * cell
    for row, strengths in enumerate(shades):
        for column, strength in enumerate(strengths):
            corner = (left + cell * column, top - cell * (row + 1) - (row // 2 - 1) * 5)
            colour = list(AXES.values())[row // 2]
            ax.add_patch(Rectangle(corner, cell - 1.5, cell - 1.5, fc=colour, alpha=strength, lw=0, zorder=5))
    for row, axis in enumerate(AXES):
        text(ax, left - 11, CONTEXT + (1 - row) * (2 * cell + 5) - 1, axis, 10.5, FAINT, style="italic")
    text(ax, left + 3 * cell, top + 29, "AGEs", 12.5, GREEN, weight="bold")
    text(ax, left + 3 * cell, CONTEXT - 3 * cell - 22, "6 frames", 10.5, FAINT)
    arrow(ax, (left + FRAMES * cell + 8, CONTEXT), (left + FRAMES * cell + 40, CONTEXT), INK)

    hidden, out = 984, 1036
    dots = {hidden: np.linspace(-50, 50, 6), out: np.linspace(-50, 50, 5)}
    for a in dots[hidden]:
        for b in dots[out]:
            ax.plot([hidden, out], [CONTEXT + a, CONTEXT + b], color="#cbd5e1", lw=0.7, zorder=2)
    for x, heights in dots.items():
        ax.plot([x] * len(heights), CONTEXT + heights, "o", color=INK, mfc=PAPER, ms=7.5, mew=1.3, zorder=5)
    text(ax, (hidden + out) / 2, top + 29, "recognizer", 12.5, INK, weight="bold")
    arrow(ax, (out + 14, CONTEXT), (out + 44, CONTEXT), INK)

    people = {"Ann": 0.05, "Ben": 0.12, "Cho": 0.74, "Dev": 0.03, "Eva": 0.06}
    for row, (name, share) in enumerate(people.items()):
        y, known = CONTEXT + 24 * (2 - row), share == max(people.values())
        text(ax, 1124, y, name, 11.5, GREEN if known else FAINT, ha="right", weight="bold" if known else "normal")
        ax.add_patch(Rectangle((1134, y - 7), 95 * share, 14, fc=GREEN if known else "#cbd5e1", lw=0, zorder=4))
    text(ax, 1150, top + 29, "it is Cho", 12.5, GREEN, weight="bold")


def locality_map(ax: Axes) -> None:
    """What attention is drawn to while the encoder learns."""
    cell, left, bottom = 22, 862, 50
    for step, row in enumerate(locality()):
        for frame, strength in enumerate(row):
            corner = (left + cell * frame, bottom + cell * (FRAMES - 1 - step))
            ax.add_patch(Rectangle(corner, cell - 1.5, cell - 1.5, fc=GREEN, alpha=strength**1.5, lw=0, zorder=4))
        text(ax, left - 12, bottom + cell * (FRAMES - 0.5 - step), f"$s_{step + 1}$", 10.5, ORANGE)
        text(ax, left + cell * (step + 0.5), bottom - 11, f"$h_{step + 1}$", 10.5, BLUE)
    text(ax, left + FRAMES * cell + 24, bottom + 112, "Locality", 12.5, GREEN, weight="bold", ha="left")
    words = "a loss draws attention\nto frames next to the\nreconstructed one"
    text(ax, left + FRAMES * cell + 24, bottom + 58, words, 12, INK, ha="left", linespacing=1.45)


def headings(ax: Axes) -> None:
    """What the two parts do."""
    for x, number, words in (
        (40, "1", "Self-supervised: reconstruct the walk in reverse"),
        (832 + 13, "2", "Classify the person"),
    ):
        ax.add_patch(Circle((x, HEIGHT - 30), 13, fc=INK, lw=0, zorder=5))
        text(ax, x, HEIGHT - 30.5, number, 12, PAPER, weight="bold")
        text(ax, x + 24, HEIGHT - 30, words, 14, INK, weight="bold", ha="left")
    words = (
        "The contexts of all three axes, joined, are the\n"
        "gait features (AGEs). A small network classifies\n"
        "the person from them."
    )
    text(ax, 832, HEIGHT - 92, words, 12, INK, ha="left", linespacing=1.45)


def main() -> None:
    """Writes the picture beside this script."""
    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), facecolor=PAPER)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    ax.axis("off")
    headings(ax)
    encoder_and_decoder(ax)
    recognition(ax)
    locality_map(ax)
    target = Path(__file__).with_suffix(".svg")
    figure.savefig(target, metadata={"Date": None, "Creator": None})
    print(target)


if __name__ == "__main__":
    main()
