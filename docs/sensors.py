"""Draws the pictures in docs/sensors: `.venv/bin/python docs/sensors.py`. The body is one of the generated walkers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Arc, FancyArrowPatch, Rectangle, Wedge

from agegait.skeletons import BONES, JOINTS
from tfds_builders.walkers import generator, kinematics

# Text as paths looks the same everywhere; the salt makes a second run give the same bytes.
mpl.rcParams.update({"svg.fonttype": "path", "svg.hashsalt": "agegait", "font.family": "DejaVu Sans"})

WIDTH, PANEL, FLOOR = 560, 330, 270
INK, FAINT, PAPER, CARD = "#1f2937", "#6b7280", "#ffffff", "#f8fafc"
LEFT, RIGHT, EXTRA, WALK, FLAW = "#2563eb", "#1f2937", "#ea580c", "#0f766e", "#b91c1c"
AXES = {"x": "#b91c1c", "y": "#0f766e", "z": "#7c3aed"}
SCALE = 132  # points for a metre of a body

CANONICAL = {"x": (1, 0, 0), "y": (0, 1, 0), "z": (0, 0, 1)}
CAMERA = {"x": (-1, 0, 0), "y": (0, -1, 0), "z": (0, 0, 1)}
Z_UP = {"x": (1, 0, 0), "y": (0, 0, -1), "z": (0, 1, 0)}

Way = tuple[tuple[float, float], tuple[float, float]]
"""The ends of a way, in metres ahead of the sensor and to its left."""

Extras = Mapping[str, Sequence[tuple[float, float, float]]]
"""Joints that only a sensor has: the canonical joint that each is near, and how far to the walker's right, up, back."""

HANDS: Extras = {"HandLeft": [(0, -0.07, 0), (0.04, -0.01, -0.03)], "HandRight": [(0, -0.07, 0), (-0.04, -0.01, -0.03)]}
KINECT_V2: Extras = {**HANDS, "ShoulderCenter": [(0, 0.1, 0)]}
AZURE: Extras = {
    **HANDS,
    "ShoulderCenter": [(-0.05, -0.03, 0), (0.05, -0.03, 0), (0, -0.17, 0)],
    "Head": [(0, 0, -0.11), (-0.035, 0.035, -0.09), (0.035, 0.035, -0.09), (-0.075, 0, 0), (0.075, 0, 0)],
}
MEDIAPIPE: Extras = {
    "Head": [
        *[(0, 0, -0.11), (-0.075, 0.02, 0), (0.075, 0.02, 0), (-0.025, -0.04, -0.09), (0.025, -0.04, -0.09)],
        *[(sign * x, 0.035, -0.09) for sign in (-1, 1) for x in (0.02, 0.035, 0.05)],
    ],
    "HandLeft": [(-0.02, -0.04, 0), (0, -0.04, -0.02), (0.03, 0, -0.03)],
    "HandRight": [(0.02, -0.04, 0), (0, -0.04, -0.02), (-0.03, 0, -0.03)],
    "AnkleLeft": [(0, -0.05, 0.06)],
    "AnkleRight": [(0, -0.05, 0.06)],
}
MEDIAPIPE_LACKS = ("HipCenter", "Spine", "ShoulderCenter", "Head", "HandLeft", "HandRight")


@dataclass(frozen=True)
class Kind:
    """How a kind of sensor writes a body.

    Attributes:
        heading: What it gives.
        axes: Directions of its axes, in canonical axes.
        origin: Where its (0, 0, 0) is, in words.
        center: The same in metres from the floor below the walker, in canonical axes.
        scale: Its units in a metre.
        extras: Joints that canonical skeletons have not.
        lacks: Canonical joints that it has not.
    """

    heading: str
    axes: Mapping[str, tuple[int, int, int]]
    origin: str
    center: tuple[float, float, float]
    scale: int
    extras: Extras
    lacks: tuple[str, ...] = ()

    def numbers(self, joint: str) -> str:
        """A joint's coordinates as its files have them."""
        place = (BODY[JOINTS.index(joint)] - self.center) @ np.transpose(list(self.axes.values())) * self.scale
        place = np.round(place, 0 if self.scale > 1 else 2) + 0.0  # no −0
        return ", ".join(f"{number:.0f}" if self.scale > 1 else f"{number:.2f}" for number in place)


