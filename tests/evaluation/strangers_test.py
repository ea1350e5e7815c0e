import dataclasses
import json

import numpy as np
import pytest

from agegait import metrics
from agegait.data import Walks, divide_persons
from agegait.evaluation import protocols
from agegait.evaluation.protocols.stranger_comparison import StrangerComparison
from agegait.evaluation.protocols.stranger_probes import draw_clip, draw_probes


def made(persons=20, walks=3, spread=0.6, seed=0):
    """Walks that carry an embedding in their coordinates: of people about a place of their own."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(persons), walks)
    places = random.normal(size=(persons, 6))[labels]
    features = places + spread * random.normal(size=places.shape)
    skeletons = [
        np.broadcast_to(row.reshape(2, 3), (20 + 10 * (number % 4), 2, 3)) for number, row in enumerate(features)
    ]
    return Walks(
        skeletons, np.array([f"p{label:02}" for label in labels]), np.array([f"w{n}" for n in range(len(labels))])
    )


def by_means(_training, _validation):
    return lambda walks: np.stack([walk.mean(axis=0).ravel() for walk in walks])


class TestDivisions:
    def test_people_are_in_one_group_each(self):
        people = [f"p{number}" for number in range(50)]
        division = divide_persons([*people, *people], 0.4, 0.1)
        groups = [set(group.tolist()) for group in (division.tested, division.validation, division.training)]
        assert [len(group) for group in groups] == [20, 5, 25]
        assert set.union(*groups) == set(people)
        again = divide_persons(people[::-1], 0.4, 0.1)
        assert again.tested.tolist() == division.tested.tolist()
        assert divide_persons(people, 0.4, 0.1, seed=1).tested.tolist() != division.tested.tolist()

    @pytest.mark.parametrize(("people", "shares"), [(4, (0.1, 0)), (4, (0.9, 0)), (10, (0.5, 0.4)), (10, (0.5, -0.1))])
    def test_too_few_people(self, people, shares):
        with pytest.raises(ValueError, match="persons: expected at least two people to train on and two to test"):
            divide_persons(range(people), *shares)

    def test_a_probe_of_each_person_and_the_others_are_the_gallery(self):
        persons = np.array(["a", "a", "a", "b", "b", "c"])
        names = np.array([f"w{number}" for number in range(6)])
        drawn = set()
        for draw in range(20):
            probes, every, ones = draw_probes(persons, names, draw)
            assert persons[probes].tolist() == ["a", "b"]
            assert persons[ones].tolist() == ["a", "b"]
            assert sorted([*probes, *every]) == [0, 1, 2, 3, 4]  # who has one walk is left out
            assert set(ones) <= set(every)
            drawn.add(tuple(probes))
        assert drawn == {(a, b) for a in (0, 1, 2) for b in (3, 4)}
        with pytest.raises(ValueError, match="persons: expected at least two people with two walks, received 1"):
            draw_probes(persons[[0, 1, 5]], names[[0, 1, 5]])

    def test_clips_lie_within_the_walk(self):
        clips = [draw_clip(f"w{number}", 12, 10) for number in range(30)]
        assert {(clip.start, clip.stop) for clip in clips} == {(0, 10), (1, 11), (2, 12)}
        assert draw_clip("w", 10, 10) == slice(0, 10)
        assert draw_clip("w", 9, 10) is None


class TestComparison:
    random = np.random.default_rng(0)
    gallery_persons = np.repeat(np.arange(12), 3)
    places = random.normal(size=(12, 5))
    gallery = places[gallery_persons] + 0.8 * random.normal(size=(36, 5))
    probes = places + 0.8 * random.normal(size=(12, 5))

    def figures(self, weights, rates=(0.1, 0.01)):
        comparison = StrangerComparison(self.cosines(), np.arange(12), self.gallery_persons)
        found = comparison.figures(np.array([weights], float), rates, rates)
        return {name: value[0] for name, value in found.items()}

    def cosines(self):
        unit, other = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (self.probes, self.gallery))
        return unit @ other.T

    def test_with_equal_weights_figures_are_those_of_the_metrics(self):
        cosines = self.cosines()
        best = np.stack([cosines[:, self.gallery_persons == person].max(axis=1) for person in range(12)], axis=1)
        genuine = np.eye(12, dtype=bool)
        found = self.figures(np.ones(12))
        case = 1 - cosines, np.arange(12), self.gallery_persons
        assert 0 < found["equal_error_rate"] < 0.4
        for k in (1, 5, 10):
            assert found[f"rank_{k}"] == pytest.approx(metrics.retrieval_rank_k(*case, k))
        assert found["mean_average_precision"] == pytest.approx(metrics.mean_average_precision(*case))
        assert found["mean_inverse_negative_penalty"] == pytest.approx(metrics.mean_inverse_negative_penalty(*case))
        claims = best.ravel(), genuine.ravel()
        assert found["equal_error_rate"] == pytest.approx(metrics.equal_error(*claims).rate)
        strangers = np.where(genuine, -np.inf, best).max(axis=1)
        for rate in (0.1, 0.01):
            assert found[f"true_accept_rate_{rate:g}"] == pytest.approx(metrics.true_accept_rate(*claims, rate))
            threshold = metrics.acceptance_threshold(strangers, rate)
            expected = metrics.detection_identification_rate(best, np.arange(12), threshold)
            assert found[f"detection_identification_rate_{rate:g}"] == pytest.approx(expected)

    def test_weights_count_people_as_often(self):
        weights = self.random.integers(0, 3, 12)
        cosines = self.cosines()
        best = np.stack([cosines[:, self.gallery_persons == person].max(axis=1) for person in range(12)], axis=1)
        scores, kinds = [], []
        for one in np.repeat(np.arange(12), weights):
            scores.append(best[one, one])
            kinds.append(True)
            for other in np.repeat(np.arange(12), weights):
                if other != one:
                    scores.append(best[one, other])
                    kinds.append(False)
        found = self.figures(weights)
        claims = np.array(scores), np.array(kinds)
        assert found["equal_error_rate"] == pytest.approx(metrics.equal_error(*claims).rate)
        for rate in (0.1, 0.01):
            assert found[f"true_accept_rate_{rate:g}"] == pytest.approx(metrics.true_accept_rate(*claims, rate))
        drawn = np.repeat(np.arange(12), weights)
        search = metrics.search(1 - cosines[drawn], drawn, self.gallery_persons)
        assert found["mean_average_precision"] == pytest.approx(search.average_precision.mean())
        assert found["rank_1"] == pytest.approx(np.mean(search.first == 1))

    def test_ties_count_against_the_method(self):
        comparison = StrangerComparison(np.ones((3, 3)), np.arange(3), np.arange(3))
        found = comparison.figures(np.ones((1, 3)), (0.1,), (0.1,))
        assert found["rank_1"] == found["true_accept_rate_0.1"] == found["detection_identification_rate_0.1"] == 0
        assert found["equal_error_rate"] == pytest.approx(0.5)


class TestStrangers:
    def test_nobody_tested_is_learned_from(self):
        walks, seen = made(), []

        def learn(training, validation):
            seen.append((set(training.persons.tolist()), set(validation.persons.tolist())))
            assert {walk.tobytes() for walk in training.skeletons}.isdisjoint(
                {walk.tobytes() for walk in validation.skeletons}
            )

            def embed(tested):
                own = {
                    person for person, x in zip(walks.persons, walks.skeletons, strict=True) for y in tested if x is y
                }
                assert own.isdisjoint(seen[-1][0] | seen[-1][1])
                return by_means(None, None)(tested)

            return embed

        found = protocols.strangers(walks, learn, divisions=(0, 1), seconds=(), draws=2, resamples=20)
        for seed, (training, validation) in enumerate(seen):
            division = divide_persons(walks.persons, seed=seed)
            assert training == set(division.training.tolist())
            assert validation == set(division.validation.tolist())
        assert [(one.probe, one.gallery) for one in found] == [("walks", "all walks"), ("walks", "one walk")]

    def test_figures_are_means_over_draws_and_divisions(self):
        walks = made()
        found = protocols.strangers(walks, by_means, divisions=(0, 3), seconds=(), draws=3, resamples=0)
        for result, number in zip(found, (1, 2), strict=True):
            ranks, errors = [], []
            for seed in (0, 3):
                tested = walks.of_persons(divide_persons(walks.persons, seed=seed).tested)
                embedded = np.stack([walk[0].ravel() for walk in tested.skeletons])
                for draw in range(3):
                    rows = draw_probes(tested.persons, tested.names, draw)
                    probes, gallery = rows[0], rows[number]
                    unit = embedded / np.linalg.norm(embedded, axis=1, keepdims=True)
                    comparison = StrangerComparison(
                        unit[probes] @ unit[gallery].T, tested.persons[probes], tested.persons[gallery]
                    )
                    ranks.append(np.mean(comparison.search.first == 1))
                    errors.append(comparison.figures(np.ones((1, 8)), (), ())["equal_error_rate"][0])
            assert result.rank[1] == pytest.approx(np.mean(ranks))
            assert result.cmc[0] == pytest.approx(np.mean(ranks))
            assert result.equal_error_rate == pytest.approx(np.mean(errors))
            assert (result.samples, result.persons, result.divisions) == (48, 8, 2)
            assert result.intervals == {}
        assert found[0].mean_average_precision != found[1].mean_average_precision

    def test_clips_are_what_a_walk_holds_and_short_walks_are_left_out(self):
        walks, asked = made(), []

        def learn(_training, _validation):
            def embed(parts):
                asked.append({len(part) for part in parts})
                return by_means(None, None)(parts)

            return embed

        found = protocols.strangers(walks, learn, divisions=(0,), seconds=(1, 3), frame_rate=10, draws=2, resamples=0)
        assert asked == [{20, 30, 40, 50}, {10}, {30}]
        assert [one.probe for one in found[::2]] == ["walks", "1 s", "3 s"]
        assert [one.too_short for one in found[:4]] == [0] * 4
        assert found[4].too_short == 16 - found[4].samples > 0

    def test_intervals_are_of_people(self):
        options = {"divisions": (0,), "seconds": (), "draws": 2, "resamples": 200}
        few, many = (protocols.strangers(made(persons, spread=0.9), by_means, **options)[1] for persons in (30, 200))
        for result in (few, many):
            for name, (low, high) in result.intervals.items():
                assert 0 <= low <= high <= 1, name
            low, high = result.intervals["rank_1"]
            assert low < result.rank[1] < high
        width = [high - low for low, high in (few.intervals["rank_1"], many.intervals["rank_1"])]
        assert width[1] < 0.6 * width[0]

    def test_the_det_curve_never_falls_and_meets_the_operating_points(self):
        (result, _) = protocols.strangers(made(60), by_means, divisions=(0,), seconds=(), draws=2, resamples=0)
        assert np.diff(result.det.true).min() >= 0
        assert result.det.true[-1] == 1
        at = dict(zip(np.round(result.det.false, 6), result.det.true, strict=True))
        assert at[0.01] == pytest.approx(result.true_accept_rate[0.01])

    def test_results_become_json(self):
        (result, _) = protocols.strangers(made(), by_means, divisions=(0,), seconds=(), draws=1, resamples=5)
        assert json.loads(json.dumps(dataclasses.asdict(result)))["rank"]["1"] == result.rank[1]
        assert protocols.PROTOCOLS["strangers"] is type(result)

    def test_refusals(self):
        with pytest.raises(ValueError, match=r"learn: expected \[24, D\] finite embeddings, received a shape of"):
            protocols.strangers(made(), lambda *_: lambda walks: np.ones((2, 2)), seconds=())
        with pytest.raises(ValueError, match="seconds: expected walks of at least two people that last 9 s"):
            protocols.strangers(made(), by_means, seconds=(9,), resamples=0)
