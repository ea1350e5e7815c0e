"""Thresholds by false alarm rates: of simulated people, and as files."""

import itertools
import json
import stat

import numpy as np
import pytest
from support.gallery_bodies import BoneLengths, walks

from agegait.gallery import Calibration, ScoreTail

SIZE = 24
random = np.random.default_rng(0)
BEGIN = random.bit_generator.state


@pytest.fixture(autouse=True)
def begin_anew():
    """Each test draws the same, whichever others run."""
    random.bit_generator.state = BEGIN


def embeddings(people, each, wolves=0.0):
    """Embeddings `[people, each, D]` of people; some share a direction, and are near to more people than others."""
    bodies = random.normal(size=(people, 1, SIZE))
    bodies[..., 0] += wolves
    found = bodies + 0.3 * random.normal(size=(people, each, SIZE))
    return found / np.linalg.norm(found, axis=-1, keepdims=True)


def calibrated(people=150, each=2, wolves=0.0):
    found = embeddings(people, each, wolves)
    return Calibration.of_embeddings(found.reshape(-1, SIZE), np.repeat(np.arange(people), each), "x")


def false_alarms(distance, people, each, wolves=0.0, strangers=3000, galleries=10):
    """The share of simulated strangers who come within a distance of somebody enrolled."""
    alarms = 0
    for _ in range(galleries):
        gallery = embeddings(people, each, wolves).reshape(-1, SIZE)
        probes = embeddings(strangers // galleries, 1, wolves).reshape(-1, SIZE)
        alarms += np.count_nonzero((probes @ gallery.T).max(axis=1) >= 1 - distance)
    return alarms / strangers


@pytest.mark.parametrize("rate", [0.1, 0.01])
@pytest.mark.parametrize("each", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("wolves", [pytest.param(0.0, marks=pytest.mark.slow), 1.5])
def test_as_many_false_alarms_as_were_asked_for(rate, each, wolves):
    calibration = calibrated(wolves=wolves)
    for people in (1, 10, 100, 1000):
        distance = calibration.threshold({each: people}, rate).distance
        received = false_alarms(distance, people, each, wolves)
        # Rather too few beyond what was seen, and where some are near to many.
        assert rate / (10 if wolves else 5) <= received <= 1.7 * rate + 0.002, (people, received)


def test_without_the_size_of_the_gallery_they_would_be_many():
    distance = calibrated().threshold({1: 1}, 0.01).distance
    assert false_alarms(distance, 100, 1) > 0.3


def test_a_rate_and_its_threshold_are_two_sides():
    calibration = calibrated()
    for sizes in ({1: 1}, {1: 10, 3: 20}, {2: 5000}):
        for rate in (0.5, 0.1, 0.01, 1e-4):
            threshold = calibration.threshold(sizes, rate)
            assert calibration.false_alarms(threshold.distance, sizes) == pytest.approx(rate, rel=1e-3)
            assert threshold.false_alarms == rate
    thresholds = [calibration.threshold({1: people}, 0.01).distance for people in (1, 10, 100, 1000)]
    assert thresholds == sorted(thresholds, reverse=True)
    assert not calibration.threshold({1: 10}, 0.1).extrapolated
    assert calibration.threshold({1: 10**6}, 0.01).extrapolated


@pytest.mark.parametrize(("sizes", "rate"), [({1: 10}, 0.1), ({1: 100}, 0.1), ({1: 10}, 0.01)])
def test_a_range_holds_what_becomes_of_a_threshold(sizes, rate):
    received, held = [], []
    others = embeddings(1500, 1, 1.0).reshape(-1, SIZE)
    cosines = np.sort((others @ others.T)[np.triu_indices(len(others), 1)])
    for _ in range(40):
        calibration = calibrated(people=30, wolves=1.0)
        distance = calibration.threshold(sizes, rate).distance
        near = 1 - np.searchsorted(cosines, 1 - distance) / len(cosines)
        share = 1 - (1 - near) ** sum(sizes.values())
        least, largest = calibration.false_alarm_range(distance, sizes)
        assert least < rate < largest
        received.append(share)
        held.append(least <= share <= largest)
    assert np.mean(held) >= 0.9
    assert max(received) > 1.3 * rate  # so that there is something to hold


def test_more_people_make_a_range_narrower():
    ranges = []
    for people in (20, 80, 320):
        calibration = calibrated(people)
        least, largest = calibration.false_alarm_range(calibration.threshold({1: 10}, 0.1).distance, {1: 10})
        ranges.append(largest / least)
    assert ranges == sorted(ranges, reverse=True)
    assert ranges[0] > 1.5 * ranges[2]


def test_the_error_is_that_of_the_mean_over_pairs():
    found, persons = embeddings(12, 2).reshape(-1, SIZE), np.repeat(np.arange(12), 2)
    calibration = Calibration.of_embeddings(found, persons, "x")
    near = found @ found.T > calibration.tail.exceeded_by(0.1)
    shares = {
        (a, b): near[2 * a : 2 * a + 2, 2 * b : 2 * b + 2].mean() for a, b in itertools.permutations(range(12), 2)
    }
    mean = np.mean(list(shares.values()))
    products = [
        one * other
        for (pair, one), (pair2, other) in itertools.product(shares.items(), repeat=2)
        if not {*pair} & {*pair2}
    ]
    assert calibration.errors[0] == pytest.approx(np.sqrt(mean**2 - np.mean(products)) / mean, abs=1e-3)
    assert list(calibration.errors) == sorted(calibration.errors)


def test_generated_people_promise_no_range():
    assert Calibration.from_preset("walkers").false_alarm_range(0.1, {1: 10}) is None


def test_detections_and_odds():
    calibration = calibrated()
    assert calibration.detections(0) == 0
    assert calibration.detections(2) == 1
    shares = [calibration.detections(distance) for distance in np.linspace(0, 1, 20)]
    assert shares == sorted(shares)
    assert calibration.log_likelihood_ratio(0.05) > 2 > -2 > calibration.log_likelihood_ratio(0.9)


def test_templates_of_one_person_count_for_fewer():
    same = np.repeat(embeddings(40, 1), 4, axis=1).reshape(-1, SIZE)
    different = embeddings(160, 1).reshape(-1, SIZE)
    persons = np.repeat(np.arange(40), 4)
    assert Calibration.of_embeddings(same, persons, "x").exponent == pytest.approx(0, abs=0.01)
    assert Calibration.of_embeddings(different, persons, "x").exponent > 0.8
    alone = Calibration.of_embeddings(different, np.arange(160), "x")
    assert alone.exponent == 1
    assert alone.genuine == ()
    assert alone.detections(0.5) is None
    assert alone.log_likelihood_ratio(0.5) is None


@pytest.mark.parametrize("rate", [0, 1, -0.1, 2, float("nan")])
def test_what_is_no_rate(rate):
    with pytest.raises(ValueError, match=r"^false_alarms: expected a share between 0 and 1"):
        calibrated(people=20).threshold({1: 10}, rate)


def test_few_people_are_refused():
    with pytest.raises(ValueError, match=r"^walks: expected those of at least 10 people, received 9"):
        Calibration.measure(BoneLengths(), walks(range(9)))


def test_walks_that_are_all_the_same():
    calibration = Calibration.of_embeddings(np.ones((40, SIZE)), np.repeat(np.arange(20), 2), "x")
    assert calibration.threshold({1: 10}, 0.01).distance == pytest.approx(0, abs=1e-5)


def test_it_is_saved_for_its_owner_alone(tmp_path):
    calibration = Calibration.measure(BoneLengths(), walks(range(12)))
    path = tmp_path / "calibration.json"
    calibration.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Calibration.load(path) == calibration
    assert len(path.read_bytes()) < 5000
    assert set(json.loads(path.read_text())) == {
        *("fingerprint", "people", "tail", "exponent", "genuine", "pairs", "slope", "intercept", "generated", "errors")
    }


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"tail": 3}', '"x"', "[" * 100_000])
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "calibration.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"calibration\.json: expected what `Calibration.save` writes"):
        Calibration.load(path)


@pytest.mark.parametrize(
    "scores", [0.2 * random.normal(size=40_000), np.minimum(random.exponential(0.05, 40_000), 1), random.random(40_000)]
)
@pytest.mark.parametrize("count", [4000, 40_000])
def test_tails_of_known_distributions(scores, count):
    tail = ScoreTail.fit(scores[:count])
    for share in (0.3, 0.03, 0.003):
        limit = np.quantile(scores, 1 - share)
        assert tail.exceeds(limit) == pytest.approx(share, rel=0.3 if count > 4000 else 0.7)
    for share in (0.9, 0.3, 0.03, 1e-3, 1e-6):
        assert tail.exceeds(tail.exceeded_by(share)) == pytest.approx(share, rel=1e-3)


def test_a_tail_does_not_end_before_the_highest_score():
    tail = ScoreTail.fit(0.5 * random.random(40_000))
    assert tail.exceeded_by(1e-300) == pytest.approx(1, abs=0.01)
