"""The published graph's numbers, met by ours. The golden files come from the published code.

Further golden files are tried with AGEGAIT_GOLDEN=folder, further checkpoints by `convert_test.py`.
"""

import os
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from agegait import convert
from agegait.training import optimizers, recipes

FOLDERS = [Path(__file__).parents[1] / "golden", *map(Path, filter(None, [os.environ.get("AGEGAIT_GOLDEN")]))]
GOLDENS = sorted(path for folder in FOLDERS for path in folder.glob("*.npz"))
ENCODERS = [path for path in GOLDENS if not path.stem.startswith("rn_")]
RECOGNIZERS = [path for path in GOLDENS if path.stem.startswith("rn_")]


def part(golden, prefix):
    return {name.removeprefix(prefix): golden[name] for name in golden.files if name.startswith(prefix)}


def close(actual, expected, tolerance=1e-5):
    expected = np.asarray(expected)
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


class Published:
    """A golden file, and our encoder with its variables on each of the three axes."""

    def __init__(self, path):
        self.golden = np.load(path)
        self.variables = part(self.golden, "var/")
        self.attention = str(self.golden["attention"])
        self.encoder = convert.gait_encoder([self.variables] * 3, attention=self.attention)
        self.windows = np.stack([self.golden["inputs"]] * 3, axis=-1)

    def pairs(self, prefix):
        return [(ours, theirs[0]) for ours, theirs in convert.pairs(self.encoder, [part(self.golden, prefix)] * 3)]

    def loss(self):
        """The published cost: a sum over the batch and, here, over three equal axes."""
        outputs = self.encoder(self.windows, training=True)
        return len(self.windows) * self.encoder.compute_loss(self.windows, y_pred=outputs)

    def copies_weight_loss(self):
        """What two unused copies of encoder variables add to the published cost."""
        copies = [value for name, value in self.variables.items() if name.startswith("lstm_weights_layer")]
        return 0.02 * 0.5 * sum(np.sum(np.square(copy, dtype="float64")) for copy in copies)


@pytest.fixture(params=ENCODERS, ids=lambda path: path.stem)
def published(request):
    return Published(request.param)


def test_encoder_outputs_and_final_states(published):
    by_axis = np.transpose(published.windows, (3, 0, 1, 2))
    outputs, states = published.encoder.encoder(by_axis)
    for axis in range(3):
        close(outputs[axis], published.golden["encoder_output"])
        for layer, (h, c) in enumerate(states):
            close(h[axis], published.golden[f"enc_h{layer}"])
            close(c[axis], published.golden[f"enc_c{layer}"])


def test_reconstruction_attention_and_ages(published):
    outputs, golden = published.encoder(published.windows), published.golden
    ages = np.split(outputs["ages"].numpy(), 3, axis=-1)
    for axis in range(3):
        close(outputs["reconstruction"][..., axis], golden["rnn_output"])
        close(outputs["attention"][:, axis], np.transpose(golden["attention_matrices"], (1, 0, 2)))
        close(ages[axis], golden["age"])


def test_feeding_its_own_output_back(published):
    encoder = convert.gait_encoder([published.variables] * 3, attention=published.attention, feed="previous")
    close(encoder(published.windows)["reconstruction"][..., 0], published.golden["predictions"])


def test_loss_terms(published):
    encoder, golden, batch = published.encoder, published.golden, len(published.windows)
    cost = float(published.loss())
    close(batch * float(encoder.reconstruction_tracker.result()), 3 * golden["real_loss"])
    weight_loss = batch * float(encoder.weight_loss())
    close(weight_loss + 3 * published.copies_weight_loss(), 3 * golden["l2"])
    if published.attention == "LA":
        close(batch * float(encoder.locality_tracker.result()), 3 * golden["att_loss"])
        frames = encoder.frames
        close(encoder.decoder.attention.locality(frames, frames), golden["objective_attention"])
    close(cost + 3 * published.copies_weight_loss(), 3 * golden["cost"])


def test_every_gradient(published):
    pairs = published.pairs("grad/")
    assert {id(variable) for variable, _ in pairs} == {id(v) for v in published.encoder.trainable_weights}
    with tf.GradientTape() as tape:
        loss = published.loss()
    gradients = tape.gradient(loss, [variable.value for variable, _ in pairs])
    for gradient, (_, expected) in zip(gradients, pairs, strict=True):
        for axis in range(3):
            close(np.clip(gradient[axis], -5, 5), expected)


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 5])
def test_adam_steps(published, steps):
    published.encoder.compile(optimizer=optimizers.encoder_optimizer(recipes.PRESETS["paper"], steps))
    for _ in range(steps):
        published.encoder.train_on_batch(published.windows)
    for variable, expected in published.pairs(f"after{steps}/"):
        for axis in range(3):
            np.testing.assert_allclose(variable.numpy()[axis], expected, rtol=0, atol=1e-4)
            # All but the few that amplify float noise are far nearer.
            assert np.mean(np.abs(variable.numpy()[axis] - expected) > 2e-6) < 0.01


class PublishedNetwork:
    """A golden file of the recognition network, and our recognizer with its variables."""

    def __init__(self, path):
        self.golden = np.load(path)
        self.frames = len(self.golden["X"]) // len(self.golden["seq_y"])
        self.recognizer = convert.gait_recognizer(part(self.golden, "var/"), self.frames, self.golden["X"].shape[1])
        self.loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.weights = {
            "W1": self.recognizer.hidden[0].kernel,
            "b1": self.recognizer.hidden[0].bias,
            "W": self.recognizer.logits.kernel,
            "b": self.recognizer.logits.bias,
        }
        rows = self.golden["rows_batch"]
        self.batch = self.golden["X"][rows], self.golden["y"][rows]


@pytest.fixture(params=RECOGNIZERS, ids=lambda path: path.stem)
def network(request):
    return PublishedNetwork(request.param)


def test_logits_of_frames_and_windows(network):
    golden, recognizer = network.golden, network.recognizer
    close(recognizer(golden["X"]), golden["logits"])
    windows = golden["X"].reshape(-1, network.frames, golden["X"].shape[1])
    close(recognizer(windows), golden["seq_pred"])
    close(network.loss(golden["y"], recognizer(golden["X"])), golden["loss_all"])


def test_gradients_of_the_recognition_network(network):
    frames, persons = network.batch
    with tf.GradientTape() as tape:
        loss = network.loss(persons, network.recognizer(frames, training=True))
    close(loss, network.golden["loss_batch"])
    gradients = tape.gradient(loss, {name: weight.value for name, weight in network.weights.items()})
    for name, gradient in gradients.items():
        close(gradient, network.golden[f"grad/{name}"])


@pytest.mark.parametrize("steps", [1, 5])
def test_adam_steps_of_the_recognition_network(network, steps):
    recipe = recipes.PRESETS["paper"]
    network.recognizer.compile(optimizers.recognizer_optimizer(recipe, steps), network.loss)
    for _ in range(steps):
        network.recognizer.train_on_batch(*network.batch)
    for name, weight in network.weights.items():
        np.testing.assert_allclose(weight.numpy(), network.golden[f"after{steps}/{name}"], rtol=0, atol=1e-4)
