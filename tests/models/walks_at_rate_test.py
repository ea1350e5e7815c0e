import json

import keras
import numpy as np
import pytest
from support.frame_rates import walk_at
from support.small_identifier import FRAMES, make_identifier

import agegait
from agegait.data import Walk


def as_walk(skeleton, frame_rate):
    return Walk(skeleton, np.ones(skeleton.shape[:2], bool), frame_rate, "canonical")


@pytest.fixture(scope="module")
def identifier():
    """Its weights are far enough from zero to tell walks apart."""
    identifier = make_identifier(joints=20, frame_rate=30)
    random = np.random.default_rng(0)
    for model in (identifier.encoder, identifier.recognizer):
        model.set_weights([0.5 * random.standard_normal(weight.shape) for weight in model.weights])
    return identifier


@pytest.fixture(scope="module")
def embedder():
    embedder = agegait.GaitEmbedder.from_preset("walkers")
    embedder.run_eagerly = True
    return embedder


@pytest.mark.parametrize("rate", [15, 25, 60])
class TestOneWalkAtAnotherRate:
    def test_an_identifier_gives_the_same_answer(self, identifier, rate):
        walks = [walk_at(rate, person) for person in range(3)]
        expected = identifier.identify([walk_at(30, person) for person in range(3)])
        found = identifier.identify(walks, frame_rate=rate)
        unresampled = np.max(identifier(np.stack(walks))["probabilities"], axis=1)
        scores = np.array([one.score for one in expected])
        assert [one.person for one in found] == [one.person for one in expected]
        assert np.abs([one.score for one in found] - scores).sum() < 0.25 * np.abs(unresampled - scores).sum()
        knowing = identifier.identify([as_walk(walk, rate) for walk in walks])
        np.testing.assert_allclose([one.score for one in knowing], [one.score for one in found], atol=1e-5)

    def test_an_embedder_gives_the_same_embedding(self, embedder, rate):
        walk = walk_at(rate, person=1)
        expected, found = embedder.embed(walk_at(30, person=1))[0], embedder.embed(walk, frame_rate=rate)[0]
        unresampled = np.asarray(embedder(walk[None]))[0]
        assert expected @ found > 0.999
        assert expected @ unresampled < 0.99
        np.testing.assert_array_equal(embedder.embed(as_walk(walk, rate))[0], found)


def test_walks_of_several_rates(identifier):
    walks = [walk_at(30), walk_at(15), walk_at(60, person=2)]
    found = identifier.identify(walks, [None, 15, 60])
    alone = [identifier.identify(walk, rate)[0] for walk, rate in zip(walks, (None, 15, 60), strict=True)]
    assert [one.person for one in found] == [one.person for one in alone]
    np.testing.assert_allclose([one.score for one in found], [one.score for one in alone], atol=1e-5)


def test_a_walk_that_knows_its_rate_counts_more(identifier):
    walk = as_walk(walk_at(15), 15)
    assert identifier.identify(walk, frame_rate=60) == identifier.identify(walk)
    assert identifier.identify([as_walk(walk_at(15), None)], frame_rate=15) == identifier.identify(walk)


def test_rates_within_a_tenth_are_left_alone(identifier):
    walk = walk_at(30)
    assert identifier.identify(walk, frame_rate=28) == identifier.identify(walk)


def test_a_slow_walk_has_frames_enough_once_it_is_resampled(identifier):
    walk = walk_at(15)[: FRAMES - 1]
    with pytest.raises(ValueError, match="expected walks"):
        identifier.identify(walk)
    assert identifier.identify(walk, frame_rate=15)[0].person


@pytest.mark.parametrize("rate", [0, -30.0, float("nan"), float("inf")])
def test_rates_that_are_none(identifier, rate):
    with pytest.raises(ValueError, match="frame_rate: expected a positive number of frames a second, received"):
        identifier.identify(walk_at(30), frame_rate=rate)
    with pytest.raises(ValueError, match="frame_rate: expected a positive number of frames a second, received"):
        make_identifier(frame_rate=rate)


def test_another_number_of_rates(identifier):
    with pytest.raises(ValueError, match="frame_rate: expected one, or one for each of 2 walks, received 3"):
        identifier.identify([walk_at(30), walk_at(30)], frame_rate=[15, 15, 15])


def test_a_model_that_does_not_know_its_own():
    identifier = make_identifier(joints=20)
    with pytest.raises(ValueError, match="frame_rate: expected none, as the model does not know"):
        identifier.identify(walk_at(15), frame_rate=15)
    walk = walk_at(15, seconds=1)
    assert identifier.identify(as_walk(walk, 15)) == identifier.identify(walk)


def test_too_many_frames(identifier):
    with pytest.raises(ValueError, match="walk 1: seconds: expected at most 100,000 frames at 30"):
        identifier.identify([walk_at(30), walk_at(30)], frame_rate=[30, 1e-4])


def test_what_is_no_walk_is_refused_as_ever(identifier):
    with pytest.raises(ValueError, match="received NaN or infinity in walk 0"):
        identifier.identify(np.full((9, 20, 3), np.inf), frame_rate=15)
    for shape in [(0, 20, 3), (9, 20), (9, 4, 3)]:
        with pytest.raises(ValueError, match="expected walks"):
            identifier.identify([np.zeros(shape)], frame_rate=15)


def test_it_is_saved_and_loaded(tmp_path):
    identifier = make_identifier(frame_rate=30)
    config = json.loads(json.dumps(identifier.get_config()))
    assert agegait.GaitIdentifier.from_config(config).frame_rate == 30
    del config["frame_rate"]  # as it was before there was one
    assert agegait.GaitIdentifier.from_config(config).frame_rate is None
    identifier.save(tmp_path / "identifier.keras")
    assert keras.saving.load_model(tmp_path / "identifier.keras").frame_rate == 30
