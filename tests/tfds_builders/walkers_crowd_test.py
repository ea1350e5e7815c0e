import numpy as np
import pytest

from agegait import skeletons
from agegait.skeletons import limbs
from tfds_builders.walkers import anthropometry, gait
from tfds_builders.walkers.crowd import Crowd

FIRST, SECOND = np.array(skeletons.BONES).T


@pytest.fixture(scope="module")
def crowd():
    return Crowd(persons=12, walks=3, sensors=4, seed=1)


@pytest.fixture(scope="module")
def recorded(crowd):
    return crowd.recorded()


def bones(walk):
    return np.median(np.linalg.norm(walk[:, SECOND] - walk[:, FIRST], axis=-1), axis=0)


def test_everybody_walks(recorded):
    assert len(set(recorded.names)) == len(recorded.skeletons) == 36
    np.testing.assert_array_equal(np.bincount(recorded.persons), np.full(12, 3))
    for walk in recorded.skeletons:
        assert walk.dtype == np.float32
        assert walk.shape[1:] == (20, 3)
        assert np.isfinite(walk).all()
        assert 80 < len(walk) <= 210
        assert 1 < walk[:, 0, 2].min() <= walk[:, 0, 2].max() < 5


def test_the_seed_and_the_numbers_say_all(crowd, recorded):
    larger = Crowd(persons=1000, walks=9, sensors=4, seed=1)
    for person, number in ((0, 0), (11, 2)):
        joints, tracked = larger.walk(person, number)
        np.testing.assert_array_equal(joints, recorded.skeletons[3 * person + number])
        assert tracked.shape == joints.shape[:2]
    other = Crowd(persons=12, walks=3, sensors=4, seed=2)
    assert not np.array_equal(other.walk(0, 0)[0][:50], recorded.skeletons[0][:50])


def test_bodies_are_bodies(crowd, recorded):
    summary = limbs.summarize({"skeleton": walk} for walk in recorded.skeletons)
    assert limbs.faults(summary) == []
    lengths = np.array([bones(walk) for walk in recorded.skeletons]).reshape(12, 3, -1)
    between = lengths.mean(axis=1).std(axis=0)
    within = lengths.std(axis=1).mean(axis=0)
    assert (between > within).mean() > 0.8


def test_people_differ_more_than_their_walks(crowd):
    people = [crowd.person(number) for number in range(12)]
    assert len({body.stature for body, _, _ in people}) == 12
    again = crowd.person(3)
    assert again[0] == people[3][0]
    np.testing.assert_array_equal(again[2], people[3][2])


def test_one_person_keeps_to_one_sensor_unless_told(crowd):
    sensors = [crowd.sensor(number) for number in range(4)]
    assert len({sensor.rate for sensor in sensors}) == 4
    here, elsewhere = Crowd(4, 1, seed=1), Crowd(4, 1, elsewhere=1.0, seed=1)
    assert any(len(here.walk(person, 0)[0]) != len(elsewhere.walk(person, 0)[0]) for person in range(4))


def test_wider_spreads_are_wider_and_the_usual_ones_as_before():
    def bodies(**options):
        rng = np.random.default_rng(0)
        return np.array([anthropometry.draw(rng, "female", **options).thigh for _ in range(200)])

    assert np.array_equal(bodies(), bodies(spread=anthropometry.SPREAD))
    assert bodies(spread=0.1).std() > 1.5 * bodies().std()
    usual, wide = (
        np.array([gait.draw(rng, spread).traits["sway"] for _ in range(200)])
        for spread, rng in ((1.0, np.random.default_rng(0)), (2.0, np.random.default_rng(0)))
    )
    assert wide.std() == pytest.approx(2 * usual.std())
