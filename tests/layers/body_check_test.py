"""What is taken for a body, in the layer that identifiers and their exports check walks by."""

import keras
import numpy as np
import pytest
from support.bodies import walk, walks

from agegait.layers import BodyCheck
from agegait.skeletons import JOINTS, limbs, mirrored

F = 6
PEOPLE = walks(20, 108)
random = np.random.default_rng(0)


def faults_of(walks):
    """What most windows of each walk show."""
    windows = np.asarray(walks, "float32").reshape(-1, F, *np.shape(walks)[2:])
    faults = np.asarray(BodyCheck()(windows)).reshape(len(walks), -1)
    counts = np.stack([np.bincount(of_walk, minlength=len(BodyCheck.FAULTS)) for of_walk in faults])
    return [BodyCheck.FAULTS[int(fault)] for fault in BodyCheck.most_common(keras.ops.convert_to_tensor(counts))]


def turned(skeleton):
    angle = random.uniform(0, 2 * np.pi)
    cosine, sine = np.cos(angle), np.sin(angle)
    return skeleton @ np.array([[cosine, 0, -sine], [0, 1, 0], [sine, 0, cosine]])


def tilted(skeleton):
    """As a camera sees it that looks down by 25 degrees."""
    cosine, sine = np.cos(np.radians(25)), np.sin(np.radians(25))
    return skeleton @ np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])


def losing(joint, share):
    """A sensor that puts a joint it does not see to its own place."""

    def change(skeleton):
        lost = random.random(len(skeleton)) < share
        return np.where(lost[:, None, None] & (np.arange(20) == JOINTS.index(joint))[:, None], 0, skeleton)

    return change


BODIES = {
    "as recorded": lambda skeleton: skeleton,
    "turned": turned,
    "tilted": tilted,
    "far away": lambda skeleton: skeleton + np.array([20, 5, 30]),
    "standing still": lambda skeleton: np.repeat(skeleton[50:51], F, axis=0),
    "mirrored": mirrored,
    "a child": lambda skeleton: 0.65 * skeleton,
    "a jittering sensor": lambda skeleton: skeleton + 0.03 * random.normal(size=skeleton.shape),
    "a joint lost now and then": losing("HandRight", 0.2),
    "single frames of noise": lambda skeleton: np.where(
        (np.arange(len(skeleton)) % F == 1)[:, None, None], random.normal(size=skeleton.shape), skeleton
    ),
}
NONSENSE = {
    "zeros": (lambda skeleton: 0 * skeleton, "smaller"),
    "one point": (lambda skeleton: 0 * skeleton + random.normal(size=3), "smaller"),
    "millimetres as metres": (lambda skeleton: 1000 * skeleton, "larger"),
    "metres as millimetres": (lambda skeleton: skeleton / 1000, "smaller"),
    "centimetres as metres": (lambda skeleton: 100 * skeleton, "larger"),
    "three times": (lambda skeleton: 3 * skeleton, "larger"),
    "a third": (lambda skeleton: 0.3 * skeleton, "smaller"),
    "upside down": (lambda skeleton: skeleton * [1, -1, 1], "y upwards"),
    "y downwards": (lambda skeleton: skeleton * [1, -1, -1], "y upwards"),
    "x and y exchanged": (lambda skeleton: skeleton[..., [1, 0, 2]], "y upwards"),
    "z upwards": (lambda skeleton: skeleton[..., [0, 2, 1]], "y upwards"),
    "joints in reverse order": (lambda skeleton: skeleton[:, ::-1], "limbs"),
    "joints shuffled": (lambda skeleton: skeleton[:, random.permutation(20)], "limbs"),
    "joints on a line": (
        lambda skeleton: 0 * skeleton + np.linspace(1.7, 0, 20)[:, None] * [0, 1, 0],
        "limbs",
    ),
    "NaN": (lambda skeleton: np.full_like(skeleton, np.nan), "finite"),
    "a joint of NaN": (lambda skeleton: np.where(np.eye(20)[3][:, None], np.nan, skeleton), "finite"),
    "infinity": (lambda skeleton: skeleton + np.inf, "finite"),
    "the largest floats": (lambda skeleton: 3e38 * np.sign(skeleton), "finite"),
}


@pytest.mark.parametrize("change", BODIES.values(), ids=BODIES)
def test_walks_of_people_show_bodies(change):
    assert faults_of([change(person) for person in PEOPLE]) == [""] * len(PEOPLE)


@pytest.mark.parametrize(("change", "fault"), NONSENSE.values(), ids=NONSENSE)
def test_nonsense_shows_none(change, fault):
    assert all(fault in found for found in faults_of([change(person) for person in PEOPLE]))


@pytest.mark.parametrize("scale", [0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 10.0, 1e4])
@pytest.mark.parametrize("still", [False, True])
def test_noise_shows_none(scale, still):
    poses = scale * random.normal(size=(50, 1 if still else F, 20, 3)) + np.zeros((F, 1, 1))
    assert np.asarray(BodyCheck()(poses)).all()


def test_half_of_the_frames_decide():
    window = walk(F).copy()
    window[:3] = 0
    assert faults_of([window]) == [""]
    window[3] = np.nan
    assert "smaller" in faults_of([window])[0]  # of most bad frames


def test_of_other_joints_only_finite_numbers_are_asked():
    windows = random.normal(size=(4, F, 5, 3))
    windows[1, :3], windows[2, :4], windows[3] = np.nan, np.nan, np.inf
    assert np.asarray(BodyCheck(finite_only=True)(windows)).tolist() == [0, 0, 1, 1]
    with pytest.raises(ValueError, match=r"inputs: expected \[..., f, 20, 3\], received a shape of \(4, 6, 5, 3\)"):
        BodyCheck()(windows)


def test_its_words_are_those_of_the_check_before_training():
    assert "0.8 to 2.2 m" in BodyCheck.FAULTS[2]
    assert limbs.BODY_SIZE == (0.8, 2.2)