def walker() -> np.ndarray:
    """The joints [20, 3] of somebody who walks towards the sensor, in metres from the floor below them."""
    motion = generator.motion(3, "a", 0)
    ankles = motion.joints[:, [JOINTS.index("AnkleLeft"), JOINTS.index("AnkleRight")], 2]
    step = int(np.argmax(ankles[:, 0] - ankles[:, 1]))
    return kinematics.place(motion.joints[step : step + 1], np.zeros((1, 3)), np.array([np.pi]))[0]


BODY = walker()
HIPS = tuple(BODY[JOINTS.index("HipCenter")].tolist())
SENSOR = (0.0, 0.9, -2.5)


def projected(places: np.ndarray, turn: float = 28, tilt: float = 14) -> np.ndarray:
    """What a viewer sees who stands where the sensor is, some degrees to its left, and looks down a little.

    Args:
        places: [..., 3], canonical axes.
        turn: Degrees to the left.
        tilt: Degrees down.

    Returns:
        [..., 2], to the right and up.
    """
    turn, tilt = np.radians([turn, tilt])
    ahead = np.array([np.sin(turn) * np.cos(tilt), -np.sin(tilt), np.cos(turn) * np.cos(tilt)])
    right = np.cross(ahead, [0, 1, 0])
    right /= np.linalg.norm(right)
    return np.stack([places @ right, places @ np.cross(right, ahead)], axis=-1)


def text(ax: Axes, x: float, y: float, words: str, size: float = 12.5, colour: str = INK, **style) -> None:
    """Words that begin at a point."""
    ax.text(x, y, words, fontsize=size, color=colour, **{"ha": "left", "va": "center", "zorder": 9, **style})


def arrow(ax: Axes, start: Sequence[float], end: Sequence[float], colour: str, **style) -> None:
    """An arrow from point to point."""
    kind = {"arrowstyle": "-|>", "mutation_scale": 13, "lw": 2, "shrinkA": 0, "shrinkB": 0, "zorder": 7}
    ax.add_patch(FancyArrowPatch(tuple(start), tuple(end), color=colour, **{**kind, **style}))


def triad(ax: Axes, at: Sequence[float], axes: Mapping[str, tuple[int, int, int]]) -> None:
    """Three axes as they lie in the room, each with its name."""
    for name, direction in axes.items():
        way = projected(np.array(direction, float))
        end = np.array(at) + 40 * way
        arrow(ax, at, end, AXES[name])
        beyond = end + 9 * way / np.linalg.norm(way)
        text(ax, *beyond, name, 13, AXES[name], ha="center")
    ax.plot(*at, "o", color=INK, ms=4, zorder=8)


def bones(ax: Axes, place: np.ndarray, lacks: Sequence[str] = ()) -> None:
    """Lines between joints [20, 2], the left side's in blue, dotted where a joint is lacking."""
    for colour in (RIGHT, LEFT):
        for faint, style in ((True, {"lw": 1.6, "ls": ":"}), (False, {"lw": 3, "solid_capstyle": "round"})):
            ends = [
                bone
                for bone in BONES
                if ("Left" in JOINTS[bone[1]]) == (colour == LEFT)
                and (JOINTS[bone[0]] in lacks or JOINTS[bone[1]] in lacks) == faint
            ]
            if ends:  # one line with gaps is smaller than a line for each
                lines = np.insert(place[np.array(ends)], 2, np.nan, axis=1).reshape(-1, 2)
                ax.plot(*lines.T, color=colour, zorder=4, **style)


def figure(ax: Axes, at: Sequence[float], extras: Extras, lacks: Sequence[str] = (), **view: float) -> None:
    """The body above a point on the floor, its left side in blue."""
    place = np.array(at) + SCALE * projected(BODY, **view)
    bones(ax, place, lacks)
    for colour in (LEFT, RIGHT):
        own = [n for n, joint in enumerate(JOINTS) if joint not in lacks and ("Left" in joint) == (colour == LEFT)]
        ax.plot(*place[own].T, "o", color=colour, ms=8, mew=0, zorder=5)
    if "Head" not in lacks:
        ax.plot(*place[JOINTS.index("Head")], "o", color=RIGHT, ms=10 if extras.get("Head") else 14, mew=0, zorder=5)
    others = [
        place[JOINTS.index(joint)] + SCALE * projected(np.array(offset), **view)
        for joint, offsets in extras.items()
        for offset in offsets
    ]
    if others:
        ax.plot(*np.array(others).T, "o", color=EXTRA, ms=5.8, mec=PAPER, mew=0.5, zorder=6)


