"""Tables that Qualisys Track Manager exports."""

import numpy as np
import pytest
from support.bodies import walk
from support.walk_writing import refused, write

from agegait.data import WalkFormat, load_walk
from agegait.recordings import read_recordings
from agegait.skeletons import JOINTS

BODY = walk(20).astype(float)
ORDER = np.random.default_rng(3).permutation(len(JOINTS))


def exported(columns):
    """In millimetres, z up; with a header and columns of the frame and time, as newer versions write it, or without."""
    names = [JOINTS[joint] for joint in ORDER]
    lines = [
        "NO_OF_FRAMES\t20",
        "NO_OF_CAMERAS\t8",
        f"NO_OF_MARKERS\t{len(names)}",
        "FREQUENCY\t100",
        "NO_OF_ANALOG\t0",
        "ANALOG_FREQUENCY\t0",
        "DESCRIPTION\t--",
        "TIME_STAMP\t2022-06-03, 10:47:36.627\t94247.45402301",
        "DATA_INCLUDED\t3D",
        "\t".join(["MARKER_NAMES", *names]),
    ]
    if columns:
        lines.append("\t".join(["TRAJECTORY_TYPES", *["Measured"] * len(names)]))
        lines.append("\t".join(["Frame", "Time", *(f"{name} {axis}" for name in names for axis in "XYZ")]))
    for frame, body in enumerate(BODY[:, ORDER][..., [0, 2, 1]] * [-1000, 1000, 1000]):
        before = [str(frame + 1), f"{frame / 100:.5f}"] if columns else []
        lines.append("\t".join([*before, *(f"{number:.3f}" for number in body.ravel())]))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("columns", [True, False])
def test_markers_units_and_rate_are_as_the_file_says(tmp_path, columns):
    path = write(tmp_path / "walk.tsv", exported(columns))
    (recording,) = read_recordings(path)
    assert recording.names == tuple(JOINTS[joint] for joint in ORDER)
    assert recording.units == "mm"
    found = load_walk(path, WalkFormat(up="z"))
    assert found.frame_rate == pytest.approx(100)
    np.testing.assert_allclose(found.skeleton[..., 1], BODY[..., 1], atol=1e-3)
    refused(path, "expected y to point up, found a body that stands along z")
