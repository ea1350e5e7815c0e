"""The embedder on Keras's other backends, in processes of their own, where these are installed."""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import agegait

PROGRAM = """
import sys
import keras, numpy as np
import agegait, agegait.models
from agegait.data.padding import padded
from agegait.data.balanced_clips import BalancedClips
folder = sys.argv[1]
embedder = keras.models.load_model(f"{folder}/model.keras")
walks = [np.load(f"{folder}/walk-{number}.npy") for number in range(4)]
np.save(f"{folder}/embeddings.npy", embedder.embed(walks))
classified = embedder.classifier(2)
classified.compile(keras.optimizers.AdamW(1e-2), agegait.losses.AdditiveMarginSoftmax(), metrics=["accuracy"])
clips = BalancedClips(walks, [0, 0, 1, 1], 2, 2, (4, 8), batches=4, mirror=False)
history = classified.fit(clips, epochs=4, shuffle=False, verbose=0).history
assert history["loss"][-1] < history["loss"][0], history
embedder.compile("adam", agegait.losses.SupervisedContrastive())
assert np.isfinite(embedder.fit(clips, verbose=0).history["loss"]).all()
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_embeddings_are_those_of_tensorflow_and_it_trains(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    random = np.random.default_rng(0)
    walks = [random.normal(number // 2, 0.4, (9 + number, 5, 3)).astype("float32") for number in range(4)]
    keras.utils.set_random_seed(0)
    encoder = agegait.GaitEncoder(frames=3, joints=5, units=2)
    options = {"embedding_size": 6, "units": 8, "hips": (1, 2)}
    embedder = agegait.GaitEmbedder(features=agegait.layers.FrameFeatures.NAMES, encoder=encoder, **options)
    embedder.adapt(walks)
    expected = embedder.embed(walks)
    embedder.save(tmp_path / "model.keras")
    for number, walk in enumerate(walks):
        np.save(tmp_path / f"walk-{number}.npy", walk)
    environment = {**os.environ, "KERAS_BACKEND": backend}
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    np.testing.assert_allclose(np.load(tmp_path / "embeddings.npy"), expected, atol=1e-5)
