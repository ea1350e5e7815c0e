import keras
import numpy as np
import pytest
import tensorflow as tf

from agegait.losses import SupervisedContrastive

EMBEDDINGS = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
LABELS = np.array([2, 0, 2, 5, 0, 2])


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_against_plain_loops(temperature):
    unit = [row / np.linalg.norm(row) for row in EMBEDDINGS.astype("float64")]
    losses = []
    for i, label in enumerate(LABELS):
        others = [j for j in range(6) if j != i]
        total = sum(np.exp(unit[i] @ unit[j] / temperature) for j in others)
        shares = [np.exp(unit[i] @ unit[j] / temperature) / total for j in others if LABELS[j] == label]
        losses.append(-np.mean(np.log(shares)) if shares else 0)
    assert losses[3] == 0  # alone with its label
    for labels in (LABELS, LABELS[:, None]):
        np.testing.assert_allclose(SupervisedContrastive(temperature)(labels, EMBEDDINGS), np.mean(losses), rtol=1e-5)


def test_the_length_of_embeddings_has_no_part_in_it():
    lengths = np.arange(1, 7, dtype="float32")[:, None]
    loss = SupervisedContrastive()
    np.testing.assert_allclose(loss(LABELS, EMBEDDINGS * lengths), loss(LABELS, EMBEDDINGS), rtol=1e-5)


def test_slopes_are_numbers_without_any_pair():
    embeddings = tf.Variable(EMBEDDINGS)
    with tf.GradientTape() as tape:
        loss = SupervisedContrastive()(np.arange(6), embeddings)
    assert float(loss) == 0
    assert not tape.gradient(loss, embeddings).numpy().any()


def test_comes_back_from_its_config():
    loss = keras.losses.deserialize(keras.losses.serialize(SupervisedContrastive(0.07)))
    assert (loss.temperature, loss.name) == (0.07, "supervised_contrastive")


def test_refuses_no_temperature():
    with pytest.raises(ValueError, match="temperature: expected a positive number, received 0"):
        SupervisedContrastive(0)
