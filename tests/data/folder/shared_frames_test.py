"""Two people's recordings that have frames in common."""

import re

import numpy as np
import pytest
from support.bodies import walk

from agegait.data import WalkFolder
from agegait.data.folder.inputs import check_labels, read_inputs
from agegait.data.folder.shared_frames import frame_descriptors, with_frames_in_common
from agegait.skeletons import STANDING, mirrored

ONE, OTHER, THIRD = walk(60, 0), walk(60, 1), walk(60, 2)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body[:-1],
        lambda body: body[25:],
        lambda body: body[::2],
        lambda body: body.round(2),
        lambda body: np.concatenate([OTHER[:40], body]),
        lambda body: body + np.array([0.5, 0.1, -0.7]),
        lambda body: body - body[:, :1],
        lambda body: body @ np.array([[0.8, 0, 0.6], [0, 1, 0], [-0.6, 0, 0.8]]),
        mirrored,
        lambda body: (0.6 * body[:-1] + 0.4 * body[1:])[::-1],
    ],
    ids=[
        *("last frame cut off", "begins later", "every second frame", "rounded to centimetres", "behind others"),
        *("moved", "centred", "turned", "mirrored", "at other times, backwards"),
    ],
)
def test_one_recording_of_two_people_is_refused_however_it_was_cut(tmp_path, change):
    for person, skeleton in (("anna", ONE), ("ben", change(ONE)), ("cleo", THIRD)):
        (tmp_path / person).mkdir()
        np.save(tmp_path / person / "1.npy", skeleton)
    message = "one recording under two people, anna and ben: one of the labels is wrong"
    with pytest.raises(ValueError, match=re.escape(f"{message} (anna/1, ben/1).")):
        WalkFolder(tmp_path)
    with pytest.raises(ValueError, match=message):
        check_labels(read_inputs([tmp_path]).walks)


def test_other_recordings_and_those_of_one_person_are_let_be():
    walks = [walk(60, person, number) for person in range(4) for number in range(3)]
    descriptors = [frame_descriptors(body) for body in walks]
    assert with_frames_in_common(descriptors, [str(place // 3) for place in range(12)]) == []
    assert with_frames_in_common([descriptors[0], descriptors[0][5:]], ["anna", "anna"]) == []


def test_a_posture_that_two_people_on_one_rig_share_is_no_recording():
    rest = np.repeat(STANDING[None], 40, axis=0)
    walks = [np.concatenate([rest, walk(20, person)]) for person in range(2)]
    assert with_frames_in_common([frame_descriptors(body) for body in walks], ["anna", "ben"]) == []
