"""Tables whose cells hold x, y and z together."""

import csv
import io

import numpy as np
import pytest
from support.walk_writing import KINECT_V2, kinect_v2, refused, write

from agegait.data import load_walk
from agegait.recordings import read_recordings
from tfds_builders.walkers import generator


@pytest.fixture(scope="module")
def person():
    """A walker's frames, [70, 25, 3] in the joints of Kinect v2: more rows than are looked at before it is read."""
    return kinect_v2(np.resize(generator.walk(0, "a", 0)[0].astype(float), (70, 20, 3))).round(3)


def table(walk, cell, separator=","):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(["Time", *KINECT_V2, "Rotation"])
    for frame, body in enumerate(walk):
        writer.writerow([f"{frame / 30:.4f}", *map(cell, body.tolist()), "(0.0, 0.0, 0.0, 1.0)"])
    return text.getvalue()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    "cell", ["({:.3f}, {:.3f}, {:.3f})", "[{:.3f} {:.3f} {:.3f}]", "[{}, {}, {}]", "({:.4e};{:.4e};{:.4e})"]
)
def test_cells_are_read(tmp_path, person, cell, separator):
    path = write(tmp_path / "walk.csv", table(person, lambda place: cell.format(*place), separator))
    (recording,) = read_recordings(path)
    np.testing.assert_allclose(recording.coordinates, person, atol=1e-3)
    walk = load_walk(path)
    assert walk.skeleton.shape == (70, 20, 3)
    assert walk.frame_rate == pytest.approx(30, rel=1e-3)


def test_a_cell_without_a_number_is_told_with_its_line(tmp_path, person):
    text = table(person, lambda place: "({:.3f}, {:.3f}, {:.3f})".format(*place)).split("\r\n")
    text[66] = text[66].replace("(", "(x", 1)
    refused(write(tmp_path / "walk.csv", "\n".join(text)), "line 67")
