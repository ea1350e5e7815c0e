import dataclasses

import numpy as np
import pytest
from support.made_poses import made_pose

from agegait.recordings.video.drawing import draw_label, draw_pose

pytest.importorskip("cv2", reason="needs OpenCV, which comes with agegait[video]")


def picture():
    return np.full((1080, 1920, 3), 128, "uint8")


def test_left_is_blue_and_right_is_orange():
    drawn, pose = picture(), made_pose(0)
    draw_pose(drawn, pose)
    blue, _, red = drawn.astype(int).transpose(2, 0, 1)
    left, right = (np.argwhere(color)[:, 1] for color in (blue - red > 100, red - blue > 100))
    assert left.min() > right.max(), "the left side of who faces the camera is at the picture's right"
    places = np.argwhere((drawn != 128).any(axis=-1))[:, ::-1]
    assert (np.abs(places.min(axis=0) - pose.image[7:].min(axis=0)) < (15, 40)).all(), "with a round head"
    assert (np.abs(places.max(axis=0) - pose.image[7:].max(axis=0)) < 15).all()


@pytest.mark.parametrize("place", [(1e9, 0), (-1e9, 1e9), (np.nan, 0)])
def test_what_is_out_of_the_picture_or_not_visible_is_left_out(place):
    pose, drawn = made_pose(0), picture()
    pose.image[15] = place
    draw_pose(drawn, pose)
    drawn = picture()
    draw_pose(drawn, dataclasses.replace(pose, visibility=np.zeros(33)))
    assert (drawn == 128).all()


@pytest.mark.parametrize("x", [-5.0, 0.0, 5.0])
@pytest.mark.parametrize("text", ["Анна, 97 %", "x" * 500, "\x1b[31m", ""])
def test_a_label_is_within_the_picture(x, text):
    drawn = picture()
    draw_label(drawn, made_pose(x), text)
    assert (drawn != 128).any()
