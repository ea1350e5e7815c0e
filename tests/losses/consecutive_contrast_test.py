import keras
import numpy as np
import pytest
import tensorflow as tf

from agegait.losses import ConsecutiveContrast

PROJECTIONS = np.random.default_rng(0).normal(size=(7, 4)).astype("float32")
WALKS = np.array([3, 3, 3, 8, 8, 1, 8])


def plain(walks, projections, temperature):
    """The published code's loops, but for pairs across walks."""
    first, second = projections[1:].astype("float64"), projections[:-1].astype("float64")
    rows = np.concatenate([first, second])
    unit = [row / np.linalg.norm(row) for row in rows]
    count, losses = len(first), []
    for pair in range(count):
        if walks[pair] != walks[pair + 1]:
            continue
        for one, other in ((pair, pair + count), (pair + count, pair)):
            total = sum(np.exp(unit[one] @ unit[j] / temperature) for j in range(2 * count) if j != one)
            losses.append(-np.log(np.exp(unit[one] @ unit[other] / temperature) / total))
    return np.mean(losses)


@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_against_plain_loops(temperature):
    expected = plain(WALKS, PROJECTIONS, temperature)
    for walks in (WALKS, WALKS[:, None]):
        np.testing.assert_allclose(ConsecutiveContrast(temperature)(walks, PROJECTIONS), expected, rtol=1e-5)


def test_windows_of_other_walks_are_no_pairs():
    projections = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], "float32")
    within = float(ConsecutiveContrast()([5, 5, 7, 7], projections))
    assert within < float(ConsecutiveContrast()([5, 5, 5, 5], projections))


def test_slopes_are_numbers_without_any_pair_and_with_one_window():
    for projections, walks in ((PROJECTIONS, np.arange(7)), (PROJECTIONS[:1], np.arange(1))):
        variable = tf.Variable(projections)
        with tf.GradientTape() as tape:
            loss = ConsecutiveContrast()(walks, variable)
        assert float(loss) == 0
        assert not tape.gradient(loss, variable).numpy().any()


def test_comes_back_from_its_config():
    loss = keras.losses.deserialize(keras.losses.serialize(ConsecutiveContrast(0.5)))
    assert (loss.temperature, loss.name) == (0.5, "consecutive_contrast")


def test_refuses_no_temperature():
    with pytest.raises(ValueError, match="temperature: expected a positive number, received 0"):
        ConsecutiveContrast(0)
