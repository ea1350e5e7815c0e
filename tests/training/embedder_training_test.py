import logging

import numpy as np
import pytest

from agegait.data import Walks
from agegait.skeletons import STANDING
from agegait.training import EmbedderTraining

TINY = {"units": 8, "embedding_size": 6, "dilations": ()}
QUICK = {"batches": 12, "warmup": 2, "labels_per_batch": 8, "frames": (6, 10), "learning_rate": 0.02, "embedder": TINY}


def made(persons=4, walks=3):
    """Bodies of other sizes, which differ more between people than between their walks."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(persons), walks)
    sizes = 1 + 0.15 * random.normal(size=(persons, 20, 1))
    skeletons = [(STANDING * sizes[label] + random.normal(0, 0.01, (12, 20, 3))).astype("float32") for label in labels]
    names = np.array([f"walk-{number}" for number in range(len(labels))])
    return Walks(skeletons, np.array([f"person-{label}" for label in labels]), names)


WALKS = made()


def nearest(embedder):
    embeddings = embedder.embed(WALKS.skeletons)
    cosines = embeddings @ embeddings.T
    np.fill_diagonal(cosines, -1)
    return np.mean(WALKS.persons[cosines.argmax(axis=1)] == WALKS.persons)


@pytest.mark.parametrize(
    "learning", ["persons", *(pytest.param(other, marks=pytest.mark.slow) for other in ("walks", "contrast"))]
)
def test_a_trained_embedder_finds_people(learning):
    embedder = EmbedderTraining(learning, **QUICK).fit(WALKS)
    assert nearest(embedder) == 1


@pytest.mark.slow
@pytest.mark.parametrize("learning", ["walks", "contrast"])
def test_without_labels_nobodys_name_has_a_part_in_it(learning):
    nobody = WALKS._replace(persons=np.full(len(WALKS.names), "nobody"))
    found = [EmbedderTraining(learning, **{**QUICK, "batches": 2}).fit(walks) for walks in (WALKS, nobody)]
    np.testing.assert_array_equal(*(embedder.embed(WALKS.skeletons) for embedder in found))


@pytest.mark.slow
def test_clusters_are_found_anew_in_each_round(caplog):
    nobody = WALKS._replace(persons=np.full(len(WALKS.names), "nobody"))
    with caplog.at_level(logging.INFO):
        embedder = EmbedderTraining("clusters", rounds=2, **QUICK).fit(nobody)
    rounds = [record.message for record in caplog.records if record.message.startswith("round")]
    assert [line.split(":")[0] for line in rounds] == ["round 1", "round 2"]
    assert all("12 walks in" in line for line in rounds)
    assert nearest(embedder) == 1


def test_refusals():
    with pytest.raises(
        ValueError, match="learning: expected one of persons, walks, contrast, clusters, received 'all'"
    ):
        EmbedderTraining("all")
    with pytest.raises(ValueError, match="batches, rounds: expected at least 1, received 0 and 2"):
        EmbedderTraining(batches=0)
    alone = WALKS._replace(persons=np.full(len(WALKS.names), "nobody"))
    with pytest.raises(ValueError, match="walks: expected at least two classes to tell apart, received 1"):
        EmbedderTraining("persons", **QUICK).fit(alone)
