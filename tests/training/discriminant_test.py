import numpy as np
import pytest

from agegait import GaitEmbedder
from agegait.skeletons import STANDING
from agegait.training import fit_discriminant

pytestmark = pytest.mark.usefixtures("eagerly")


def made(persons=8, walks=4, shift=0.0, seed=0):
    """Walks of people of other sizes, whom one of two sensors sees: the second one stretches bodies."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(persons), walks)
    sizes = 1 + 0.05 * random.normal(size=(persons, 20, 1))
    skeletons = [
        (STANDING * sizes[label] * (1 + shift * (label % 2)) + random.normal(0, 0.02, (20, 20, 3))).astype("float32")
        for label in labels
    ]
    return skeletons, labels


@pytest.fixture
def embedder():
    embedder = GaitEmbedder(units=4, embedding_size=3, dilations=(), segment=8)
    embedder.adapt(made()[0])
    return embedder


def rank_1(embedder, walks, labels):
    embeddings = embedder.embed(walks)
    cosines = embeddings @ embeddings.T
    np.fill_diagonal(cosines, -1)
    return np.mean(labels[cosines.argmax(axis=1)] == labels)


def test_it_tells_people_apart_whom_a_random_network_does_not(embedder):
    walks, labels = made()
    before = rank_1(embedder, walks, labels)
    fit_discriminant(embedder, walks, labels)
    np.testing.assert_allclose(np.linalg.norm(embedder.embed(walks), axis=1), 1, rtol=1e-5)
    assert rank_1(embedder, walks, labels) > max(0.9, before)


def test_how_groups_differ_is_not_learned(embedder):
    walks, labels = made(shift=0.3)
    apart = {}
    for name, groups in (("groups", labels % 2), ("none", None)):
        fit_discriminant(embedder, walks, labels, groups)
        embeddings = embedder.embed(walks)
        apart[name] = np.linalg.norm(embeddings[labels % 2 == 0].mean(0) - embeddings[labels % 2 == 1].mean(0))
    assert apart["groups"] < apart["none"]


def test_walks_shorter_than_a_segment_are_left_out(embedder):
    walks, labels = made()
    fit_discriminant(embedder, walks, labels)
    whole = embedder.embed(walks)
    fit_discriminant(embedder, [*walks, walks[0][:7]], np.append(labels, 3))
    np.testing.assert_array_equal(embedder.embed(walks), whole)


def test_too_few_people_are_refused(embedder):
    walks, labels = made(persons=3)
    with pytest.raises(ValueError, match="persons: expected more people than the embedding's size, 3, received 3"):
        fit_discriminant(embedder, walks, labels)


def test_an_embedder_without_segments_is_refused():
    walks, labels = made()
    with pytest.raises(ValueError, match="embedder: expected one with segments"):
        fit_discriminant(GaitEmbedder(units=4, embedding_size=3, segment=None), walks, labels)
