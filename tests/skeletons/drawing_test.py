import re
import subprocess
import sys

import numpy as np
import pytest

from agegait import skeletons
from agegait.skeletons import drawing
from tfds_builders.walkers import generator

JOINTS = skeletons.JOINTS
WALK, _ = generator.walk(3, "a", 0)


def standing():
    """Somebody who stands with arms hanging, faces the viewer and points ahead with the left forearm."""
    left = {"Shoulder": (0.2, 1.4), "Elbow": (0.22, 1.1), "Wrist": (0.22, 1.1), "Hand": (0.22, 1.1)}
    left |= {"Hip": (0.1, 0.9), "Knee": (0.1, 0.5), "Ankle": (0.1, 0.1), "Foot": (0.1, 0.0)}
    middle = {"HipCenter": (0, 0.95), "Spine": (0, 1.1), "ShoulderCenter": (0, 1.45), "Head": (0, 1.65)}
    places = {**middle, **{f"{part}Left": place for part, place in left.items()}}
    places |= {f"{part}Right": (-x, y) for part, (x, y) in left.items()}
    skeleton = np.array([(*places[joint], 0.0) for joint in JOINTS])
    skeleton[[JOINTS.index("WristLeft"), JOINTS.index("HandLeft")], 2] = 0.25, 0.3
    return skeleton


def drawn(ax):
    """The joints that an axes shows, by the colour of their markers."""
    lines = [line for line in ax.lines if line.get_marker() == "o"]
    return {line.get_color(): np.transpose(line.get_data()) for line in lines}


def test_a_figure_shows_front_and_side_with_sides_in_their_colours():
    figure = drawing.skeleton_figure(standing(), title="Anna")
    front, side = figure.axes
    assert figure.get_suptitle() == "Anna"
    assert (front.get_title(), side.get_title()) == ("front", "side")
    assert (front.get_xlabel(), side.get_xlabel()) == ("to its left, m", "ahead, m")
    assert front.get_ylabel() == "up (along y), m"
    assert (front.get_aspect(), side.get_aspect()) == (1, 1)
    hand, foot = (drawn(front)[drawing.COLORS["left"]][index] for index in (3, 7))
    np.testing.assert_allclose([hand, foot], [(0.22, 1.1), (0.1, 0)], atol=1e-12)
    np.testing.assert_allclose(drawn(front)[drawing.COLORS["right"]][3], (-0.22, 1.1), atol=1e-12)
    np.testing.assert_allclose(drawn(side)[drawing.COLORS["left"]][2:4], [(0.25, 1.1), (0.3, 1.1)], atol=1e-12)
    bones = [line.get_xydata().reshape(-1, 3, 2) for line in front.lines if line.get_marker() != "o"]
    assert sum(map(len, bones)) == len(skeletons.BONES)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["left", "right"]


def test_a_figure_can_be_saved_as_a_picture(tmp_path):
    drawing.skeleton_figure(WALK[0]).savefig(tmp_path / "skeleton.png")
    assert (tmp_path / "skeleton.png").read_bytes().startswith(b"\x89PNG")


def test_a_few_frames_have_a_column_each_at_one_scale():
    figure = drawing.skeleton_figure(WALK[[0, 8, 16]])
    assert [ax.get_title() for ax in figure.axes] == [
        f"{view}, frame {n}" for view in ("front", "side") for n in range(3)
    ]
    assert len({(ax.get_xlim(), ax.get_ylim()) for ax in figure.axes}) == 1
    for ax in figure.axes:
        for joints in drawn(ax).values():
            assert (joints >= [ax.get_xlim()[0], ax.get_ylim()[0]]).all()
            assert (joints <= [ax.get_xlim()[1], ax.get_ylim()[1]]).all()