def panel(ax: Axes, left: float, bottom: float, kind: Kind, caption: str) -> None:
    """A body with its axes, and what its numbers are."""
    ax.add_patch(Rectangle((left, bottom), WIDTH / 2 - 14, PANEL - 10, fc=CARD, ec="#cbd5e1", lw=1))
    text(ax, left + 12, bottom + PANEL - 29, caption, 15.5)
    text(ax, left + 12, bottom + PANEL - 50, kind.heading, colour=FAINT)
    floor = np.array([left + 172, bottom + 62])
    figure(ax, floor, kind.extras, kind.lacks)
    if kind.center == HIPS:
        ax.plot(*(floor + SCALE * projected(np.array(HIPS))), "o", mfc="none", mec=FLAW, ms=15, mew=2, zorder=8)
    triad(ax, (left + 66, bottom + 128), kind.axes)
    text(ax, left + 12, bottom + 33, f"left knee  {kind.numbers('KneeLeft')}")
    text(ax, left + 12, bottom + 15, f"origin: {kind.origin}", colour=FAINT)


def two_panels(ax: Axes, kind: Kind, caption: str = "In the file") -> None:
    """A sensor's body beside what agegait makes of it."""
    canonical = Kind("20 joints, metres, y up", CANONICAL, kind.origin, kind.center, 1, {})
    panel(ax, 8, FLOOR, kind, caption)
    panel(ax, WIDTH / 2 + 6, FLOOR, canonical, "As agegait reads it")


def sensor(
    ax: Axes, name: str, angle: float, reach: tuple[float, float], ways: Sequence[Way], scale: float = 58
) -> None:
    """The floor from above, with a sensor at its left, what it sees, and where to walk.

    Args:
        ax: The picture.
        name: Of the sensor.
        angle: Of view, in degrees.
        reach: Metres between which to walk.
        ways: The first is walked in both directions, others from their start to their end.
        scale: Points for a metre.
    """
    x, y = 44, FLOOR / 2
    half = angle / 2
    ax.add_patch(
        Wedge((x, y), reach[1] * scale, -half, half, fc="#ccfbf1", ec="none", width=(reach[1] - reach[0]) * scale)
    )
    for side in (-half, half):
        end = reach[1] * scale * np.array([np.cos(np.radians(side)), np.sin(np.radians(side))])
        ax.plot([x, x + end[0]], [y, y + end[1]], color="#94a3b8", lw=1, zorder=2)
    for distance in reach:
        size = 2 * distance * scale
        ax.add_patch(Arc((x, y), size, size, theta1=-half, theta2=half, color="#94a3b8", lw=1, ls="--"))
        low = np.radians(-half)
        place = x + distance * scale * np.cos(low), y + distance * scale * np.sin(low)
        text(ax, place[0] - 5, place[1] - 14, f"{distance:g} m", 12, FAINT, ha="center")
    ax.add_patch(Rectangle((x - 9, y - 17), 14, 34, fc=INK, lw=0, zorder=6))
    text(ax, x - 4, y - 29, name, ha="center")
    for number, way in enumerate(ways):
        walking_line(ax, *((x + scale * ahead, y + scale * left) for ahead, left in way), both=number == 0)


def walking_line(ax: Axes, start: tuple[float, float], end: tuple[float, float], both: bool = True) -> None:
    """A way that is walked in one direction or both."""
    arrow(ax, start, end, WALK, arrowstyle="<|-|>" if both else "-|>", lw=3, mutation_scale=16)


def notes(ax: Axes, x: float, lines: Sequence[str]) -> None:
    """Lines beside the floor."""
    text(ax, x, FLOOR - 22, "From above", 15.5)
    for number, line in enumerate(lines):
        text(ax, x, FLOOR - 48 - 20 * number, line)


DEPTH_SENSOR = ["Walk past, both ways,", "and towards the sensor."]


def kinect(ax: Axes) -> None:
    """Kinect v2, whose axes are the canonical ones."""
    two_panels(ax, Kind("25 joints, metres, y up", CANONICAL, "the sensor", SENSOR, 1, KINECT_V2))
    sensor(ax, "Kinect", 70, (1.8, 4), [((2.7, -1.5), (2.7, 1.5)), ((3.5, 1.6), (2.0, -0.7))], scale=48)
    notes(ax, 340, [*DEPTH_SENSOR, "", "Blue: the left side.", "Orange: not used."])


def azure_kinect(ax: Axes) -> None:
    """Azure Kinect, whose y points down."""
    two_panels(ax, Kind("32 joints, mm, y down", CAMERA, "the sensor", SENSOR, 1000, AZURE))
    sensor(ax, "Azure", 75, (1.7, 3.8), [((2.6, -1.6), (2.6, 1.6)), ((3.2, 1.6), (1.9, -0.7))], scale=46)
    notes(ax, 340, [*DEPTH_SENSOR, "", "Blue: the left side.", "Orange: not used."])


