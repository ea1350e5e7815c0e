import keras
import numpy as np
import pytest

from agegait.losses import AdditiveMarginSoftmax

COSINES = np.random.default_rng(0).uniform(-1, 1, (5, 7)).astype("float32")
LABELS = np.array([6, 0, 3, 3, 1])


@pytest.mark.parametrize(("margin", "scale"), [(0.2, 30.0), (0.0, 1.0), (0.5, 10.0)])
def test_against_plain_loops(margin, scale):
    expected = []
    for row, label in zip(COSINES.astype("float64"), LABELS, strict=True):
        logits = [scale * (cosine - margin if n == label else cosine) for n, cosine in enumerate(row)]
        expected.append(-np.log(np.exp(logits[label]) / np.sum(np.exp(logits))))
    loss = AdditiveMarginSoftmax(margin, scale)
    for labels in (LABELS, LABELS[:, None]):
        np.testing.assert_allclose(loss(labels, COSINES), np.mean(expected), rtol=1e-5)


def test_by_hand():
    # Logits 0.8 - 0.3 and 0.5: as if the two classes were equally near.
    assert float(AdditiveMarginSoftmax(0.3, 1.0)([0], [[0.8, 0.5]])) == pytest.approx(np.log(2))


def test_comes_back_from_its_config():
    loss = keras.losses.deserialize(keras.losses.serialize(AdditiveMarginSoftmax(0.1, 20.0)))
    assert (loss.margin, loss.scale, loss.name) == (0.1, 20.0, "additive_margin_softmax")


def test_refusals():
    with pytest.raises(ValueError, match="margin: expected a number from 0 to under 2, received -1"):
        AdditiveMarginSoftmax(-1)
    with pytest.raises(ValueError, match="scale: expected a positive number, received 0"):
        AdditiveMarginSoftmax(scale=0)
