import dataclasses

import numpy as np
import pytest

from agegait import metrics, protocols


class TestRecognition:
    def test_by_hand(self):
        # The right person is first, second and third.
        found = protocols.recognition(np.array([[3.0, 2, 1], [3, 2, 1], [3, 2, 1]]), np.array([0, 1, 2]))
        assert found.samples == 3
        assert found.rank == {1: pytest.approx(1 / 3)}
        assert found.nauc_cmc == pytest.approx((1 / 3 + 2 / 3 + 1) / 3)
        # Each score is a right answer once and a wrong one twice.
        assert found.nauc_roc == pytest.approx(0.5)

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
        firsts, precisions = [], []
        for probe, person in zip(probes, probe_persons, strict=True):
            distances = [np.linalg.norm((probe - mean) / scale - (entry - mean) / scale) for entry in gallery]
            order = sorted(range(len(gallery)), key=lambda i: (distances[i], gallery_persons[i] == person))
            places = [place for place, i in enumerate(order, 1) if gallery_persons[i] == person]
            firsts.append(places[0])
            precisions.append(np.mean([number / place for number, place in enumerate(places, 1)]))
        return firsts, np.mean(precisions)

    @pytest.mark.parametrize("entries", [4, 9, 30])
    def test_against_plain_loops(self, entries):
        random = np.random.default_rng(entries)
        gallery = random.normal(5, [1, 10, 100], (entries, 3))
        gallery_persons = np.arange(entries) % 4
        probes, probe_persons = random.normal(5, [1, 10, 100], (15, 3)), random.integers(0, 4, 15)
        found = protocols.retrieval(probes, probe_persons, gallery, gallery_persons)
        firsts, precision = self.oracle(probes, probe_persons, gallery, gallery_persons)
        assert (found.samples, found.gallery) == (15, entries)
        ranks = [k for k in (1, 5, 10) if k <= entries]
        assert found.rank == {k: pytest.approx(np.mean([first <= k for first in firsts])) for k in ranks}
        assert found.mean_average_precision == pytest.approx(precision)

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
        with pytest.raises(ValueError, match="5"):
            protocols.retrieval(gallery, np.array([0, 5]), gallery, persons)
        with pytest.raises(ValueError, match="must be finite; received nan"):
            protocols.retrieval(np.array([[np.nan, 0]]), np.array([0]), gallery, persons)


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


def test_figures_of_two_protocols_cannot_be_mixed():
    recognition, retrieval = (
        {field.name for field in dataclasses.fields(kind)} for kind in (protocols.Recognition, protocols.Retrieval)
    )
    assert recognition & retrieval == {"samples", "rank"}