def test_what_was_rebuilt_is_drawn_over_what_was_recorded_frame_by_frame():
    window = WALK[[0, 4, 8]]
    shift = np.array([0.0, 0.1, 0.0])  # y is up
    figure = drawing.rebuilt_figure(window, window + shift, ["a", "b", "c"])
    assert [ax.get_title() for ax in figure.axes] == ["a", "b", "c", "", "", ""]
    assert len({(ax.get_xlim(), ax.get_ylim()) for ax in figure.axes}) == 1
    for ax in figure.axes:
        shown = drawn(ax)
        assert set(shown) == {drawing.RECORDED, *drawing.COLORS.values()}
        joints = [np.transpose(line.get_data()) for line in ax.lines if line.get_marker() == "o"]
        for recorded, rebuilt in zip(joints[:3], joints[3:], strict=True):
            np.testing.assert_allclose(rebuilt - recorded, [[0, 0.1]] * len(recorded), atol=1e-6)


def test_a_frame_that_bursts_the_picture_is_cut_off_and_leaves_the_others_their_size():
    window = WALK[[0, 4, 8]]
    burst = window.copy()
    burst[1, 3:] *= 40
    usual, cut = (drawing.rebuilt_figure(window, frames).axes[0].get_xlim()[1] for frames in (window, burst))
    assert usual <= cut < 2 * usual


def test_only_frames_alike_are_drawn_over_each_other():
    for other in (WALK[:2], WALK[:3, :19], np.concatenate([WALK[:3]] * 3)):
        with pytest.raises(ValueError, match="recorded, rebuilt: expected 1 to 8 frames"):
            drawing.rebuilt_figure(WALK[:3], other)


# Turns of the coordinates that keep them right-handed: by axis, where the body's right, up and front come to lie.
TURNS = {
    "y": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "-y": [[-1, 0, 0], [0, -1, 0], [0, 0, 1]],
    "z": [[1, 0, 0], [0, 0, 1], [0, -1, 0]],
    "-z": [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
    "x": [[0, -1, 0], [1, 0, 0], [0, 0, 1]],
    "-x": [[0, 1, 0], [-1, 0, 0], [0, 0, 1]],
}


@pytest.mark.parametrize("up", TURNS)
@pytest.mark.parametrize("angle", [0.0, 0.7, 3.0])
def test_whatever_is_up_and_wherever_it_faces_a_body_is_drawn_upright_and_facing_the_viewer(up, angle):
    around = [[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)]]
    turned = standing() @ np.array(around) @ np.array(TURNS[up]) + [3, -2, 1]
    expected, _ = drawing._facing(standing()[None])
    body, found = drawing._facing(turned[None])
    assert found == up
    np.testing.assert_allclose(body, expected, atol=1e-9)
    assert f"up (along {up}), m" in drawing.skeleton_figure(turned).axes[0].get_ylabel()
    assert drawing.skeleton_text(turned).endswith(f" {up} is up")


