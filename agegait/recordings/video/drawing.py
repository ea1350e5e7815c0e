"""Skeletons and names drawn over pictures."""

from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from agegait import skeletons
from agegait.recordings.formats.tracking import LEAST_CONFIDENCE
from agegait.recordings.video import packages
from agegait.recordings.video.pose import Pose
from agegait.skeletons.drawing import COLORS
from agegait.terminal.visible_text import visible

KNOWN = "#007a5a"
"""Behind the name of somebody who is recognised."""

OTHER = "#404040"
"""Behind what is said of everybody else."""

_NAMES = skeletons.SCHEMAS["mediapipe_pose"].joints
_CHAINS = (
    *(f"{side}_shoulder {side}_elbow {side}_wrist {side}_index" for side in ("left", "right")),
    *(f"{side}_shoulder {side}_hip {side}_knee {side}_ankle {side}_foot_index" for side in ("left", "right")),
    "left_shoulder right_shoulder",
    "left_hip right_hip",
)
_BONES = [
    (_NAMES.index(start), _NAMES.index(end)) for chain in map(str.split, _CHAINS) for start, end in pairwise(chain)
]
_SHOULDERS = [_NAMES.index("left_shoulder"), _NAMES.index("right_shoulder")]
_EARS = [_NAMES.index("left_ear"), _NAMES.index("right_ear")]
_THICKNESS = 0.025  # metres
_HEAD = 0.1
_LIMITS = 2, 24  # pixels
_OUTLINE = 2
_LETTERS = 0.03  # of the picture's height
_FRACTION = 4  # bits of a pixel's parts in coordinates, for OpenCV


def draw_pose(picture: np.ndarray, pose: Pose) -> None:
    """Draws a skeleton into a picture: the left side blue, the right orange. What is not visible is left out."""
    cv2 = packages.opencv()
    thickness = int(np.clip(np.nan_to_num(_THICKNESS * pose.scale), *_LIMITS))
    seen = (pose.visibility >= LEAST_CONFIDENCE) & np.isfinite(pose.image).all(axis=-1)
    places = np.round(np.clip(np.nan_to_num(pose.image), -1e4, 1e4) * 2**_FRACTION).astype(int)
    bones = [(start, end) for start, end in _BONES if seen[start] and seen[end]]
    for width, fixed in ((thickness + 2 * _OUTLINE, (255, 255, 255)), (thickness, None)):
        for start, end in bones:
            color = fixed or _bgr(COLORS[_side(start, end)])
            ends = tuple(places[start].tolist()), tuple(places[end].tolist())
            cv2.line(picture, *ends, color, width, cv2.LINE_AA, _FRACTION)
        if seen[_EARS + _SHOULDERS].any():
            head = places[_EARS].mean(axis=0).astype(int).tolist()
            radius = int(np.clip(np.nan_to_num(_HEAD * pose.scale), 3, 500)) << _FRACTION
            cv2.circle(picture, head, radius, fixed or _bgr(COLORS["middle"]), width, cv2.LINE_AA, _FRACTION)


def draw_label(picture: np.ndarray, pose: Pose, text: str, color: str = OTHER) -> None:
    """Writes a line above somebody, within the picture."""
    from PIL import Image, ImageDraw

    height, width = picture.shape[:2]
    font = _font(max(12, round(_LETTERS * height)))
    pad = font.size // 3
    text = visible(text)
    label_width = min(width, round(font.getlength(text)) + 2 * pad)
    label_height = min(height, sum(font.getmetrics()) + pad)
    label = Image.new("RGB", (label_width, label_height), color)
    ImageDraw.Draw(label).text((pad, pad // 2), text, "white", font)
    middle, top = pose.image[:, 0].mean(), pose.image[:, 1].min()
    left = int(np.clip(middle - label_width / 2, 0, width - label_width))
    above = int(np.clip(top - 0.12 * pose.scale - label_height, 0, height - label_height))
    picture[above : above + label_height, left : left + label_width] = np.asarray(label)[..., ::-1]


@cache
def _font(size: int):  # type: ignore[no-untyped-def]
    """DejaVu Sans, which matplotlib brings: Latin, Greek, Cyrillic, Arabic and more."""
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)


def _side(start: int, end: int) -> str:
    sides = {_NAMES[joint].partition("_")[0] for joint in (start, end)}
    return sides.pop() if len(sides) == 1 else "middle"


def _bgr(color: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return blue, green, red
