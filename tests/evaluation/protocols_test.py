import dataclasses
import hashlib
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from agegait import metrics
from agegait.evaluation import protocols
from agegait.evaluation.protocols import distances


class TestRecognition:
    def test_by_hand(self):
        # The right person is first, second and third.
        found = protocols.recognition(np.array([[3.0, 2, 1], [3, 2, 1], [3, 2, 1]]), np.array([0, 1, 2]))
        assert found.samples == 3
        assert found.rank == {1: pytest.approx(1 / 3)}
        assert found.nauc_cmc == pytest.approx((1 / 3 + 2 / 3 + 1) / 3)
        # Each score is a right answer once and a wrong one twice.
        assert found.nauc_roc == pytest.approx(0.5)
        assert found.cmc == pytest.approx((1 / 3, 2 / 3, 1))

    def test_against_plain_loops(self):
        random = np.random.default_rng(0)
        logits, persons = random.standard_normal((40, 12)), random.integers(0, 12, 40)
        found = protocols.recognition(logits, persons)
        places = [sum(other >= row[person] for other in row) for row, person in zip(logits, persons, strict=True)]
        assert found.rank == {k: pytest.approx(np.mean([place <= k for place in places])) for k in (1, 5, 10)}
        areas = [np.mean([place <= k for place in places]) for k in range(1, 13)]
        assert found.nauc_cmc == pytest.approx(np.mean(areas))
        right = [row[person] for row, person in zip(logits, persons, strict=True)]
        wrong = [row[k] for row, person in zip(logits, persons, strict=True) for k in range(12) if k != person]
        wins = [(one > other) + 0.5 * (one == other) for one in right for other in wrong]
        assert found.nauc_roc == pytest.approx(np.mean(wins))

    def test_what_is_not_finite_is_refused(self):
        with pytest.raises(ValueError, match="must be finite; received nan"):
            protocols.recognition(np.array([[0.0, np.nan]]), np.array([0]))


class TestPublished:
    def test_the_last_of_the_best_on_the_test_itself_is_kept(self):
        persons = np.repeat([0, 1], 8)
        right, half, wrong = np.eye(2)[persons], np.eye(2)[np.zeros(16, int)], np.eye(2)[1 - persons]
        found = protocols.published([wrong, right, half], persons, frames=1, batch=8)
        assert (found.candidates, found.chosen, found.rank) == (3, 2, {1: 1.0})
        found = protocols.published((logits for logits in (right, half, 2 * right, wrong)), persons, 1, 8)
        assert (found.candidates, found.chosen, found.rank[1]) == (4, 3, 1)

    def test_figures_are_those_of_recognition_over_the_windows_that_count(self):
        random = np.random.default_rng(3)
        persons = np.repeat(np.arange(6), 50)
        logits = random.standard_normal((300, 6))
        counted = protocols.published_windows(persons, 6, 16)
        assert 0 < len(counted) < 300
        found = protocols.published([logits], persons, 6, 16)
        assert isinstance(found, protocols.Recognition)
        expected = dataclasses.asdict(protocols.recognition(logits[counted], persons[counted]))
        assert dataclasses.asdict(found) == {**expected, "candidates": 1, "chosen": 1}

    def test_refusals(self):
        with pytest.raises(ValueError, match="logits: expected those of at least one network, received none"):
            protocols.published([], np.zeros(256, int))
        with pytest.raises(ValueError, match="persons: expected the windows of a batch of 128 frames, received 20"):
            protocols.published([np.zeros((20, 2))], np.zeros(20, int))


class TestByWalk:
    def test_mean_over_each_walk_in_the_order_of_their_names(self):
        values = np.array([[1.0, 0], [2, 2], [3, 4], [5, 5]])
        mean, persons = protocols.by_walk(values, np.array([7, 8, 7, 8]), np.array(["b", "a", "b", "a"]))
        np.testing.assert_array_equal(mean, [[3.5, 3.5], [2, 2]])
        assert persons.tolist() == [8, 7]

    @pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
    def test_values_of_any_shape(self, shape):
        random = np.random.default_rng(1)
        values, walks = random.standard_normal((30, *shape)), random.integers(0, 6, 30)
        mean, persons = protocols.by_walk(values, walks * 10, walks)
        for number, walk in enumerate(sorted(set(walks.tolist()))):
            np.testing.assert_allclose(mean[number], sum(values[walks == walk]) / sum(walks == walk))
            assert persons[number] == 10 * walk


