"""Skeletons drawn, as a figure or for the terminal, so that a person can see what was read."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from agegait import skeletons
from agegait.terminal.visible_text import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from PIL.ImageDraw import ImageDraw

COLORS = {"left": "#0072B2", "right": "#D55E00", "middle": "#404040"}
"""Of the body's sides: a blue and an orange that the colour-blind tell apart (Okabe and Ito, 2008)."""

RECORDED = "#b8b8b8"
"""Of what was recorded, where what was made of it is drawn over it."""

MOST_FRAMES = 8

_SHAPE = (len(skeletons.JOINTS), 3)
_JOINT = {name: index for index, name in enumerate(skeletons.JOINTS)}
_SIDES = ["left" if "Left" in name else "right" if "Right" in name else "middle" for name in skeletons.JOINTS]
_UPPER = ("ShoulderCenter", "Head")
_LOWER = ("AnkleLeft", "FootLeft", "AnkleRight", "FootRight")
_LEFT, _RIGHT = ([_JOINT[part + side] for part in ("Shoulder", "Hip")] for side in ("Left", "Right"))
_BRAILLE = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""What each of the 4 x 2 dots of a character adds to 0x2800."""


def skeleton_figure(skeleton: np.ndarray, title: str = "") -> "Figure":
    """Draws a skeleton from the front and from its side, or a few frames of it next to each other.

    Which axis is up is found from where the head is over the feet, and the body is turned to face the viewer. Where it
    stands is left out: the middle of the hip is at 0, the lowest joint on the floor.

    Args:
        skeleton: [20, 3] or [T, 20, 3], T of 8 at most; canonical joints, metres, right-handed coordinates. Joints that
            are not finite are not drawn.
        title: What stands above.

    Returns:
        A figure of matplotlib's, to be saved with `savefig`.

    Raises:
        ValueError: Another shape, too many frames, or no frame with a head over feet.
    """
    from matplotlib.figure import Figure

    frames = np.asarray(skeleton, float)
    frames = frames[None] if frames.ndim == 2 else frames
    if frames.shape[1:] != _SHAPE or not 1 <= len(frames) <= MOST_FRAMES:
        shape = list(np.shape(skeleton))
        raise ValueError(f"skeleton: expected {list(_SHAPE)} or 1 to {MOST_FRAMES} frames of it, received {shape}.")
    body, up = _facing(frames)
    rows, columns = (1, 2) if len(frames) == 1 else (2, len(frames))
    reach, height = np.nanmax(np.abs(body[..., :2])), np.nanmax(body[..., 2])
    figure = Figure(figsize=(1.2 + columns * (0.5 + 4 * 2 * reach / height), 1.2 + rows * 4.4), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for view, name, across in ((0, "front", "to its left, m"), (1, "side", "ahead, m")):
        for frame, joints in enumerate(body):
            ax = axes[0, view] if len(frames) == 1 else axes[view, frame]
            _draw(ax, joints[:, [view, 2]])
            ax.set(title=name if len(frames) == 1 else f"{name}, frame {frame}", xlabel=across, aspect="equal")
            ax.set(xlim=(-1.15 * reach, 1.15 * reach), ylim=(-0.05 * height, 1.08 * height))
    for ax in axes[:, 0]:
        ax.set_ylabel(f"up (along {up}), m")
    figure.suptitle(visible(title), parse_math=False)
    figure.legend(handles=axes[0, 0].get_legend_handles_labels()[0], loc="outside lower center", ncols=2, frameon=False)
    return figure


def rebuilt_figure(recorded: np.ndarray, rebuilt: np.ndarray, titles: Sequence[str] = ()) -> "Figure":
    """Draws what became of frames over the frames themselves: a column a frame, seen from the front and from the side.

    Recorded frames are wide and grey, reconstructed ones are narrow and have the colours of the body's sides. Both are
    turned to face the viewer as the recorded ones do. What lies far outside of where the other frames are is cut off.

    Args:
        recorded: [T, 20, 3], T of 8 at most; canonical joints, metres, right-handed coordinates.
        rebuilt: [T, 20, 3], the same frames.
        titles: What stands above each column.

    Raises:
        ValueError: Another shape, too many frames, or no frame with a head over feet.
    """
    from matplotlib.figure import Figure

    recorded, rebuilt = np.asarray(recorded, float), np.asarray(rebuilt, float)
    if recorded.shape != rebuilt.shape or recorded.shape[1:] != _SHAPE or not 1 <= len(recorded) <= MOST_FRAMES:
        raise ValueError(
            f"recorded, rebuilt: expected 1 to {MOST_FRAMES} frames {list(_SHAPE)} of either, received "
            f"{list(recorded.shape)} and {list(rebuilt.shape)}."
        )
    origin, own, _ = _places(recorded)
    bodies = np.stack([(frames - origin[:, None]) @ own for frames in (recorded, rebuilt)])
    reach = _room(np.nanmax(np.abs(bodies[..., :2]), axis=(0, 2, 3)))
    least, most = _room(-np.nanmin(bodies[..., 2], axis=(0, 2))), _room(np.nanmax(bodies[..., 2], axis=(0, 2)))
    height = 0.62 * (most + least) / (2 * reach)  # inches of a frame, 0.62 wide
    figure = Figure(figsize=(0.5 + 0.72 * max(len(recorded), 4), 0.6 + 2 * height), layout="constrained")
    axes = figure.subplots(2, len(recorded), sharex=True, sharey=True, squeeze=False)
    for view, name in ((0, "front"), (1, "side")):
        for frame, ax in enumerate(axes[view]):
            _draw(ax, bodies[0][frame][:, [view, 2]], dict.fromkeys(COLORS, RECORDED), 5)
            _draw(ax, bodies[1][frame][:, [view, 2]], COLORS, 1.4)
            ax.set(xlim=(-1.1 * reach, 1.1 * reach), ylim=(-least - 0.03 * most, 1.04 * most), aspect="equal")
            ax.set(xticks=[0], yticks=np.arange(0, most, 0.5))
            ax.tick_params(labelbottom=False, length=0)
        axes[view, 0].set_ylabel(f"{name}: up, m")
    for ax, title in zip(axes[0], titles, strict=False):
        ax.set_title(title)
    return figure


def skeleton_text(skeleton: np.ndarray, columns: int = 40, rows: int = 20) -> str:
    """Draws a skeleton for the terminal, in dots of Braille: from the front and from its side.

    The limbs of the right are dotted, those of the left drawn through.

    Args:
        skeleton: [20, 3]; canonical joints, any unit, right-handed coordinates. Joints that are not finite are not
            drawn.
        columns: Characters of a line, at least 16.
        rows: Lines of the picture, at least 8; two of caption follow.

    Returns:
        The lines; the last does not end in a line break.

    Raises:
        ValueError: Another shape, too little room, or a skeleton without a head over feet.
    """
    from PIL import Image, ImageDraw

    skeleton = np.asarray(skeleton, float)
    if skeleton.shape != _SHAPE:
        raise ValueError(f"skeleton: expected {list(_SHAPE)}, received {list(skeleton.shape)}.")
    if columns < 16 or rows < 8:
        raise ValueError(f"columns, rows: expected at least 16 and 8, received {columns} and {rows}.")
    (body,), up = _facing(skeleton[None])
    half = columns // 2  # characters of a view, and dots to either side of its middle
    least, most = np.nanmin(body, axis=0), np.nanmax(body, axis=0)
    width, height = (most - least)[:2].max(), most[2]
    scale = min((4 * rows - 8) / height, (2 * half - 6) / max(width, 1e-9 * height))
    image = Image.new("1", (4 * half, 4 * rows))
    draw = ImageDraw.Draw(image)
    for view in (0, 1):
        x = half + 2 * half * view + scale * (body[:, view] - (least + most)[view] / 2)
        y = 4 * rows - 3 - scale * body[:, 2]
        _dot(draw, np.stack([x, y], axis=-1).round())
    dots = np.array(image).reshape(rows, 4, 2 * half, 2)
    lines = ["".join(map(chr, row)).rstrip(chr(0x2800)) for row in 0x2800 + np.einsum("rice,ie->rc", dots, _BRAILLE)]
    caption = ("front".center(half) + "side".center(half)).rstrip()
    return "\n".join([*lines, caption, f"{up} is up".center(2 * half).rstrip()])


def _room(extents: np.ndarray) -> float:
    """What holds all of some extents, or half as much again as most of them need."""
    return float(min(extents.max(), 1.5 * np.median(extents)))


def _facing(frames: np.ndarray) -> tuple[np.ndarray, str]:
    """Frames [T, 20, 3] in each body's own axes (to its left, ahead, up), and which of the coordinates' axes is up."""
    frames = np.where(np.isfinite(frames).all(axis=-1, keepdims=True), frames, np.nan)
    origin, own, up = _places(frames)
    return (frames - origin[:, None]) @ own, up


def _places(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray, str]:
    """Where each body stands [T, 3], its own axes [T, 3, 3] (to its left, ahead, up), and which axis is up."""
    if lost := np.flatnonzero(np.isnan(frames).all(axis=(1, 2))).tolist():
        raise ValueError(f"skeleton: expected finite coordinates, found none in frame {lost[0]}.")
    head, feet = (_middle(frames[:, [_JOINT[name] for name in names]].reshape(-1, 3)) for names in (_UPPER, _LOWER))
    upright = head - feet
    if not np.any(np.abs(upright) > 0):
        raise ValueError("skeleton: expected a head over feet, found none.")
    axis = int(np.abs(upright).argmax())
    up = np.zeros(3)
    up[axis] = np.sign(upright[axis])
    left = np.nan_to_num(frames[:, _LEFT] - frames[:, _RIGHT]).sum(axis=1)
    left[:, axis] = 0
    length = np.linalg.norm(left, axis=-1, keepdims=True)
    sideways = length > 1e-6 * np.abs(upright).max()
    left = np.where(sideways, left / np.where(sideways, length, 1), np.roll(up, 1))
    own = np.stack([left, np.cross(left, up), np.broadcast_to(up, left.shape)], axis=-1)
    hips = frames[:, _JOINT["HipCenter"]]
    middle = np.array([_middle(frame) if np.isnan(hip).any() else hip for hip, frame in zip(hips, frames, strict=True)])
    lowest = np.nanmin((frames - middle[:, None]) @ up, axis=1)
    return middle + lowest[:, None] * up, own, f"{'-' if up[axis] < 0 else ''}{'xyz'[axis]}"


def _middle(joints: np.ndarray) -> np.ndarray:
    """The mean of the joints that are there; NaN if none is."""
    joints = joints[np.isfinite(joints).all(axis=-1)]
    return joints.mean(axis=0) if len(joints) else np.full(3, np.nan)


def _draw(ax: "Axes", joints: np.ndarray, colors: Mapping[str, str] = COLORS, width: float = 3) -> None:
    """Draws joints [20, 2] and their bones; matplotlib leaves out lines that have a NaN at one end."""
    for side, color in colors.items():
        bones = [[*joints[[start, end]], (np.nan, np.nan)] for start, end in skeletons.BONES if _SIDES[end] == side]
        ax.plot(*np.concatenate(bones).T, color=color, linewidth=width, solid_capstyle="round")
    marks = {"markeredgecolor": "white"} if colors is COLORS and width >= 3 else {"markersize": 1.5 * width}
    for side, color in colors.items():
        own = joints[[joint_side == side for joint_side in _SIDES]]
        ax.plot(*own.T, "o", color=color, label="_" if side == "middle" else side, **marks)
    ax.grid(color="0.9")
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def _dot(draw: "ImageDraw", dots: np.ndarray) -> None:
    """Draws joints [20, 2], in dots, and their bones."""
    for start, end in skeletons.BONES:
        ends = dots[[start, end]]
        if not np.isfinite(ends).all():
            continue
        if _SIDES[end] == "right":
            steps = np.linspace(0, 1, max(int(np.abs(ends[1] - ends[0]).max()) // 2, 1) + 1)[:, None]
            draw.point([tuple(dot) for dot in (ends[0] + steps * (ends[1] - ends[0])).round()], fill=1)
        else:
            draw.line([tuple(dot) for dot in ends], fill=1)
    head = dots[_JOINT["Head"]]
    if np.isfinite(head).all():
        draw.ellipse([*(head - 3), *(head + 3)], fill=0, outline=1)
    for dot in dots[np.isfinite(dots).all(axis=-1)]:
        draw.rectangle([*(dot - 1), *(dot + 1)], outline=1)
