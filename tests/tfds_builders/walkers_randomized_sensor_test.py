import numpy as np
import pytest

from agegait import skeletons
from tfds_builders.walkers import randomized_sensor, sensor
from tfds_builders.walkers.randomized_sensor import RandomizedSensor

J = {name: index for index, name in enumerate(skeletons.JOINTS)}
LEGS = [J[f"{limb}{side}"] for limb in ("Knee", "Ankle", "Foot") for side in ("Left", "Right")]
PERFECT = {
    **{"height": 0.0, "tilt": 0.0, "roll": 0.0, "rate": 30.0, "drops": 0.0, "bones": np.ones(19)},
    **{"depth": np.zeros(20), "noise": 0.0, "wander": 0.0, "memory": 0.8, "pull": 0.0, "jumps": 0.0, "swaps": 0.0},
    **{
        "losses": 0.0,
        "drift": 0.0,
        "hips_facing": 0.0,
        "shoulders_facing": 0.0,
        "interpolates": False,
        "smoothing": 0.0,
    },
}


@pytest.fixture(autouse=True)
def same_body_each_walk(monkeypatch):
    monkeypatch.setattr(randomized_sensor, "BONES_OF_A_WALK", 0.0)


@pytest.fixture(scope="module")
def walk():
    """A body that sways before the camera, turned so that its right side is far."""
    turned = skeletons.STANDING[:, [2, 1, 0]] * [-1, 1, 1] + [2.5, 0, 3.0]
    sway = 0.05 * np.sin(np.arange(400) / 5)[:, None] * np.linspace(-1, 1, 20)
    return turned + sway[..., None] * [1.0, 0.0, 0.5]


def record(walk, seed=0, **mistakes):
    camera = RandomizedSensor(**{**PERFECT, **mistakes})
    return camera.record(np.random.default_rng(seed), walk, np.zeros(len(walk)))


def test_a_perfect_one_sees_what_is_there(walk):
    seen, tracked = record(walk)
    np.testing.assert_allclose(seen, walk, atol=1e-12)
    assert tracked.all()


def test_draws_differ_and_take_what_is_given():
    one, other = (RandomizedSensor.draw(np.random.default_rng(seed)) for seed in range(2))
    assert (one.height, one.rate) != (other.height, other.rate)
    assert 25 <= one.rate <= 30
    assert RandomizedSensor.draw(np.random.default_rng(0), rate=28.0).rate == 28.0


def test_joints_lie_elsewhere_along_their_bones(walk):
    bones = 1 + 0.1 * np.arange(19) / 19
    seen, _ = record(walk, bones=bones)
    first, second = np.array(skeletons.BONES).T

    def arrows(joints):
        return joints[:, second] - joints[:, first]

    np.testing.assert_allclose(arrows(seen), bones[:, None] * arrows(walk), atol=1e-12)


def test_both_sides_are_defined_alike():
    drawn = np.array([RandomizedSensor.draw(np.random.default_rng(seed)).bones for seed in range(200)])
    left = [bone for bone, (_, end) in enumerate(skeletons.BONES) if "Left" in skeletons.JOINTS[end]]
    right = [skeletons.BONES.index(tuple(skeletons.MIRRORED[j] for j in skeletons.BONES[bone])) for bone in left]
    for one, other in zip(left, right, strict=True):
        assert np.corrcoef(drawn[:, one], drawn[:, other])[0, 1] > 0.8
    thigh = skeletons.BONES.index((J["HipLeft"], J["KneeLeft"]))
    assert 0.4 * drawn[:, thigh].std() == pytest.approx(randomized_sensor.BONES, rel=0.2)
    assert drawn.std(axis=0).max() < 1.1 * randomized_sensor.SHORT_BONES
    assert drawn.min() > 0.2


def test_clothes_are_nearer_or_farther_than_joints(walk):
    depth = 0.01 * np.arange(20)
    np.testing.assert_allclose(record(walk, depth=depth)[0], walk + depth[:, None] * [0, 0, 1], atol=1e-12)


def test_wandering_is_slow_and_noise_is_not(walk):
    wander = record(walk, wander=1.0, memory=0.95)[0] - walk
    noise = record(walk, noise=1.0)[0] - walk

    def memory(error):
        return np.corrcoef(error[1:].ravel(), error[:-1].ravel())[0, 1]

    assert memory(wander) > 0.9
    assert abs(memory(noise)) < 0.1
    assert wander[:, J["FootLeft"]].std() > 2 * wander[:, J["Head"]].std()


def yaw(joints, limb):
    across = joints[:, J[f"{limb}Right"]] - joints[:, J[f"{limb}Left"]]
    return np.degrees(np.arctan2(across[:, 2], across[:, 0]))