class TestRetrieval:
    def oracle(self, probes, probe_persons, gallery, gallery_persons):
        """First right places and average precisions, probe by probe, ties against the method."""
        mean, scale = gallery.mean(axis=0), gallery.std(axis=0)
        firsts, precisions, penalties = [], [], []
        for probe, person in zip(probes, probe_persons, strict=True):
            distances = [np.linalg.norm((probe - mean) / scale - (entry - mean) / scale) for entry in gallery]
            order = sorted(range(len(gallery)), key=lambda i: (distances[i], gallery_persons[i] == person))
            places = [place for place, i in enumerate(order, 1) if gallery_persons[i] == person]
            firsts.append(places[0])
            precisions.append(np.mean([number / place for number, place in enumerate(places, 1)]))
            penalties.append(len(places) / places[-1])
        return firsts, np.mean(precisions), np.mean(penalties)

    @pytest.mark.parametrize("entries", [4, 9, 30])
    def test_against_plain_loops(self, entries):
        random = np.random.default_rng(entries)
        gallery = random.normal(5, [1, 10, 100], (entries, 3))
        gallery_persons = np.arange(entries) % 4
        probes, probe_persons = random.normal(5, [1, 10, 100], (15, 3)), random.integers(0, 4, 15)
        found = protocols.retrieval(probes, probe_persons, gallery, gallery_persons)
        firsts, precision, penalty = self.oracle(probes, probe_persons, gallery, gallery_persons)
        assert (found.samples, found.gallery) == (15, entries)
        ranks = [k for k in (1, 5, 10) if k <= entries]
        assert found.rank == {k: pytest.approx(np.mean([first <= k for first in firsts])) for k in ranks}
        assert found.mean_average_precision == pytest.approx(precision)
        assert found.mean_inverse_negative_penalty == pytest.approx(penalty)
        assert found.cmc == pytest.approx([np.mean([first <= k for first in firsts]) for k in range(1, entries + 1)])

    def test_a_search_in_blocks_is_the_whole_search(self, monkeypatch):
        random = np.random.default_rng(5)
        gallery, gallery_persons = random.standard_normal((3000, 4)), np.arange(3000) % 7
        probes, probe_persons = random.standard_normal((200, 4)), random.integers(0, 7, 200)
        case = probes, probe_persons, gallery, gallery_persons
        sizes = []
        search = metrics.search
        monkeypatch.setattr(metrics, "search", lambda *args: sizes.append(args[0].shape) or search(*args))
        whole = protocols.retrieval(*case)
        assert sizes == [(200, 3000)]
        assert len(whole.cmc) == protocols.SEARCH_RANKS
        monkeypatch.setattr(distances, "BLOCK", 1)  # MiB: 43 rows of 3000 distances
        blocks = protocols.retrieval(*case)
        assert max(rows for rows, _ in sizes[1:]) * 3000 * 8 <= 2**20
        assert sum(rows for rows, _ in sizes[1:]) == 200
        for one, other in zip(dataclasses.astuple(blocks), dataclasses.astuple(whole), strict=True):
            assert one == pytest.approx(other)

    def test_features_are_standardised_over_the_gallery_alone(self):
        gallery, persons = np.array([[0.0, 0], [100, 1], [200, 3]]), np.array([0, 1, 2])
        # Nearest in the second feature, which is a hundred times smaller, is person 2.
        near = protocols.retrieval(np.array([[120.0, 3]]), np.array([2]), gallery, persons)
        assert near.rank[1] == 1
        raw = np.linalg.norm(np.array([[120.0, 3]]) - gallery, axis=1)[None]
        assert metrics.retrieval_rank_k(raw, [2], persons) == 0
        again = protocols.retrieval(np.array([[120.0, 3], [1e6, 1e6]]), np.array([2, 2]), gallery, persons)
        assert again.rank[1] == 1

    def test_a_feature_that_never_varies_says_nothing(self):
        gallery = np.array([[1.0, 7], [2, 7]])
        found = protocols.retrieval(np.array([[1.1, 7], [1.9, 7]]), np.array([0, 1]), gallery, np.array([0, 1]))
        assert (found.rank, found.mean_average_precision) == ({1: 1.0}, 1.0)

    def test_equal_entries_of_others_come_first(self):
        gallery = np.random.default_rng(0).standard_normal((6, 50)).astype("float32")
        persons = np.repeat([0, 1], 6)
        found = protocols.retrieval(gallery[:3], np.ones(3, int), np.concatenate([gallery, gallery]), persons)
        assert found.rank[1] == 0

    def test_refusals(self):
        gallery, persons = np.eye(2), np.array([0, 1])
        with pytest.raises(ValueError, match="probe_persons: expected people of the gallery, received 5"):
            protocols.retrieval(gallery, np.array([0, 5]), gallery, persons)
        with pytest.raises(ValueError, match=r"gallery_persons: expected \[2\], received \[1\]"):
            protocols.retrieval(gallery, persons, gallery, persons[:1])
        with pytest.raises(ValueError, match="probes: expected 2 features, as in gallery, received 3"):
            protocols.retrieval(np.eye(3), np.zeros(3, int), gallery, persons)
        with pytest.raises(ValueError, match="must be finite; received nan"):
            protocols.retrieval(np.array([[np.nan, 0]]), np.array([0]), gallery, persons)


