import numpy as np
import pytest
import scipy.linalg

from agegait import GaitEmbedder
from agegait.skeletons import STANDING
from agegait.training import EmbedderTraining, whiten_within_persons

pytestmark = pytest.mark.usefixtures("eagerly")  # walks of many lengths, each of which has a graph


def made(persons=5, walks=4, seed=0):
    """Walks of several lengths; one person's differ in how long the legs look and how the body trembles."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(persons), walks)
    sizes = 1 + 0.05 * random.normal(size=(persons, 20, 1))
    skeletons = []
    for label in labels:
        frames = int(random.integers(5, 40))
        stretch = 1 + 0.1 * random.normal() * (STANDING[:, 1:2] < 0)
        skeletons.append(
            (STANDING * sizes[label] * stretch + random.normal(0, 0.02, (frames, 20, 3))).astype("float32")
        )
    return skeletons, labels


@pytest.fixture(params=[8, None], ids=["segments", "whole walks"])
def embedder(request):
    embedder = GaitEmbedder(units=4, embedding_size=3, dilations=(1,), segment=request.param)
    embedder.adapt(made()[0])
    random = np.random.default_rng(1)
    for layer in (embedder.embedding, embedder.embedding_normalization):
        layer.set_weights([random.uniform(0.5, 1.5, weights.shape) for weights in layer.get_weights()])
    return embedder


def outputs(embedder, walk):
    """What the last layer gives for each segment, before it is brought to unit length `[S, D]`."""
    pooled, _, _ = embedder.pool(walk[None])
    return np.asarray(embedder.embedding_normalization(embedder.embedding(pooled))).reshape(-1, 3).astype("float64")


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def test_it_is_the_inverse_root_of_the_covariance_within_people(embedder):
    walks, labels = made()
    segments = [outputs(embedder, walk) for walk in walks]
    means = np.stack([rows.mean(axis=0) for rows in segments])
    deviations = np.concatenate([means[labels == label] - means[labels == label].mean(0) for label in range(5)])
    covariance = deviations.T @ deviations / (len(walks) - 1)
    covariance += 0.5 * np.trace(covariance) / 3 * np.eye(3)
    root = scipy.linalg.sqrtm(np.linalg.inv(covariance))
    expected = [unit(unit((rows - means.mean(axis=0)) @ root).mean(axis=0)) for rows in segments]

    whiten_within_persons(embedder, walks, labels, shrinkage=0.5)
    np.testing.assert_allclose(embedder.embed(walks), expected, atol=1e-4)


def test_names_serve_as_well_as_numbers(embedder):
    walks, labels = made()
    copy = GaitEmbedder.from_config(embedder.get_config())
    copy.build((None, None, 20, 3))
    copy.set_weights(embedder.get_weights())
    whiten_within_persons(embedder, walks, labels)
    whiten_within_persons(copy, walks, np.array([f"person {label}" for label in labels]))
    np.testing.assert_array_equal(copy.embed(walks), embedder.embed(walks))


def test_people_of_whom_nothing_can_be_learned_are_refused(embedder):
    walks, labels = made()
    with pytest.raises(ValueError, match="persons: expected two walks of somebody, received one walk of each person"):
        whiten_within_persons(embedder, walks, np.arange(len(walks)))
    with pytest.raises(ValueError, match="persons: expected one for each of 20 walks, received 19"):
        whiten_within_persons(embedder, walks, labels[1:])


@pytest.mark.parametrize("learning", ["persons", "walks"])
def test_a_training_with_people_ends_with_it(monkeypatch, learning):
    from agegait.data import Walks
    from agegait.training import embedder_training

    seen = []
    monkeypatch.setattr(embedder_training, "whiten_within_persons", lambda *given: seen.append(given))
    skeletons, labels = made(persons=2, walks=2)
    walks = Walks(skeletons, np.array(["a", "b"])[labels], np.array(list("1234")))
    small = {"units": 2, "embedding_size": 2, "features": ("velocities",), "dilations": ()}
    EmbedderTraining(learning, batches=1, frames=(4, 4), embedder=small).fit(walks)
    assert len(seen) == (learning == "persons")