def test_hips_of_somebody_seen_from_the_side_seem_to_face_the_camera(walk):
    seen, _ = record(walk, hips_facing=0.7, shoulders_facing=0.2)
    assert np.abs(yaw(walk, "Hip")).mean() == pytest.approx(90, abs=8)
    assert np.abs(yaw(seen, "Hip")).mean() == pytest.approx(27, abs=8)
    assert np.abs(yaw(seen, "Shoulder")).mean() == pytest.approx(72, abs=8)
    for limb in ("Hip", "Shoulder"):
        left, right = J[f"{limb}Left"], J[f"{limb}Right"]
        np.testing.assert_allclose(seen[:, left] + seen[:, right], walk[:, left] + walk[:, right], atol=1e-12)
        apart = [np.linalg.norm(joints[:, left] - joints[:, right], axis=-1) for joints in (seen, walk)]
        np.testing.assert_allclose(*apart)
    others = [joint for name, joint in J.items() if name[:3] not in ("Hip", "Sho")]
    np.testing.assert_allclose(seen[:, others], walk[:, others], atol=1e-12)


def test_hips_drift_together_and_hands_with_wrists(walk):
    error = record(np.repeat(walk, 5, axis=0), drift=1.0)[0] - np.repeat(walk, 5, axis=0)

    def together(one, other):
        return np.corrcoef(error[:, J[one]].ravel(), error[:, J[other]].ravel())[0, 1]

    assert together("HipLeft", "HipRight") > 0.8
    assert together("HandLeft", "WristLeft") > 0.8
    assert abs(together("KneeLeft", "WristRight")) < 0.4


def test_a_hidden_joint_is_drawn_to_the_one_before_it(walk):
    seen, _ = record(walk, pull=0.5)
    left, right = J["KneeLeft"], J["KneeRight"]
    near, far = (left, right) if walk[0, left, 2] < walk[0, right, 2] else (right, left)
    np.testing.assert_allclose(seen[:, near], walk[:, near], atol=1e-12)
    assert (
        np.linalg.norm(seen[:, far] - seen[:, near], axis=-1).mean()
        < 0.8 * np.linalg.norm(walk[:, far] - walk[:, near], axis=-1).mean()
    )


def test_legs_are_exchanged_for_some_frames_and_nothing_else(walk):
    seen, _ = record(walk, swaps=0.05)
    moved = np.abs(seen - walk).max(axis=(0, 2)) > 1e-9
    assert set(np.flatnonzero(moved)) == set(LEGS)
    exchanged = np.isclose(seen[:, J["KneeLeft"]], walk[:, J["KneeRight"]]).all(axis=-1)
    assert 0.03 < exchanged.mean() < 0.6
    mirror = list(skeletons.MIRRORED)
    either = np.isclose(seen, walk) | np.isclose(seen, walk[:, mirror])
    assert either.all()


def test_jumps_are_those_of_limbs_and_do_not_last(walk):
    off = np.linalg.norm(record(walk, jumps=0.01)[0] - walk, axis=-1) > 0.01
    assert not off[:, ~sensor.LOSABLE].any()
    assert 0.02 < off[:, sensor.LOSABLE].mean() < 0.3


@pytest.mark.parametrize("interpolates", [False, True])
def test_lost_joints_are_held_or_interpolated(walk, interpolates):
    seen, tracked = record(walk, losses=0.004, interpolates=interpolates)
    assert 0.005 < 1 - tracked[:, sensor.LOSABLE].mean() < 0.3
    np.testing.assert_allclose(seen[tracked], walk[tracked], atol=1e-12)
    place = seen - seen[:, :1]
    steps = place[2:] - 2 * place[1:-1] + place[:-2]
    inside = ~tracked[2:] & ~tracked[1:-1] & ~tracked[:-2]
    # Each of these lies within a gap, or where a second gap begins within the first one.
    assert (np.abs(steps[inside]).max(axis=-1) < 1e-9).mean() > 0.9
    moved = np.linalg.norm(np.diff(place, axis=0), axis=-1)[~tracked[1:] & ~tracked[:-1]]
    assert (np.median(moved) > 1e-4) == interpolates


def test_frames_come_at_its_rate_and_some_are_missing():
    whole = RandomizedSensor(**{**PERFECT, "rate": 25.0}).moments(np.random.default_rng(0), 4.0)
    np.testing.assert_allclose(whole, np.arange(100) / 25)
    fewer = RandomizedSensor(**{**PERFECT, "drops": 0.1}).moments(np.random.default_rng(0), 40.0)
    assert len(fewer) / 1200 == pytest.approx(0.9, abs=0.03)


def test_smoothing_lags_and_starts_where_the_walk_does(walk):
    seen, _ = record(walk, smoothing=0.5)
    np.testing.assert_allclose(seen[0], walk[0])
    np.testing.assert_allclose(seen[1:], 0.5 * seen[:-1] + 0.5 * walk[1:])


def test_a_camera_that_leans_keeps_distances(walk):
    seen, _ = record(walk, roll=0.2)
    np.testing.assert_allclose(np.linalg.norm(seen, axis=-1), np.linalg.norm(walk, axis=-1))
    assert not np.allclose(seen, walk)
