import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from support.saving import assert_loaded_it_gives_the_same_and_learns_on

import agegait
from agegait.models import window_recognizer

F, J, N = 4, 5, 3
SIZE = 3 * F * J + J * (J - 1)


@pytest.fixture(scope="module")
def windows():
    return np.random.default_rng(0).normal(0.5, 0.3, (12, F, J, 3)).astype("float32")


@pytest.fixture(scope="module")
def persons():
    return np.arange(12) % N


def adapted(windows, **options):
    keras.utils.set_random_seed(1)
    recognizer = agegait.WindowRecognizer(N, **{"units": 7, **options})
    recognizer.adapt(windows)
    recognizer.build(windows.shape)
    return recognizer


def compiled(recognizer):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    recognizer.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return recognizer


def test_logits_are_those_of_a_network_on_standardised_measures(windows):
    recognizer = adapted(windows)
    measures = agegait.WindowMeasures()(windows).numpy().astype("float64")
    assert measures.shape == (12, SIZE)
    hidden = (measures - measures.mean(axis=0)) / measures.std(axis=0)
    *_, kernel, bias, last_kernel, last_bias = recognizer.get_weights()
    logits = np.maximum(hidden @ kernel + bias, 0) @ last_kernel + last_bias
    np.testing.assert_allclose(recognizer(windows), logits, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(recognizer.predict(windows, batch_size=5, verbose=0), logits, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(recognizer({"skeleton": windows}), logits, rtol=1e-3, atol=1e-3)


def test_what_it_adapts_to_is_measured_in_pieces(windows, monkeypatch):
    expected = adapted(windows)(windows)
    monkeypatch.setattr(window_recognizer, "WINDOWS_AT_ONCE", 5)
    np.testing.assert_allclose(adapted(windows)(windows), expected, rtol=1e-4, atol=1e-5)


def test_shapes(windows):
    recognizer = agegait.WindowRecognizer(N)
    assert recognizer.compute_output_shape((None, F, J, 3)) == (None, N)
    assert recognizer(keras.Input((F, J, 3))).shape == (None, N)
    assert recognizer(windows).shape == (12, N)
    assert recognizer.num_persons == N


def test_learns_from_arrays_as_from_data_sets(windows, persons):
    losses = []
    for data in ((windows, persons), (tf.data.Dataset.from_tensor_slices((windows, persons)).batch(32),)):
        model = compiled(adapted(windows))
        losses.append(model.fit(*data, epochs=8, shuffle=False, verbose=0).history["loss"])
    assert losses[0][-1] < 0.7 * losses[0][0]
    np.testing.assert_allclose(*losses, rtol=1e-4)


def test_dropout_is_for_training_alone(windows):
    recognizer = adapted(windows, dropout=0.5)
    np.testing.assert_array_equal(recognizer(windows), recognizer(windows))
    assert not np.allclose(recognizer(windows, training=True), recognizer(windows))


def test_saved_and_loaded_it_gives_the_same_and_learns_on(windows, persons, tmp_path):
    recognizer = compiled(
        adapted(windows, units=(7, 6), kernel_initializer=keras.initializers.RandomNormal(stddev=1.0))
    )
    assert_loaded_it_gives_the_same_and_learns_on(recognizer, windows, persons, tmp_path)


def test_a_clone_with_its_weights_gives_the_same(windows):
    recognizer = adapted(windows)
    clone = keras.models.clone_model(recognizer)
    clone(windows)
    clone.set_weights(recognizer.get_weights())
    np.testing.assert_allclose(clone(windows), recognizer(windows), rtol=1e-6)


def test_bfloat16_comes_after_standardising(windows):
    windows = 10 + 0.01 * windows  # bfloat16 has nothing between 10 and 10.06
    recognizer, other = (adapted(windows, dtype=dtype) for dtype in ("float32", "mixed_bfloat16"))
    other.set_weights(recognizer.get_weights())
    assert other(windows).dtype == tf.bfloat16
    expected, logits = np.asarray(recognizer(windows)), np.asarray(other(windows), "float32")
    np.testing.assert_allclose(logits, expected, atol=0.03 * np.abs(expected).max())


def test_config_is_json():
    recognizer = agegait.WindowRecognizer(N, [5, 4], dropout=0.25, dtype="mixed_bfloat16")
    config = json.loads(json.dumps(recognizer.get_config()))
    again = agegait.WindowRecognizer.from_config(config)
    assert json.loads(json.dumps(again.get_config())) == config
    assert again.recognizer.compute_dtype == "bfloat16"
    assert again.recognizer.dropout == 0.25


@pytest.mark.parametrize("shape", [(2, F, J), (2, F, J, 2)])
def test_refuses_what_are_no_windows(shape):
    with pytest.raises(ValueError, match=r"inputs: expected windows \[B, f, J, 3\], received a shape of"):
        agegait.WindowRecognizer(N)(np.zeros(shape, "float32"))
    with pytest.raises(ValueError, match=r"inputs: expected windows \[B, f, J, 3\], received a shape of"):
        agegait.WindowRecognizer(N).adapt(np.zeros(shape, "float32"))


def test_refuses_windows_of_another_size_than_before(windows):
    recognizer = adapted(windows)
    with pytest.raises(ValueError, match=r"inputs: expected windows of 4 frames and 5 joints, received 3 and 5"):
        recognizer(windows[:, :3])
