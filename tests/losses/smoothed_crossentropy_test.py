import keras
import numpy as np
import pytest

from agegait.losses import SmoothedCrossentropy

LOGITS = np.random.default_rng(0).normal(0, 3, (5, 7)).astype("float32")
LABELS = np.array([6, 0, 3, 3, 1])


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_is_what_keras_makes_of_smoothed_one_hot_labels(smoothing):
    theirs = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    expected = theirs(keras.utils.to_categorical(LABELS, 7), LOGITS)
    for labels in (LABELS, LABELS[:, None]):
        np.testing.assert_allclose(SmoothedCrossentropy(smoothing)(labels, LOGITS), expected, rtol=1e-6)


def test_is_keras_own_without_smoothing():
    theirs = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    assert float(SmoothedCrossentropy()(LABELS, LOGITS)) == float(theirs(LABELS, LOGITS))


def test_trains_a_model_that_is_saved_and_loaded_with_it(tmp_path):
    model = keras.Sequential([keras.Input((7,)), keras.layers.Dense(7)])
    model.compile("adam", SmoothedCrossentropy(0.1), metrics=["accuracy"])
    model.fit(LOGITS, LABELS, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.loss.smoothing == 0.1
    expected, found = (one.evaluate(LOGITS, LABELS, verbose=0) for one in (model, again))
    assert expected == found


@pytest.mark.parametrize("smoothing", [-0.1, 1.0])
def test_refuses_what_is_no_share(smoothing):
    with pytest.raises(ValueError, match="smoothing: expected a share from 0 to under 1, received"):
        SmoothedCrossentropy(smoothing)