def picture(text):
    """The dots of Braille lines as an array of bool, by the table of Unicode: dots 1, 2, 3, 7 on the left."""
    lines = text.split("\n")
    dots = np.zeros((4 * len(lines), 2 * max(map(len, lines))), bool)
    for row, line in enumerate(lines):
        for column, character in enumerate(line):
            for number, (down, right) in enumerate([(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (3, 0), (3, 1)]):
                dots[4 * row + down, 2 * column + right] = (ord(character) - 0x2800) >> number & 1
    return dots


def test_text_shows_a_body_upright_from_the_front_and_from_its_side():
    *lines, names, caption = drawing.skeleton_text(standing(), columns=40, rows=20).split("\n")
    assert (len(lines), names.split(), caption.strip()) == (20, ["front", "side"], "y is up")
    dots = picture("\n".join(lines))
    height = np.flatnonzero(dots.any(axis=1))
    assert height[0] <= 4 < 76 <= height[-1]  # as large as there is room
    front, side = dots[:, :40], dots[:, 40:]
    assert front[height[-1]].nonzero()[0].max() > 20 > front[height[-1]].nonzero()[0].min()  # two feet
    # The hand that points ahead reaches far to the right in the view from the side, and nothing does behind the body.
    assert side.nonzero()[1].max() - 20 > 3
    # The left is drawn through, the right in every other dot.
    shin = slice(height[-1] - 18, height[-1] - 6)
    assert front[shin, 20:].any(axis=1).all()
    assert 0 < front[shin, :20].any(axis=1).mean() < 0.7


@pytest.mark.parametrize(("columns", "rows"), [(16, 8), (40, 20), (41, 20), (120, 12), (30, 50)])
def test_text_keeps_to_its_room(columns, rows):
    for frame in WALK[::40]:
        lines = drawing.skeleton_text(frame, columns, rows).split("\n")
        assert len(lines) == rows + 2
        assert max(map(len, lines)) <= columns
        # Nothing is cut off: the outermost dots stay free.
        dots = np.zeros((4 * rows, 2 * columns), bool)
        found = picture("\n".join(lines[:rows]))
        dots[:, : found.shape[1]] = found
        assert dots.any()
        assert not dots[[0, -1]].any()
        assert not dots[:, [0, -1]].any()


@pytest.mark.parametrize("scale", [1e-3, 1, 1000])
def test_text_is_the_same_in_any_unit(scale):
    assert drawing.skeleton_text(scale * standing()) == drawing.skeleton_text(standing())


def test_joints_that_are_not_there_are_not_drawn():
    for joint in range(20):
        skeleton = WALK[40].copy()
        skeleton[joint] = np.nan if joint % 2 else np.inf
        assert drawing.skeleton_text(skeleton) != drawing.skeleton_text(WALK[40])
        front = drawing.skeleton_figure(skeleton).axes[0]
        assert sum(np.isfinite(joints).all(axis=-1).sum() for joints in drawn(front).values()) == 19


def test_a_body_without_sides_is_drawn_all_the_same():
    skeleton = standing()
    skeleton[:, 0] = 0
    assert picture(drawing.skeleton_text(skeleton).rsplit("\n", 2)[0]).any(axis=1).sum() > 70
    assert len(drawing.skeleton_figure(skeleton).axes) == 2


@pytest.mark.parametrize("shape", [(20,), (20, 2), (17, 3), (0, 20, 3), (9, 20, 3), (1, 1, 20, 3)])
def test_what_is_no_skeleton_is_refused(shape):
    with pytest.raises(ValueError, match=re.escape(f"received {list(shape)}")):
        drawing.skeleton_figure(np.zeros(shape))
    with pytest.raises(ValueError, match=re.escape(f"skeleton: expected [20, 3], received {list(shape)}")):
        drawing.skeleton_text(np.zeros(shape))


def test_what_has_no_head_over_feet_is_refused():
    for draw in (drawing.skeleton_figure, drawing.skeleton_text):
        with pytest.raises(ValueError, match="expected a head over feet, found none"):
            draw(np.zeros((20, 3)))
        with pytest.raises(ValueError, match="expected finite coordinates, found none in frame 0"):
            draw(np.full((20, 3), np.nan))
        without_feet = standing()
        without_feet[[14, 15, 18, 19]] = np.nan
        with pytest.raises(ValueError, match="expected a head over feet, found none"):
            draw(without_feet)


def test_too_little_room_is_refused():
    for columns, rows in ((15, 20), (40, 7)):
        with pytest.raises(ValueError, match=f"expected at least 16 and 8, received {columns} and {rows}"):
            drawing.skeleton_text(standing(), columns, rows)


def test_importing_costs_no_matplotlib():
    code = (
        "import sys, agegait.skeletons.drawing; print({'matplotlib', 'PIL', 'tensorflow', 'keras'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_drawing_needs_no_display_and_leaves_pyplot_alone():
    code = (
        "import sys, numpy; from agegait.skeletons import drawing; x = numpy.arange(60.).reshape(20, 3); "
        "drawing.skeleton_figure(x).savefig('/dev/null', format='png'); drawing.skeleton_text(x); "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
