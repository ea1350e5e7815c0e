import keras
import numpy as np
import pytest

import agegait
from agegait.losses import ConsecutiveContrast

F, J, K = 4, 5, 6
WALKS = np.array([0, 0, 0, 4, 4, 4, 4])


def tiny(**options):
    return agegait.ContrastiveGaitEncoder(**{"frames": F, "joints": J, "units": K, "num_layers": 1, **options})


def compiled(encoder):
    encoder.compile("adam", run_eagerly=True)
    return encoder


@pytest.fixture(scope="module")
def windows():
    return np.random.default_rng(0).standard_normal((7, F, J, 3)).astype("float32")


@pytest.fixture(scope="module")
def encoder(windows):
    encoder = tiny(temperature=0.5)
    encoder.build(windows.shape)
    return encoder


def test_each_axis_has_a_head_of_its_own_over_its_frames_joined(encoder, windows):
    found = {name: keras.ops.convert_to_numpy(value) for name, value in encoder(windows).items()}
    assert found["projections"].shape == (7, 3, K)
    kernel, bias, projection, offset = (keras.ops.convert_to_numpy(weight) for weight in encoder.head)
    for axis in range(3):
        joined = found["ages"][:, :, axis * K : (axis + 1) * K].reshape(7, F * K)
        hidden = np.maximum(joined @ kernel[axis] + bias[axis], 0)
        np.testing.assert_allclose(found["projections"][:, axis], hidden @ projection[axis] + offset[axis], rtol=1e-4)


def test_the_loss_is_the_encoders_and_the_contrast_of_each_axis(encoder, windows):
    plain = agegait.GaitEncoder(frames=F, joints=J, units=K, num_layers=1, l2=0)
    plain.build(windows.shape)
    plain.set_weights(encoder.get_weights()[4:])
    without = tiny(temperature=0.5, contrast_weight=0.25, l2=0)
    without.build(windows.shape)
    without.set_weights(encoder.get_weights())
    outputs = without(windows)
    contrast = sum(
        float(ConsecutiveContrast(0.5)(WALKS, outputs["projections"][:, axis])) for axis in range(without.AXES)
    )
    expected = float(plain.compute_loss(windows, y_pred=plain(windows))) + 0.25 * contrast
    assert float(without.compute_loss(windows, WALKS, outputs)) == pytest.approx(expected, rel=1e-5)


def test_fit_lowers_the_contrast_and_never_shuffles(windows):
    encoder = compiled(tiny(contrast_weight=1.0))
    history = encoder.fit(windows, WALKS, batch_size=7, epochs=4, verbose=0).history["contrast_loss"]
    assert history[-1] < history[0]
    with pytest.raises(ValueError, match="shuffle: expected False"):
        encoder.fit(windows, WALKS, shuffle=True, verbose=0)


def test_needs_the_numbers_of_walks(windows):
    encoder = compiled(tiny())
    with pytest.raises(ValueError, match="y: expected the number of each window's walk, received none"):
        encoder.fit(windows, verbose=0)
    assert encoder.evaluate(windows, WALKS, verbose=0, return_dict=True)["contrast_loss"] > 0


def test_comes_back_from_a_file(encoder, windows, tmp_path):
    encoder.save(tmp_path / "cage.keras")
    loaded = keras.saving.load_model(tmp_path / "cage.keras")
    assert loaded.get_config() == encoder.get_config()
    for name, value in encoder(windows).items():
        np.testing.assert_array_equal(loaded(windows)[name], value)


def test_refuses_a_negative_weight():
    with pytest.raises(ValueError, match="contrast_weight: expected at least 0, received -1"):
        tiny(contrast_weight=-1)