def video(ax: Axes) -> None:
    """A video, in which MediaPipe estimates a body about its hips."""
    kind = Kind("33 joints, metres, y down", CAMERA, "middle of the hips", HIPS, 1, MEDIAPIPE, MEDIAPIPE_LACKS)
    two_panels(ax, kind, "From the picture")
    sensor(ax, "camera", 60, (3, 5.5), [((4.5, -2.2), (4.5, 2.2))], scale=41)
    how = ["Walk past for 4 seconds,", "both ways."]
    notes(ax, 340, [*how, "", "Blue: the left side.", "Orange: other joints.", "Dotted: placed joints."])


def pose_files(ax: Axes) -> None:
    """Landmarks in metres, which are read, and those of a picture, which are not."""
    kind = Kind("33 joints, metres, y down", CAMERA, "middle of the hips", HIPS, 1, MEDIAPIPE, MEDIAPIPE_LACKS)
    two_panels(ax, kind, "World landmarks")
    ax.add_patch(Rectangle((8, 10), WIDTH - 16, FLOOR - 20, fc="#fef2f2", ec="#fecaca", lw=1))
    text(ax, 20, FLOOR - 32, "2D keypoints and image landmarks: refused", 15.5, FLAW)
    ax.add_patch(Rectangle((40, 22), 190, 176, fc=PAPER, ec=INK, lw=1.4))
    scale = 0.66
    front = np.array([135, 34]) + scale * SCALE * projected(BODY, 0, 0)
    bones(ax, front)
    ax.plot(*front.T, "o", color=INK, ms=4, zorder=5)
    for name, end in (("x", (82, 198)), ("y", (40, 156))):
        arrow(ax, (40, 198), end, AXES[name])
    text(ax, 90, 189, "x", 13, AXES["x"])
    text(ax, 48, 152, "y", 13, AXES["y"])
    side = 300 + 0 * front[:, 0]
    ax.plot(side, front[:, 1], "o-", color=FLAW, ms=4, lw=2.2, zorder=5)
    text(ax, 300, 22, "from the side", 12, FAINT, ha="center")
    lines = ["All joints are in", "one plane: no depth."]
    for number, line in enumerate(lines):
        text(ax, 350, 130 - 20 * number, line)


def motion_capture(ax: Axes) -> None:
    """Motion capture, with z up."""
    center = (0.6, 0.0, 0.8)
    two_panels(ax, Kind("markers, mm, z up", Z_UP, "on the floor of the room", center, 1000, {}))
    corners = [(48, 34), (48, FLOOR - 34), (190, 22), (190, FLOOR - 22), (332, 34), (332, FLOOR - 34)]
    ax.add_patch(Rectangle((78, 60), 224, FLOOR - 120, fc="#ccfbf1", lw=0))
    middle = np.array([190, FLOOR / 2])
    for corner in corners:
        way = middle - corner
        way /= np.linalg.norm(way)
        across = np.array([-way[1], way[0]])
        shape = np.array([corner - 9 * across, corner + 9 * across, corner + 14 * way])
        ax.fill(*shape.T, color=INK, lw=0, zorder=6)
    walking_line(ax, (82, FLOOR / 2), (298, FLOOR / 2))
    for name, end in (("x", (130, 70)), ("y", (92, 108))):
        arrow(ax, (92, 70), end, AXES[name])
    text(ax, 138, 70, "x", 13, AXES["x"], ha="center")
    text(ax, 92, 117, "y", 13, AXES["y"], ha="center")
    notes(
        ax, 356, ["Walk straight through", "the middle, both ways.", "Cut off the turns.", "", "Blue: the left side."]
    )


def main() -> None:
    """Writes a picture for each page."""
    for draw in (kinect, azure_kinect, video, pose_files, motion_capture):
        picture = Figure(figsize=(WIDTH / 72, (FLOOR + PANEL) / 72), facecolor=PAPER)
        ax = picture.add_axes((0, 0, 1, 1))
        ax.set(xlim=(0, WIDTH), ylim=(0, FLOOR + PANEL))
        ax.axis("off")
        draw(ax)
        target = Path(__file__).with_suffix("") / f"{draw.__name__}.svg"
        picture.savefig(target, metadata={"Date": None, "Creator": None})
        print(target)


if __name__ == "__main__":
    main()