class TestDivide:
    @given(st.sets(st.integers(0, 300), min_size=4, max_size=40), st.integers(1, 4), st.integers(0, 5))
    @settings(deadline=None)
    def test_everybody_is_dealt_once_whatever_the_order(self, people, parts, seed):
        groups = protocols.divide(people, parts, seed)
        dealt = [person for group in groups for person in group.tolist()]
        assert sorted(dealt) == sorted(people)
        sizes = [len(group) for group in groups]
        assert max(sizes) - min(sizes) <= 1
        again = protocols.divide([*sorted(people, reverse=True), *people], parts, seed)
        assert [group.tolist() for group in again] == [group.tolist() for group in groups]

    def test_order_is_that_of_the_digests(self):
        names = ["ann", "ben", "eve", "kim", "zoe"]
        order = sorted(names, key=lambda name: hashlib.sha256(f"3/{name}".encode()).hexdigest())
        assert [group.tolist() for group in protocols.divide(names, 2, seed=3)] == [order[::2], order[1::2]]

    def test_another_seed_deals_otherwise(self):
        dealt = {tuple(protocols.divide(range(164), 2, seed)[0].tolist()) for seed in range(5)}
        assert len(dealt) == 5

    def test_too_few_people(self):
        with pytest.raises(ValueError, match="persons: expected at least 4 people, one for each group, received 2"):
            protocols.divide([1, 1, 2], 4)


def people(persons=20, spread=0.5, of_each=3, seed=0):
    """Probes and gallery of people who each lie about a place of their own, `spread` around it."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(persons), of_each)
    places = random.standard_normal((persons, 4))[labels]
    probes, gallery = (places + spread * random.standard_normal(places.shape) for _ in range(2))
    mixed = random.permutation(len(labels))
    return probes, labels, gallery[mixed], labels[mixed]


def nearest(probes, gallery, gallery_persons, chosen_by, enrolled):
    """Negative distances to each enrolled person's nearest entry, entry by entry."""
    entries = [entry for entry, person in zip(gallery, gallery_persons, strict=True) if person in chosen_by]
    mean, scale = np.mean(entries, axis=0), np.std(entries, axis=0)
    scores = []
    for probe in (probes - mean) / scale:
        distances = [np.linalg.norm(probe - (entry - mean) / scale) for entry in gallery]
        scores.append([-min(np.array(distances)[gallery_persons == person]) for person in enrolled])
    return np.array(scores)


