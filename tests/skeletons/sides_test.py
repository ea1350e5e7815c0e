import numpy as np
import pytest
from support.bodies import walk

from agegait.skeletons import JOINTS, MIRRORED
from agegait.skeletons.sides import sides_exchanged, turned_against_each_other

WITHOUT_FEET = [*range(15), 14, *range(16, 19), 18]


# Of who walks on the spot, feet alone say where the front is.
@pytest.mark.parametrize(
    ("number", "joints"), [*((number, range(20)) for number in range(3)), (1, WITHOUT_FEET), (2, WITHOUT_FEET)]
)
def test_exchanged_sides_and_mirrors_are_found_whichever_way_a_person_walks(number, joints):
    for person in range(3):
        body = walk(60, person, number)[:, list(joints)]
        turned = body[..., [2, 1, 0]] * [1, 1, -1]
        for right in (body, turned):
            assert not sides_exchanged(right)
            assert sides_exchanged(right * [-1, 1, 1])
            assert sides_exchanged(right[:, list(MIRRORED)])


@pytest.mark.parametrize("body", [np.zeros((20, 20, 3)), walk(8) * [-1, 1, 1]], ids=["nothing", "too short"])
def test_what_says_nothing(body):
    assert not sides_exchanged(body)


@pytest.mark.parametrize("parts", [("Shoulder", "Elbow", "Wrist", "Hand"), ("Hip", "Knee", "Ankle", "Foot")])
def test_arms_or_legs_alone_that_are_exchanged_are_found(parts):
    one_pair = [MIRRORED[place] if joint.startswith(parts) else place for place, joint in enumerate(JOINTS)]
    for number in range(3):
        body = walk(60, 1, number)
        assert not turned_against_each_other(body)
        assert not turned_against_each_other(body[:, list(MIRRORED)])
        assert turned_against_each_other(body[:, one_pair])
