"""Walks of other frame rates than the model's: in the exported graph, over gRPC and REST, and frame by frame."""

import asyncio
import http.client
import json

import numpy as np
import pytest
import tensorflow as tf
from support.frame_rates import walk_at
from support.small_identifier import FRAMES, make_identifier
from support.uncompared import uncompared

from agegait.data import resample
from agegait.export import saved_models
from agegait.export.identifier_endpoints import identifier_endpoints
from agegait.recordings.walks_at_rate import walks_at_rate
from agegait.serving import AsyncClient, Client, ClientError, Limits, Server
from agegait.serving.server.batcher import _Job
from agegait.serving.server.request_checks import check_cost
from agegait.serving.server.servable import Servable

RATES = [15, 30, 25, 60, 29, 12.5]


@pytest.fixture(scope="module")
def exported(body_export, tmp_path_factory):
    """An identifier of walks at 30 Hz, and one that does not know its rate."""
    folder = tmp_path_factory.mktemp("exported")
    (folder / "identifier").symlink_to(body_export / "identifier")
    unknowing = identifier_endpoints(make_identifier(joints=20))
    (folder / "unknowing").mkdir()
    asked = {name: unknowing[name] for name in ("serving_default", "padded", "windows")}
    with uncompared():
        saved_models._write(folder / "unknowing/1", "unknowing", asked)
    return folder


@pytest.fixture(scope="module")
def server(exported):
    with Server(exported, port=0, rest_port=0) as server:
        yield server


@pytest.fixture(scope="module")
def client(server):
    with Client(server.address, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def resampled(exported):
    return Servable("identifier", 1, exported / "identifier/1").signature("resampled")


@pytest.fixture(scope="module")
def walks():
    return [walk_at(rate, person, seconds=1 + person / 3) for person, rate in enumerate(RATES)]


@pytest.fixture(scope="module")
def expected(body_identifier, walks):
    """Logits of the walks as Python resamples them."""
    resampled = walks_at_rate(walks, RATES, 30)
    return np.concatenate([body_identifier(walk[None])["logits"] for walk in resampled])


def logits(found):
    return np.array([one.logits for one in found])


def test_the_graph_resamples_as_python_does(exported, walks, expected):
    lengths = np.array([len(walk) for walk in walks], "int32")
    padded = np.full((len(walks), max(lengths) + 3, 20, 3), 7.0, "float32")
    for row, walk in zip(padded, walks, strict=True):
        row[: len(walk)] = walk
    loaded = tf.saved_model.load(str(exported / "identifier/1"))
    rates = np.array(RATES, "float32")
    found = loaded.signatures["resampled"](skeletons=padded, lengths=lengths, frame_rate=rates)
    np.testing.assert_allclose(found["logits"], expected, atol=1e-5)
    for rate in (0.5, 2000, np.nan):
        with pytest.raises(tf.errors.InvalidArgumentError, match="frame_rate: expected 1 to 1000"):
            loaded.signatures["resampled"](skeletons=padded, lengths=lengths, frame_rate=0 * rates + rate)


class TestClients:
    def test_each_walk_has_its_rate(self, client, walks, expected):
        np.testing.assert_allclose(logits(client.identify(walks, frame_rate=RATES)), expected, atol=1e-5)
        np.testing.assert_allclose(logits(client.identify(walks[0], frame_rate=15)), expected[:1], atol=1e-5)

    def test_walks_without_one_are_at_the_models(self, client, walks, expected):
        rates = [rate if rate < 29 else None for rate in RATES]
        np.testing.assert_allclose(
            logits(client.identify(walks, frame_rate=rates))[[0, 1, 2, 4, 5]], expected[[0, 1, 2, 4, 5]], atol=1e-5
        )

    def test_asyncio(self, server, walks, expected):
        async def ask():
            async with AsyncClient(server.address, timeout=60) as client:
                return await client.identify(walks, frame_rate=RATES)

        np.testing.assert_allclose(logits(asyncio.run(ask())), expected, atol=1e-5)

    @pytest.mark.parametrize("rate", [0, -1.0, float("nan"), float("inf")])
    def test_rates_that_are_none_are_not_sent(self, client, walks, rate):
        with pytest.raises(ValueError, match="frame_rate: expected a positive number"):
            client.identify(walks[0], frame_rate=rate)
        with pytest.raises(ValueError, match="frame_rate: expected a positive number"):
            client.stream(frame_rate=rate)
        with pytest.raises(ValueError, match="frame_rate: expected one, or one for each of 1 walks, received 2"):
            client.identify(walks[0], frame_rate=[rate, 30])

    def test_a_model_that_does_not_know_its_own(self, client, walks):
        with pytest.raises(ClientError, match="frame_rate: expected none, as the model unknowing does not know"):
            client.identify(walks[0], "unknowing", frame_rate=15)
        client.identify(walks[0], "unknowing")


@pytest.mark.parametrize(
    ("frames", "rate", "words"),
    [
        (50, 0.5, "input 'frame_rate': expected 1 to 1000 frames a second, received 0.5"),
        (50, 1001, "input 'frame_rate': expected 1 to 1000 frames a second, received 1001"),
        (8, 120, f"input 'skeletons': expected at least {FRAMES} frames at 30 a second, received 2"),
    ],
)
def test_the_server_says_what_is_wrong(client, frames, rate, words):
    with pytest.raises(ClientError, match=words):
        client.identify(walk_at(30)[:frames], frame_rate=rate)


def test_a_slow_walk_may_have_few_frames(client):
    assert client.identify(walk_at(10)[:2], frame_rate=10)[0].logits is not None


def test_memory_is_reckoned_after_resampling(resampled):
    def cost(rate):
        inputs = {"skeletons": np.zeros((2, 900, 20, 3), "float32"), "lengths": np.full(2, 900, "int32")}
        inputs["frame_rate"] = np.array([30, rate], "float32")
        protos = {name: tf.make_tensor_proto(array) for name, array in inputs.items()}
        return check_cost(resampled, protos, 0, Limits()).working_bytes

    assert cost(15) > 1.7 * cost(30)
    assert cost(30) == cost(60) == cost(29) == cost(0.0) == cost(float("nan"))
    assert cost(1) == cost(0.001) > 1.5 * cost(15)


def test_walks_of_one_slowest_rate_alone_run_as_one(resampled):
    def job(*rates):
        inputs = {"skeletons": np.zeros((len(rates), 9, 20, 3)), "lengths": np.full(len(rates), 9)}
        return _Job(resampled, inputs | {"frame_rate": np.float32(rates)}, 0.0, print)

    assert job(30, 15).joins(job(15))
    assert not job(30, 15).joins(job(1))


@pytest.mark.parametrize("rows", [True, False])
def test_rest(server, walks, expected, rows):
    lengths = [len(walk) for walk in walks[:2]]
    padded = [np.pad(walk, ((0, max(lengths) - len(walk)), (0, 0), (0, 0))).tolist() for walk in walks[:2]]
    columns = {"skeletons": padded, "lengths": lengths, "frame_rate": RATES[:2]}
    instances = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    body = {"signature_name": "resampled"} | ({"instances": instances} if rows else {"inputs": columns})
    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=60)
    connection.request("POST", "/v1/models/identifier:predict", json.dumps(body))
    answer = json.loads(connection.getresponse().read())
    connection.close()
    found = [row["logits"] for row in answer["predictions"]] if rows else answer["outputs"]["logits"]
    np.testing.assert_allclose(found, expected[:2], atol=1e-5)


