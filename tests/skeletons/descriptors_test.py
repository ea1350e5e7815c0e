import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from support.budget import examples

from agegait.skeletons import JOINTS, descriptors

# A person of round measures: metres, x to the person's left, y up, feet on the floor at 0.
PERSON = {
    "Head": (0, 1.7, 0), "ShoulderCenter": (0, 1.5, 0), "Spine": (0, 1.1, 0), "HipCenter": (0, 1.0, 0),
    "ShoulderLeft": (0.2, 1.5, 0), "ElbowLeft": (0.2, 1.2, 0), "WristLeft": (0.2, 1.0, 0), "HandLeft": (0.2, 0.9, 0),
    "ShoulderRight": (-0.3, 1.5, 0), "ElbowRight": (-0.3, 1.1, 0),
    "WristRight": (-0.3, 1.1, 0.3), "HandRight": (-0.3, 1.1, 0.4),
    "HipLeft": (0.1, 1.0, 0), "KneeLeft": (0.1, 0.5, 0), "AnkleLeft": (0.1, 0.1, 0), "FootLeft": (0.1, 0.0, 0.1),
    "HipRight": (-0.1, 1.0, 0), "KneeRight": (-0.1, 0.6, 0), "AnkleRight": (-0.1, 0.3, 0),
    "FootRight": (-0.1, 0.2, 0.1),
}  # fmt: skip

MEASURES = {
    "head height": 1.7,
    "neck height": 1.5,
    "neck to left shoulder": 0.2,
    "neck to right shoulder": 0.3,
    "torso to right shoulder": 0.5,
    "right arm": 0.4 + 0.4,
    "left arm": 0.3 + 0.3,
    "right upper leg": 0.4,
    "left upper leg": 0.5,
    "torso": 0.4,
    "hip to hip": 0.2,
    "torso / right upper leg": 1.0,
    "torso / left upper leg": 0.8,
    "right lower leg": 0.3,
    "left lower leg": 0.4,
    "shoulder to shoulder": 0.5,
}


@pytest.fixture
def person():
    return np.array([PERSON[joint] for joint in JOINTS])


def test_by_hand(person):
    assert tuple(MEASURES) == descriptors.D16
    assert descriptors.D16[:13] == descriptors.D13
    np.testing.assert_allclose(descriptors.d16(person), list(MEASURES.values()))
    np.testing.assert_allclose(descriptors.d13(person), list(MEASURES.values())[:13])


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=examples(30))
def test_place_mirror_and_turns_about_the_upright_do_not_matter(seed):
    random = np.random.default_rng(seed)
    skeletons = random.normal(size=(3, 20, 3))
    expected = descriptors.d16(skeletons)
    angle = random.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    np.testing.assert_allclose(descriptors.d16(skeletons @ turn + random.normal(size=3)), expected)
    doubled = expected * np.array([1 if "/" in measure else 2 for measure in descriptors.D16])
    np.testing.assert_allclose(descriptors.d16(2 * skeletons), doubled)


def test_y_may_point_down_where_the_person_stands(person):
    np.testing.assert_allclose(descriptors.d16(person * [1, -1, 1]), descriptors.d16(person))


@pytest.mark.parametrize(("describe", "size"), [(descriptors.d13, 13), (descriptors.d16, 16)])
def test_shapes_and_types(describe, size, person):
    windows = np.broadcast_to(person, (5, 6, 20, 3)).astype("float32")
    described = describe(windows)
    assert described.shape == (5, 6, size)
    assert described.dtype == np.float32
    np.testing.assert_allclose(described[3, 2], describe(person), rtol=1e-6)
    assert describe(np.zeros((0, 20, 3))).shape == (0, size)
    assert describe((100 * person).astype(int)).dtype == np.float64


def test_a_joint_that_was_not_seen_gives_no_infinity():
    assert (descriptors.d16(np.zeros((20, 3))) == 0).all()


@pytest.mark.parametrize("shape", [(20,), (19, 3), (6, 25, 3), (20, 2)])
def test_other_shapes_are_refused(shape):
    for describe in (descriptors.d13, descriptors.d16):
        with pytest.raises(ValueError, match=r"skeleton: expected \[\.\.\., 20, 3\], received"):
            describe(np.zeros(shape))
