import numpy as np
import pytest

from agegait.training import walk_clusters
from agegait.training.walk_clusters import split_in_halves


def people(spread, seed=0, persons=6, walks=4, size=16):
    """Unit embeddings of people who lie each about a direction of their own."""
    places = np.repeat(np.random.default_rng(9).normal(size=(persons, size)), walks, axis=0)
    found = places + spread * np.random.default_rng(seed).normal(size=places.shape)
    return found / np.linalg.norm(found, axis=1, keepdims=True), np.repeat(np.arange(persons), walks)


def same(labels):
    return np.equal.outer(labels, labels)


def test_walks_of_one_person_are_one_cluster_whatever_their_number():
    embeddings, persons = people(0.2)
    halves = people(0.2, seed=1)[0], people(0.2, seed=2)[0]
    np.testing.assert_array_equal(same(walk_clusters(embeddings, halves)), same(persons))


def test_the_threshold_is_twice_the_distance_between_halves():
    turn = np.array([[np.cos(angle), np.sin(angle)] for angle in (0.0, 0.5, 2.0)])
    apart = 1 - np.cos(0.5)
    assert walk_clusters(turn, distance=1.01 * apart).tolist()[0] == walk_clusters(turn, distance=1.01 * apart)[1]
    assert len(set(walk_clusters(turn, distance=0.99 * apart).tolist())) == 3
    for half, clusters in ((0.52 * apart, 2), (0.48 * apart, 3)):
        second = np.array([[np.cos(a), np.sin(a)] for a in np.array([0.0, 0.5, 2.0]) + np.arccos(1 - half)])
        assert len(set(walk_clusters(turn, (turn, second)).tolist())) == clusters


def test_halves_of_walks():
    first, second = split_in_halves([np.arange(5), np.arange(4)])
    assert [half.tolist() for half in first] == [[0, 1], [0, 1]]
    assert [half.tolist() for half in second] == [[2, 3, 4], [2, 3]]


def test_refusals():
    embeddings, _ = people(0.1)
    with pytest.raises(ValueError, match="embeddings: expected those of at least two walks, received 1"):
        walk_clusters(embeddings[:1], distance=0.1)
    for halves, distance in ((None, None), ((embeddings, embeddings), 0.1)):
        with pytest.raises(ValueError, match="halves, distance: expected one of them, received both or none"):
            walk_clusters(embeddings, halves, distance)
