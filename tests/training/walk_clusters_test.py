import numpy as np
import pytest

from agegait.training import walk_clusters, within_walk_distance


def people(spread, seed=0, persons=6, walks=4, size=16):
    """Unit embeddings of people who lie each about a direction of their own."""
    places = np.repeat(np.random.default_rng(9).normal(size=(persons, size)), walks, axis=0)
    found = places + spread * np.random.default_rng(seed).normal(size=places.shape)
    return found / np.linalg.norm(found, axis=1, keepdims=True), np.repeat(np.arange(persons), walks)


def same(labels):
    return np.equal.outer(labels, labels)


def at_angles(*angles):
    return np.array([[np.cos(angle), np.sin(angle)] for angle in angles])


def test_walks_of_one_person_are_one_cluster_whatever_their_number():
    embeddings, persons = people(0.15)
    distance = within_walk_distance(people(0.25, seed=1)[0], people(0.25, seed=2)[0])
    np.testing.assert_array_equal(same(walk_clusters(embeddings, distance)), same(persons))


def test_clusters_are_joined_below_the_distance():
    embeddings, apart = at_angles(0.0, 0.5, 2.0), 1 - np.cos(0.5)
    first, second, third = walk_clusters(embeddings, 1.01 * apart).tolist()
    assert first == second != third
    assert len(set(walk_clusters(embeddings, 0.99 * apart).tolist())) == 3


def test_the_distance_is_that_of_three_halves_of_four():
    turns = np.arange(1, 6) / 8  # the fourth of five is the 0.75 quantile
    assert within_walk_distance(at_angles(*[0.0] * 5), at_angles(*turns)) == pytest.approx(1 - np.cos(0.5))


def test_refuses_a_single_walk():
    with pytest.raises(ValueError, match="embeddings: expected those of at least two walks, received 1"):
        walk_clusters(at_angles(0.0), distance=0.1)