class TestVerification:
    @pytest.mark.parametrize("persons", [20, 7, 4])
    def test_against_plain_loops(self, persons):
        probes, labels, gallery, gallery_labels = people(persons)
        rates = (0.1, 0.02)
        found = protocols.verification(probes, labels, gallery, gallery_labels, rates, seed=1)
        choosing, tested = protocols.divide(labels, 2, seed=1)
        cases = []
        for group in (choosing, tested):
            own = np.isin(labels, group)
            scores = nearest(probes[own], gallery, gallery_labels, choosing, group)
            kinds = labels[own][:, None] == group
            cases.append(list(zip(scores.ravel().tolist(), kinds.ravel().tolist(), strict=True)))
        others, own = cases
        assert (found.samples, found.persons) == (3 * len(tested), len(tested))
        assert found.genuine == sum(genuine for _, genuine in own)
        assert found.genuine + found.impostors == len(own)
        assert found.equal_error_rate == pytest.approx(metrics.equal_error(*map(np.array, zip(*own, strict=True))).rate)
        threshold = metrics.equal_error(*map(np.array, zip(*others, strict=True))).threshold
        wrong = np.mean([s >= threshold - 1e-9 for s, genuine in own if not genuine])
        missed = np.mean([s < threshold - 1e-9 for s, genuine in own if genuine])
        assert found.half_total_error_rate == pytest.approx((wrong + missed) / 2)
        for point, asked in zip(found.operating_points, rates, strict=True):
            assert point.asked == asked
            impostors = sorted((s for s, genuine in others if not genuine), reverse=True)
            passing = math.floor(asked * len(impostors))
            assert point.threshold == pytest.approx(impostors[passing])
            assert sum(s > point.threshold + 1e-9 for s in impostors) == passing
            assert point.false == pytest.approx(np.mean([s >= point.threshold for s, genuine in own if not genuine]))
            assert point.true == pytest.approx(np.mean([s >= point.threshold for s, genuine in own if genuine]))

    def test_people_far_apart_are_told_apart(self):
        found = protocols.verification(*people(spread=1e-3))
        assert found.equal_error_rate == 0
        assert found.half_total_error_rate < 0.1
        assert all(point.true == 1 for point in found.operating_points)
        assert found.roc.true == (1.0,) * len(found.roc.true)

    def test_guessing_is_half_wrong(self):
        random = np.random.default_rng(0)
        labels = np.repeat(np.arange(40), 10)
        probes, gallery = random.standard_normal((2, 400, 3))
        found = protocols.verification(probes, labels, gallery, labels)
        assert found.equal_error_rate == pytest.approx(0.5, abs=0.05)
        for point in found.operating_points:
            assert point.true == pytest.approx(point.asked, abs=0.02)
            assert point.false == pytest.approx(point.asked, abs=0.02)

    def test_those_tested_do_not_choose(self):
        """Whatever becomes of the tested people, thresholds stay; whatever becomes of the others, the curve does."""
        probes, labels, gallery, gallery_labels = people()
        choosing, tested = protocols.divide(labels, 2)
        found = protocols.verification(probes, labels, gallery, gallery_labels)
        worse = probes + 5 * np.isin(labels, tested)[:, None]
        other = protocols.verification(worse, labels, gallery, gallery_labels)
        thresholds = [point.threshold for point in found.operating_points]
        assert [point.threshold for point in other.operating_points] == thresholds
        assert other.roc != found.roc
        worse = probes + 5 * np.isin(labels, choosing)[:, None]
        other = protocols.verification(worse, labels, gallery, gallery_labels)
        assert [point.threshold for point in other.operating_points] != thresholds
        assert (other.roc, other.equal_error_rate) == (found.roc, found.equal_error_rate)

    def test_names_and_gallery_entries_of_people_who_never_probe(self):
        probes, labels, gallery, gallery_labels = people()
        found = protocols.verification(probes, labels, gallery, gallery_labels)
        more = np.concatenate([gallery, gallery[:5]]), np.concatenate([gallery_labels, np.arange(100, 105)])
        assert protocols.verification(probes, labels, *more) == found
        named = protocols.verification(probes, labels.astype(str), gallery, gallery_labels.astype(str))
        assert named == found

    def test_refusals(self):
        probes, labels, gallery, gallery_labels = people(3)
        with pytest.raises(ValueError, match="probe_persons: expected at least four people to divide, received 3"):
            protocols.verification(probes, labels, gallery, gallery_labels)
        with pytest.raises(ValueError, match="probe_persons: expected people of the gallery, received 7"):
            protocols.verification(probes, labels + 7, gallery, gallery_labels)