class TestStreams:
    @pytest.mark.parametrize("rate", [15, 25, 60, 29])
    def test_frames_are_resampled_as_they_come(self, client, rate):
        walk = walk_at(rate, seconds=2)
        with client.stream(every=4, frame_rate=rate) as stream:
            for count, frame in enumerate(walk, 1):
                if found := stream.add(frame):
                    whole = client.identify(walk[:count], frame_rate=rate)[0]
                    np.testing.assert_allclose(found.logits, whole.logits, atol=1e-5)
            stream.identify()
        assert stream.frames == len(walk)
        assert stream.left_out == 0
        assert stream.windows == len(walks_at_rate(walk, rate, 30)[0]) // FRAMES

    def test_frames_with_times(self, client):
        steps = np.random.default_rng(0).uniform(0.02, 0.1, 40)
        seconds = 1.7e9 + np.cumsum(steps)
        walk = walk_at(30)[: len(seconds)]
        expected = client.identify(resample(walk, np.ones(walk.shape[:2], bool), seconds, 30)[0])[0]
        with client.stream(every=7) as stream:
            for frame, time in zip(walk, seconds, strict=True):
                stream.add(frame, time)
            np.testing.assert_allclose(stream.identify().logits, expected.logits, atol=1e-5)
            with pytest.raises(ValueError, match="seconds: expected more than the frame before"):
                stream.add(walk[0], seconds[-1])
            with pytest.raises(ValueError, match=r"reset\(\) begins another"):
                stream.add(walk[0], seconds[-1] + 33)
            with pytest.raises(ValueError, match="seconds: expected for each frame of a walk, or for none"):
                stream.add(walk[0])
            with pytest.raises(ValueError, match="seconds: expected a time, received nan"):
                stream.add(walk[0], float("nan"))
            assert stream.frames == len(walk)
            stream.reset()
            for number, frame in enumerate(walk_at(15, 1)):
                stream.add(frame, number / 15)
            again = client.identify(walk_at(15, 1), frame_rate=15)[0]
            np.testing.assert_allclose(stream.identify().logits, again.logits, atol=1e-5)

    def test_asyncio(self, server, client):
        walk = walk_at(60, seconds=1)

        async def ask():
            async with AsyncClient(server.address, timeout=60) as client, client.stream(5, frame_rate=60) as stream:
                for frame in walk:
                    await stream.add(frame)
                return await stream.identify()

        expected = client.identify(walk, frame_rate=60)[0]
        np.testing.assert_allclose(asyncio.run(ask()).logits, expected.logits, atol=1e-5)

    @pytest.mark.parametrize("timed", [False, True])
    def test_a_model_that_does_not_know_its_own(self, client, timed):
        name = "seconds" if timed else "frame_rate"
        with client.stream(2, model="unknowing", frame_rate=None if timed else 15) as stream:
            stream.add(walk_at(15)[0], 0.0 if timed else None)
            with pytest.raises(ValueError, match=f"{name}: expected none, as the model unknowing does not know"):
                stream.add(walk_at(15)[1], 0.1 if timed else None)

    def test_frames_that_wait_for_a_server_are_bounded(self, client):
        stream = client.stream(every=5, keep=5, model="absent", frame_rate=15)
        for number, frame in enumerate(walk_at(15)[:12], 1):
            if number % 5:
                stream.add(frame)
            else:
                with pytest.raises(ClientError):
                    stream.add(frame)
        assert (stream.waiting, stream.left_out) == (5, 7)
        with pytest.raises(ValueError, match="seconds: expected without a frame_rate"):
            stream.add(walk_at(15)[0], 1.0)
