"""Two workers train one model, in processes of their own, as on two machines."""

import json
import os
import socket
import sys

import keras
import numpy as np
import pytest
from support import forked

import agegait.models  # noqa: F401 (registers what is loaded)
from agegait.training.distribution import Workers

# A batch of 16 is eight rows for each of two workers, the last of an epoch three; the gradients are clipped.
PROGRAM = """
import json, sys
import keras, numpy as np, tensorflow as tf
from agegait import GaitEncoder, data
from agegait.training import distribution

workers = distribution.Workers()
keras.utils.set_random_seed(workers.index)  # so that weights are equal only where workers agree
windows = np.random.default_rng(0).normal(0, 1, (38, 3, 20, 3)).astype("float32")
encoder = GaitEncoder(frames=3, units=4, num_layers=1)
encoder.build((None, 3, 20, 3))
encoder.compile(workers.optimizer(keras.optimizers.Adam(1e-2, clipvalue=0.01)))
workers.agree(encoder)
first = encoder.get_weights()
history = encoder.fit(
    workers.share(data.shuffled_epochs([windows], 16, seed=0, epochs=2)), epochs=2, steps_per_epoch=3, shuffle=False,
    verbose=0,
).history
encoder.save(sys.argv[1] + ".keras")
np.savez(sys.argv[1], **{f"first_{n}": w for n, w in enumerate(first)},
         **{f"last_{n}": w for n, w in enumerate(encoder.get_weights())})
pairs = workers.share(tf.data.Dataset.from_tensor_slices((np.arange(7), np.arange(7) * 10)).batch(5))
alone = workers.share(tf.data.Dataset.range(1).batch(4))
means = workers.mean([tf.constant([workers.index, 10.0]), None])
print(json.dumps({
    "workers": [workers.index, workers.count],
    "loss": history["loss"],
    "pairs": [[column.tolist() for column in batch] for batch in pairs.as_numpy_iterator()],
    "alone": [batch.tolist() for batch in alone.as_numpy_iterator()],
    "means": [None if mean is None else mean.numpy().tolist() for mean in means],
}))
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start(place, cluster=None, index=0):
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    environment.pop("TF_CONFIG", None)
    if cluster:
        environment["TF_CONFIG"] = json.dumps(
            {"cluster": {"worker": cluster}, "task": {"type": "worker", "index": index}}
        )
    command = [sys.executable, "-c", PROGRAM, str(place)]
    return forked.Popen(command, env=environment, stdout=forked.PIPE, stderr=forked.PIPE, text=True)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """What two workers, and one process alone, printed and saved: `(printed, weights, path)` each."""
    folder = tmp_path_factory.mktemp("workers")
    cluster = [f"127.0.0.1:{port}" for port in free_ports(2)]
    processes = {
        "alone": start(folder / "alone"),
        "first": start(folder / "first", cluster, 0),
        "second": start(folder / "second", cluster, 1),
    }
    found = {}
    try:
        for name, process in processes.items():
            stdout, stderr = process.communicate(timeout=300)
            assert process.returncode == 0, f"{name}: {stderr}"
            with np.load(folder / f"{name}.npz") as saved:
                found[name] = json.loads(stdout.splitlines()[-1]), dict(saved), folder / f"{name}.keras"
    finally:
        for process in processes.values():
            process.kill()
    return found


def weights(found, when):
    return [weight for name, weight in found[1].items() if name.startswith(when)]


@pytest.mark.slow
def test_all_workers_are_there(trained):
    assert [trained[name][0]["workers"] for name in ("alone", "first", "second")] == [[0, 1], [0, 2], [1, 2]]


@pytest.mark.slow
def test_workers_keep_equal_weights(trained):
    for when in ("first", "last"):
        for one, other in zip(weights(trained["first"], when), weights(trained["second"], when), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_two_workers_train_as_one_process_does(trained):
    steps = zip(
        *(weights(trained[name], when) for name in ("alone", "first") for when in ("first", "last")), strict=True
    )
    for alone_first, alone_last, first, last in steps:
        np.testing.assert_array_equal(first, alone_first)
        np.testing.assert_allclose(last, alone_last, rtol=0, atol=1e-5)  # six steps of up to 1e-2 each
    moved = zip(weights(trained["alone"], "first"), weights(trained["alone"], "last"), strict=True)
    assert max(np.abs(last - first).max() for first, last in moved) > 1e-2


@pytest.mark.slow
def test_a_share_is_every_other_row_and_shares_are_of_one_size(trained):
    # The fifth row of the first batch has no other: the first row comes again.
    assert trained["first"][0]["pairs"] == [[[0, 2, 4], [0, 20, 40]], [[5], [50]]]
    assert trained["second"][0]["pairs"] == [[[1, 3, 0], [10, 30, 0]], [[6], [60]]]
    assert trained["alone"][0]["pairs"] == [[[0, 1, 2, 3, 4], [0, 10, 20, 30, 40]], [[5, 6], [50, 60]]]
    assert [trained[name][0]["alone"] for name in ("first", "second")] == [[[0]], [[0]]]


@pytest.mark.slow
def test_means_are_over_the_workers(trained):
    assert [trained[name][0]["means"] for name in ("first", "second")] == [[[0.5, 10], None]] * 2
    assert trained["alone"][0]["means"] == [[0, 10], None]


@pytest.mark.slow
def test_a_model_saved_by_a_worker_loads_without_workers(trained):
    _, _, path = trained["second"]
    encoder = keras.models.load_model(path)
    assert type(encoder.optimizer) is keras.optimizers.Adam
    assert encoder.optimizer.clipvalue == 0.01
    for saved, weight in zip(weights(trained["second"], "last"), encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, saved)


def test_refuses_another_backend(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match="backend: expected tensorflow, received jax"):
        Workers()