class TestOpenSet:
    @pytest.mark.parametrize("persons", [20, 9, 4])
    def test_against_plain_loops(self, persons):
        probes, labels, gallery, gallery_labels = people(persons)
        rates = (0.34, 0.1)
        found = protocols.open_set(probes, labels, gallery, gallery_labels, rates, seed=2)
        choosing, tested, choosing_strangers, strangers = protocols.divide(labels, 4, seed=2)

        def scores(coming, enrolled):
            own = np.isin(labels, coming)
            return nearest(probes[own], gallery, gallery_labels, choosing, enrolled), labels[own]

        assert (found.samples, found.strangers, found.persons) == (3 * len(tested), 3 * len(strangers), len(tested))
        alarms = sorted((max(row) for row in scores(choosing_strangers, choosing)[0]), reverse=True)
        for point, asked in zip(found.operating_points, rates, strict=True):
            passing = math.floor(asked * len(alarms))
            assert point.threshold == pytest.approx(alarms[passing])
            assert sum(alarm > point.threshold + 1e-9 for alarm in alarms) == passing
            named = [max(row) >= point.threshold for row in scores(strangers, tested)[0]]
            assert point.false == pytest.approx(np.mean(named))
            rightly = [
                max(row) >= point.threshold and tested[np.argmax(row)] == person
                for row, person in zip(*scores(tested, tested), strict=True)
            ]
            assert point.true == pytest.approx(np.mean(rightly))

    def test_end_of_the_curve_is_rank_1_of_those_enrolled(self):
        probes, labels, gallery, gallery_labels = people(40)
        found = protocols.open_set(probes, labels, gallery, gallery_labels)
        choosing, tested, _, _ = protocols.divide(labels, 4)
        mean, scale = (
            function(gallery[np.isin(gallery_labels, choosing)], axis=0)[None] for function in (np.mean, np.std)
        )
        own, entries = np.isin(labels, tested), np.isin(gallery_labels, tested)
        distances = np.linalg.norm(((probes[own] - mean) / scale)[:, None] - (gallery[entries] - mean) / scale, axis=2)
        rank_1 = metrics.retrieval_rank_k(distances, labels[own], gallery_labels[entries])
        assert 0.2 < rank_1 < 0.9
        assert found.roc.false[-1] == 1
        assert found.roc.true[-1] == pytest.approx(rank_1)
        assert list(found.roc.true) == sorted(found.roc.true)

    def test_people_far_apart_are_named_and_strangers_are_not(self):
        found = protocols.open_set(*people(40, spread=1e-3))
        for point in found.operating_points:
            assert point.false == pytest.approx(point.asked, abs=0.15)
            assert point.true == 1

    def test_gallery_of_those_never_enrolled_is_not_searched(self):
        probes, labels, gallery, gallery_labels = people()
        found = protocols.open_set(probes, labels, gallery, gallery_labels)
        _, _, *never = protocols.divide(labels, 4)
        moved = gallery + 100 * np.isin(gallery_labels, np.concatenate(never))[:, None]
        assert protocols.open_set(probes, labels, moved, gallery_labels) == found

    def test_those_tested_do_not_choose(self):
        probes, labels, gallery, gallery_labels = people()
        _, tested, _, strangers = protocols.divide(labels, 4)
        moved = probes + 5 * np.isin(labels, np.concatenate([tested, strangers]))[:, None]
        thresholds = [
            [point.threshold for point in protocols.open_set(one, labels, gallery, gallery_labels).operating_points]
            for one in (probes, moved)
        ]
        assert thresholds[0] == thresholds[1]

    def test_too_few_people(self):
        with pytest.raises(ValueError, match="probe_persons: expected at least four people to divide, received 2"):
            protocols.open_set(*people(2))


class TestPublishedWindows:
    def by_hand(self, persons, frames, batch):
        """The published code's loops: whole batches of windows of each person, then whole batches of all frames."""
        kept = []
        for person in sorted(set(persons), key=persons.index):
            windows = [window for window, of in enumerate(persons) if of == person]
            while len(windows) >= batch and len(windows) % batch:
                windows.pop()
            kept += windows
        rows = [window for window in kept for _ in range(frames)]
        while len(rows) % batch:
            rows.pop()
        return [window for window in dict.fromkeys(rows) if rows.count(window) == frames]

    @pytest.mark.parametrize(("frames", "batch"), [(6, 8), (3, 4), (1, 5), (4, 4)])
    @pytest.mark.parametrize("counts", [[3, 9, 16, 5], [8, 8], [1], [20, 1, 20]])
    def test_against_plain_loops(self, counts, frames, batch):
        persons = [person for person, count in enumerate(counts) for _ in range(count)]
        found = protocols.published_windows(np.array(persons), frames, batch)
        assert found.tolist() == self.by_hand(persons, frames, batch)

    def test_of_the_published_batch(self):
        # 300 windows keep two batches, 100 stay: 356 windows are 2136 frames, 16 batches of 128 frames are 341 windows.
        persons = np.repeat([4, 2], [300, 100])
        found = protocols.published_windows(persons)
        assert found.tolist() == [*range(256), *range(300, 300 + 85)]

    def test_of_nothing_nothing(self):
        assert protocols.published_windows(np.array([], int)).tolist() == []


def test_protocols_have_names_of_their_own():
    assert len(protocols.PROTOCOLS) == 7
    assert list(protocols.PROTOCOLS)[:3] == [
        "closed-set recognition",
        "published protocol (chosen on the test walks)",
        "retrieval",
    ]


def test_results_become_json_and_come_back():
    case = people(20)
    logits = np.random.default_rng(0).standard_normal((256, 20))
    for found in (
        protocols.recognition(logits, np.arange(256) % 20),
        protocols.published([logits], np.repeat(np.arange(2), 128)),
        protocols.retrieval(*case),
        protocols.verification(*case),
        protocols.open_set(*case),
    ):
        figures = dataclasses.asdict(found)
        assert "protocol" not in figures
        read = json.loads(json.dumps(figures, allow_nan=False))
        assert read.keys() == figures.keys()
        assert read["samples"] == found.samples
