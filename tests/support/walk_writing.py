"""Walks in Kinect v2 joints, and files of them in every layout that is read, for tests."""

import numpy as np
import pytest

from agegait import skeletons
from agegait.data import read_walk

KINECT_V2 = skeletons.SCHEMAS["kinect_v2"].joints
BESIDE = {"Neck": "SpineShoulder"} | {
    f"{tip}{side}": f"Hand{side}" for tip in ("HandTip", "Thumb") for side in ("Left", "Right")
}
"""Joints that the canonical ones have not, each near one that they have."""


STYLES = [
    *("{joint}_{axis}", "{joint}.{axis}", "{joint}{axis}", "{axis}_{joint}", "{axis}{joint}", "{joint} ({axis})"),
    *("{joint}[{axis}]", "{joint}:{axis}", "{joint}_pos_{axis}", "{joint}.Position.{axis}", "{joint}-{axis}"),
]
"""How columns of coordinates may be called."""


def write(path, content):
    path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content)
    return path


def kinect_v2(walk):
    """A walk [T, 20, 3] in canonical joints as [T, 25, 3] in those of Kinect v2."""
    place = {names[0]: index for index, names in enumerate(skeletons.SCHEMAS["kinect_v2"].sources)}
    joints = [
        walk[:, place[name]] if name in place else walk[:, place[BESIDE[name]]] + [0, 0.06, 0] for name in KINECT_V2
    ]
    return np.stack(joints, axis=1)


def wide_text(walk, names=KINECT_V2, style="{joint}_{axis}", separator=",", columns=None):
    """A table with a row for each frame; `columns` are further ones, name -> a value for each frame."""
    columns = columns or {}
    header = [*columns, *(style.format(joint=name, axis=axis) for name in names for axis in "xyz")]
    rows = [
        [*(str(column[frame]) for column in columns.values()), *(repr(float(value)) for value in walk[frame].ravel())]
        for frame in range(len(walk))
    ]
    return "".join(separator.join(row) + "\n" for row in [header, *rows])


def long_text(walk, names=KINECT_V2, separator=",", columns=None):
    """A table with a row for each joint of each frame."""
    columns = columns or {}
    rows = [[*columns, "frame", "joint", "x", "y", "z"]]
    for frame, skeleton in enumerate(walk):
        for name, place in zip(names, skeleton, strict=True):
            more = [str(column[frame]) for column in columns.values()]
            rows.append([*more, str(frame), str(name), *(repr(float(value)) for value in place)])
    return "".join(separator.join(row) + "\n" for row in rows)


def frame_text(skeleton, states=None):
    """A frame file of BIWI: 20 rows of 14 columns."""
    states = np.full(20, 2) if states is None else states
    rows = [
        [str(joint), *map(repr, map(float, place)), "0", "0", str(int(state)), *["0"] * 7]
        for joint, (place, state) in enumerate(zip(skeleton, states, strict=True))
    ]
    return "".join(",".join(row) + "\n" for row in rows)


def refused(path, message):
    """Sees to it that a walk is refused, by the name of its file."""
    with pytest.raises(ValueError, match=message) as refusal:
        read_walk(path)
    assert str(path) in str(refusal.value)
