import contextlib
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
import tensorflow as tf
from agegait.export import Server
from agegait.export.servable import Servable, Signature
from agegait.export.warmup import WARMUP_FILE, write_warmup
from google.protobuf.any_pb2 import Any as AnyMessage
from grpc_health.v1 import health_pb2, health_pb2_grpc
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

Code = grpc.StatusCode
FRAMES, JOINTS = 4, 5
MAX_ELEMENTS = 10_000
MAX_MESSAGE = 1 << 20
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


class Walker(tf.Module):
    """Stands in for an identifier: its score is the mean coordinate times its factor."""

    def __init__(self, factor):
        super().__init__()
        self.factor = tf.Variable(float(factor))

    def default(self, skeletons):
        score = self.factor * tf.reduce_mean(skeletons, axis=[1, 2, 3])
        return {"score": score, "person": tf.strings.as_string(tf.cast(score > 0, tf.int32))}

    def padded(self, skeletons, lengths):
        inside = tf.sequence_mask(lengths, tf.shape(skeletons)[1], tf.float32)[..., None, None]
        return {"score": self.factor * tf.reduce_sum(skeletons * inside, axis=[1, 2, 3])}

    def fussy(self, skeletons):
        tf.debugging.Assert(tf.reduce_all(skeletons < 100), ["secret", skeletons])
        return {"score": tf.reduce_max(skeletons, axis=[1, 2, 3]), "total": tf.reduce_sum(skeletons)}


def export(base_path, version, factor=None, warmup=None):
    """A version that multiplies by its own number."""
    module = Walker(version if factor is None else factor)
    walks = tf.TensorSpec([None, None, JOINTS, 3], tf.float32, "skeletons")
    lengths = tf.TensorSpec([None], tf.int32, "lengths")
    specs = {"serving_default": (module.default, [walks]), "padded": (module.padded, [walks, lengths])}
    specs["fussy"] = (module.fussy, [walks])
    aside = base_path / f".{version}"
    signatures = {
        name: tf.function(function, input_signature=spec, autograph=False).get_concrete_function()
        for name, (function, spec) in specs.items()
    }
    tf.saved_model.save(module, str(aside), signatures=signatures)
    extra = aside / "assets.extra"
    extra.mkdir()
    (extra / "agegait.json").write_text(json.dumps({"frames": FRAMES}))
    if warmup is not None:
        warmup(aside)
    aside.rename(base_path / str(version))
    return base_path / str(version)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("original")
    (folder / "walker").mkdir()
    export(folder / "walker", 1)
    return folder


@pytest.fixture
def folder(original, tmp_path):
    """A folder of its own with one model, `walker`, at version 1."""
    return shutil.copytree(original, tmp_path / "models")


class Plain:
    """A plain client on tensorflow-serving-api, as other programs have it."""

    def __init__(self, server, channel=None):
        self.channel = channel or grpc.insecure_channel(server.address)
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.models = model_service_pb2_grpc.ModelServiceStub(self.channel)
        self.health = health_pb2_grpc.HealthStub(self.channel)

    def predict(self, request=None, timeout=20, **options):
        return self.prediction.Predict(request or walks_request(), timeout=timeout, **options)

    def score(self, **options):
        return tf.make_ndarray(self.predict(walks_request(**options)).outputs["score"])

    def states(self, name="walker"):
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = name
        statuses = self.models.GetModelStatus(request, timeout=20).model_version_status
        return {status.version: status for status in statuses}

    def serving(self, service=""):
        return self.health.Check(health_pb2.HealthCheckRequest(service=service), timeout=20).status


def walks_request(walks=None, version=None, signature="", outputs=()):
    request = predict_pb2.PredictRequest(output_filter=outputs)
    request.model_spec.name = "walker"
    request.model_spec.signature_name = signature
    if version is not None:
        request.model_spec.version.value = version
    walks = np.ones((1, FRAMES, JOINTS, 3), np.float32) if walks is None else walks
    request.inputs["skeletons"].CopyFrom(tf.make_tensor_proto(walks))
    return request


@contextlib.contextmanager
def serving(folder, **options):
    with Server(folder, port=0, poll_seconds=0.05, **options) as server:
        plain = Plain(server)
        with plain.channel:
            yield server, plain


@pytest.fixture(scope="module")
def plain(original):
    """One server for all that changes nothing in it."""
    with serving(original, max_elements=MAX_ELEMENTS, max_message_bytes=MAX_MESSAGE) as (_, plain):
        yield plain


@pytest.fixture
def gate(monkeypatch):
    """Holds every run of a model until it is opened, and counts them."""

    class Gate:
        opened, entered, batches = threading.Event(), threading.Semaphore(0), []

    run = Signature.run

    def gated(signature, inputs):
        Gate.batches.append(len(inputs["skeletons"]))
        Gate.entered.release()
        assert Gate.opened.wait(20)
        return run(signature, inputs)

    monkeypatch.setattr(Signature, "run", gated)
    yield Gate
    Gate.opened.set()


@contextlib.contextmanager
def refused(code, *words):
    with pytest.raises(grpc.RpcError) as caught:
        yield
    assert caught.value.code() == code, caught.value.details()
    for word in words:
        assert word in caught.value.details()


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.02)


def changed(change, **options):
    request = walks_request(**options)
    change(request)
    return request


def tensor(**fields):
    """Puts another tensor in the place of skeletons."""

    def change(request):
        proto = request.inputs["skeletons"]
        shape = fields.pop("shape", None)
        for name, value in fields.items():
            if isinstance(value, list):
                del getattr(proto, name)[:]
                getattr(proto, name).extend(value)
            else:
                setattr(proto, name, value)
        if shape is not None:
            proto.tensor_shape.CopyFrom(tf.TensorShape(shape).as_proto())

    return change


def rename(request):
    request.inputs["bones"].CopyFrom(request.inputs["skeletons"])
    del request.inputs["skeletons"]


SIZE = "input size does not match signature"
ZEROS = np.zeros((2, 9, JOINTS, 3), np.float32)
LENGTHS = {"signature": "padded", "walks": ZEROS}
REFUSED = {
    "no model_spec": (lambda r: r.ClearField("model_spec"), Code.INVALID_ARGUMENT, "Missing ModelSpec"),
    "no name": (
        lambda r: r.model_spec.ClearField("name"),
        Code.INVALID_ARGUMENT,
        "ModelSpec has no name specified.",
    ),
    "unknown model": (
        lambda r: setattr(r.model_spec, "name", "m"),
        Code.NOT_FOUND,
        "Servable not found for request: Latest(m)",
    ),
    "unknown version": (
        lambda r: setattr(r.model_spec.version, "value", 9),
        Code.NOT_FOUND,
        "Servable not found for request: Specific(walker, 9)",
    ),
    "unknown label": (
        lambda r: setattr(r.model_spec, "version_label", "x"),
        Code.INVALID_ARGUMENT,
        "Unrecognized servable version label: x",
    ),
    "unknown signature": (
        lambda r: setattr(r.model_spec, "signature_name", "x"),
        Code.FAILED_PRECONDITION,
        'Serving signature key "x" not found.',
    ),
    "missing input": (lambda r: r.inputs.clear(), Code.INVALID_ARGUMENT, SIZE, "Missing but required: {skeletons}"),
    "extra input": (
        lambda r: r.inputs["bones"].CopyFrom(r.inputs["skeletons"]),
        Code.INVALID_ARGUMENT,
        SIZE,
        "Sent extra: {bones}",
    ),
    "renamed input": (rename, Code.INVALID_ARGUMENT, SIZE, "Sent extra: {bones}", "required: {skeletons}"),
    "dtype": (
        lambda r: r.inputs["skeletons"].CopyFrom(tf.make_tensor_proto(np.ones((1, FRAMES, JOINTS, 3)))),
        Code.INVALID_ARGUMENT,
        "input 'skeletons': expected float32, received float64",
    ),
    "unknown dtype": (tensor(dtype=20), Code.INVALID_ARGUMENT, "'skeletons': expected float32, received dtype 20"),
    "rank": (
        tensor(shape=[FRAMES, JOINTS, 3]),
        Code.INVALID_ARGUMENT,
        "input 'skeletons': expected shape [-1, -1, 5, 3], received [4, 5, 3]",
    ),
    "fixed dimension": (
        tensor(shape=[1, JOINTS, FRAMES, 3]),
        Code.INVALID_ARGUMENT,
        "input 'skeletons': expected shape [-1, -1, 5, 3], received [1, 5, 4, 3]",
    ),
    "unknown rank": (
        lambda r: r.inputs["skeletons"].tensor_shape.CopyFrom(tf.TensorShape(None).as_proto()),
        Code.INVALID_ARGUMENT,
        "tensor parsing error: input 'skeletons'",
    ),
    "negative dimension": (
        lambda r: setattr(r.inputs["skeletons"].tensor_shape.dim[0], "size", -1),
        Code.INVALID_ARGUMENT,
        "tensor parsing error: input 'skeletons'",
    ),
    "too many dimensions": (
        tensor(shape=[1] * 300),
        Code.INVALID_ARGUMENT,
        "tensor parsing error: input 'skeletons'",
    ),
    "nan": (tensor(float_val=[float("nan")], tensor_content=b""), Code.INVALID_ARGUMENT, "'skeletons'", "finite"),
    "infinity": (tensor(float_val=[float("inf")], tensor_content=b""), Code.INVALID_ARGUMENT, "'skeletons'", "finite"),
    "too few frames": (
        tensor(shape=[1, 3, JOINTS, 3], tensor_content=b"", float_val=[0.0]),
        Code.INVALID_ARGUMENT,
        "input 'skeletons': expected at least 4 frames, received 3",
    ),
    "no frames": (
        tensor(shape=[1, 0, JOINTS, 3], tensor_content=b""),
        Code.INVALID_ARGUMENT,
        "input 'skeletons': expected at least 4 frames, received 0",
    ),
    "four tebibytes": (
        tensor(shape=[2**40, FRAMES, JOINTS, 3], tensor_content=b"", float_val=[0.0]),
        Code.INVALID_ARGUMENT,
        "input 'skeletons'",
        "more elements than the limit of 10000",
    ),
    "nothing of four tebibytes": (
        tensor(shape=[0, 2**40, JOINTS, 3], tensor_content=b""),
        Code.INVALID_ARGUMENT,
        "more elements than the limit",
    ),
    "content too short": (
        tensor(tensor_content=b"abc"),
        Code.INVALID_ARGUMENT,
        "tensor parsing error: input 'skeletons': tensor_content has 3 bytes, its shape needs 240",
    ),
    "too many values": (
        tensor(tensor_content=b"", float_val=[0.0] * 61),
        Code.INVALID_ARGUMENT,
        "tensor parsing error: input 'skeletons': float_val has 61 values, its shape holds 60",
    ),
    "unknown output": (lambda r: r.output_filter.append("x"), Code.INVALID_ARGUMENT, "not found in signature: x"),
    "repeated output": (
        lambda r: r.output_filter.extend(["score", "score"]),
        Code.INVALID_ARGUMENT,
        "duplicate output tensor alias: score",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_request_is_refused_by_name(plain, case):
    change, code, *words = REFUSED[case]
    with refused(code, *words):
        plain.predict(changed(change))


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        ([3, 9], "input 'lengths': expected 4 to 9 frames, received 3"),
        ([4, 10], "input 'lengths': expected 4 to 9 frames, received 10"),
        ([9], "expected the same batch in each, lengths has 1, skeletons has 2"),
    ],
)
def test_wrong_lengths_are_refused(plain, lengths, words):
    request = walks_request(ZEROS, signature="padded")
    request.inputs["lengths"].CopyFrom(tf.make_tensor_proto(np.array(lengths, np.int32)))
    with refused(Code.INVALID_ARGUMENT, words):
        plain.predict(request)


def test_what_the_graph_refuses_shows_neither_nodes_nor_values(plain):
    with pytest.raises(grpc.RpcError) as caught:
        plain.predict(walks_request(np.full((1, FRAMES, JOINTS, 3), 123.0, np.float32), signature="fussy"))
    assert caught.value.code() == Code.INVALID_ARGUMENT
    assert caught.value.details() == "the model refused the values of skeletons"


def test_an_answer_carries_what_answered(plain):
    response = plain.predict()
    assert (response.model_spec.name, response.model_spec.version.value) == ("walker", 1)
    assert response.model_spec.signature_name == "serving_default"
    assert set(response.outputs) == {"score", "person"}
    assert list(response.outputs["score"].float_val) == [1.0]
    assert not response.outputs["score"].tensor_content
    assert list(response.outputs["person"].string_val) == [b"1"]


def test_a_filter_leaves_what_it_names(plain):
    assert set(plain.predict(walks_request(outputs=["person"])).outputs) == {"person"}


def test_several_signatures(plain):
    request = walks_request(np.ones((2, 9, JOINTS, 3), np.float32), signature="padded")
    request.inputs["lengths"].CopyFrom(tf.make_tensor_proto(np.array([4, 9], np.int32)))
    response = plain.predict(request)
    assert response.model_spec.signature_name == "padded"
    assert list(response.outputs["score"].float_val) == [4 * 15, 9 * 15]
    assert tf.make_ndarray(plain.predict(walks_request(signature="fussy")).outputs["total"]) == 60


@pytest.mark.parametrize("typed", [True, False])
def test_both_encodings_are_read(plain, typed):
    walks = np.random.default_rng(0).normal(size=(3, 7, JOINTS, 3)).astype(np.float32)
    request = walks_request(walks)
    if typed:
        change = tensor(tensor_content=b"", float_val=walks.ravel().tolist())
        change(request)
    scores = tf.make_ndarray(plain.predict(request).outputs["score"])
    np.testing.assert_allclose(scores, walks.mean(axis=(1, 2, 3)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("values", "mean"), [([3.0], 3.0), ([0.0] * 30 + [2.0], 1.0), ([], 0.0)])
def test_typed_values_that_run_out_repeat_the_last(plain, values, mean):
    response = plain.predict(changed(tensor(tensor_content=b"", float_val=values)))
    np.testing.assert_allclose(response.outputs["score"].float_val, [mean], rtol=1e-6)


def test_no_walks_give_no_people(plain):
    response = plain.predict(walks_request(np.zeros((0, FRAMES, JOINTS, 3), np.float32)))
    assert tf.make_ndarray(response.outputs["score"]).shape == (0,)


def test_a_message_over_the_limit(plain):
    with refused(Code.RESOURCE_EXHAUSTED):
        plain.predict(changed(tensor(tensor_content=bytes(MAX_MESSAGE))))


def test_what_is_no_message(plain):
    call = plain.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    with refused(Code.INVALID_ARGUMENT, "the request is no PredictRequest"):
        call(b"\xff\xff\xff", timeout=20)


@pytest.mark.parametrize(
    ("method", "request_type"),
    [
        ("Classify", classification_pb2.ClassificationRequest),
        ("Regress", regression_pb2.RegressionRequest),
        ("MultiInference", inference_pb2.MultiInferenceRequest),
    ],
)
def test_what_is_not_offered(plain, method, request_type):
    with refused(Code.UNIMPLEMENTED):
        getattr(plain.prediction, method)(request_type(), timeout=20)


def metadata_request(fields, name="walker"):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    if name is not None:
        request.model_spec.name = name
    return request


def test_metadata_has_the_signatures(plain):
    response = plain.prediction.GetModelMetadata(metadata_request(["signature_def"]), timeout=20)
    assert (response.model_spec.name, response.model_spec.version.value) == ("walker", 1)
    signatures, packed = get_model_metadata_pb2.SignatureDefMap(), response.metadata["signature_def"]
    assert isinstance(packed, AnyMessage)
    assert packed.Unpack(signatures)
    assert set(signatures.signature_def) == {"serving_default", "padded", "fussy"}
    skeletons = signatures.signature_def["padded"].inputs["skeletons"]
    assert [dim.size for dim in skeletons.tensor_shape.dim] == [-1, -1, JOINTS, 3]


@pytest.mark.parametrize(
    ("fields", "name", "code", "words"),
    [
        ([], "walker", Code.INVALID_ARGUMENT, "at least one metadata_field"),
        (["signature_def", "x"], "walker", Code.INVALID_ARGUMENT, "Metadata field x is not supported"),
        (["signature_def"], "m", Code.NOT_FOUND, "Servable not found for request: Latest(m)"),
        (["signature_def"], None, Code.INVALID_ARGUMENT, "Missing ModelSpec"),
    ],
)
def test_wrong_metadata_requests(plain, fields, name, code, words):
    with refused(code, words):
        plain.prediction.GetModelMetadata(metadata_request(fields, name), timeout=20)


def test_status_of_models(plain):
    [(version, status)] = plain.states().items()
    assert (version, status.state, status.status.error_code) == (1, 30, 0)
    with refused(Code.NOT_FOUND, "Could not find any versions of model m"):
        plain.states("m")
    with refused(Code.INVALID_ARGUMENT, "Missing ModelSpec"):
        plain.models.GetModelStatus(get_model_status_pb2.GetModelStatusRequest(), timeout=20)
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "walker"
    request.model_spec.version.value = 9
    with refused(Code.NOT_FOUND, "Could not find version 9 of model walker"):
        plain.models.GetModelStatus(request, timeout=20)


def test_health(plain):
    assert plain.serving() == SERVING
    assert plain.serving("tensorflow.serving.PredictionService") == SERVING
    with refused(Code.NOT_FOUND):
        plain.serving("x")


def test_reload_is_off(plain):
    with refused(Code.UNIMPLEMENTED, "HandleReloadConfigRequest is off"):
        plain.models.HandleReloadConfigRequest(model_management_pb2.ReloadConfigRequest(), timeout=20)


@settings(max_examples=60, deadline=None)
@given(raw=st.binary(max_size=200))
@example(raw=b"")
def test_any_bytes_get_an_answer(plain, raw):
    call = plain.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    with pytest.raises(grpc.RpcError) as caught:
        call(raw, timeout=20)
    assert caught.value.code() in (Code.INVALID_ARGUMENT, Code.NOT_FOUND)


tensors = st.builds(
    lambda dtype, dims, content, floats: {
        "dtype": dtype,
        "shape": dims,
        "tensor_content": content,
        "float_val": floats,
    },
    dtype=st.sampled_from([1, 1, 1, 0, 2, 3, 7, 19, 101]),
    dims=st.one_of(st.just([1, FRAMES, JOINTS, 3]), st.lists(st.integers(0, 2**62), max_size=6)),
    content=st.one_of(st.just(b""), st.binary(max_size=300), st.binary(min_size=240, max_size=240)),
    floats=st.lists(st.floats(width=32), max_size=70),
)


@settings(max_examples=100, deadline=None)
@given(fields=tensors)
def test_any_tensor_gets_an_answer(plain, fields):
    call = plain.prediction.Predict.future(changed(tensor(**fields)), timeout=20)
    if call.code() == Code.OK:
        assert np.isfinite(call.result().outputs["score"].float_val).all()
    else:
        assert call.code() == Code.INVALID_ARGUMENT, call.details()
        assert "skeletons" in call.details()


def test_a_full_queue_refuses_at_once(folder, gate):
    with serving(folder, max_pending=1) as (_, plain), ThreadPoolExecutor() as pool:
        taken = pool.submit(plain.predict)
        assert gate.entered.acquire(timeout=20)
        with refused(Code.RESOURCE_EXHAUSTED, "the queue is full: 1 requests are in hand"):
            plain.predict(timeout=5)
        assert plain.serving() == SERVING
        gate.opened.set()
        assert taken.result().outputs["score"].float_val[0] == 1
        assert plain.score() == 1


def test_a_request_that_is_late_is_not_started(folder, gate):
    with serving(folder) as (_, plain), ThreadPoolExecutor() as pool:
        taken = pool.submit(plain.predict)
        assert gate.entered.acquire(timeout=20)
        with refused(Code.DEADLINE_EXCEEDED):
            plain.predict(timeout=0.2)
        gate.opened.set()
        taken.result()
        assert plain.score() == 1
    assert len(gate.batches) == 2


def test_a_request_that_its_caller_left_is_not_started(folder, gate):
    with serving(folder) as (_, plain), ThreadPoolExecutor() as pool:
        taken = pool.submit(plain.predict)
        assert gate.entered.acquire(timeout=20)
        left = plain.prediction.Predict.future(walks_request(), timeout=20)
        time.sleep(0.2)
        left.cancel()
        time.sleep(0.2)
        gate.opened.set()
        taken.result()
        assert plain.score() == 1
    assert len(gate.batches) == 2


def test_requests_that_wait_are_joined_and_answered_as_if_alone(folder, gate):
    walks = [np.full((1 + i % 2, FRAMES + (i == 6), JOINTS, 3), i, np.float32) for i in range(8)]
    with serving(folder) as (server, plain), ThreadPoolExecutor(8) as pool:
        first = pool.submit(plain.score, walks=walks[0])
        assert gate.entered.acquire(timeout=20)
        rest = [pool.submit(plain.score, walks=walk) for walk in walks[1:]]
        until(lambda: len(server._batcher._jobs) == 7)
        gate.opened.set()
        for i, future in enumerate([first, *rest]):
            np.testing.assert_array_equal(future.result(), np.full(len(walks[i]), i, np.float32))
    assert sorted(gate.batches) == [1, 1, 10]  # the first; the one of another length; the six others, of 1 or 2 walks


def test_one_bad_request_does_not_spoil_those_it_is_joined_with(folder, gate):
    with serving(folder) as (server, plain), ThreadPoolExecutor(8) as pool:
        first = pool.submit(plain.score)
        assert gate.entered.acquire(timeout=20)
        # Signatures that give a total are not joined, so the padded one stands for those that are.
        monkey = server._catalog.available("walker")[1].signature("")
        function = monkey.function

        def fussy(skeletons):
            if tf.reduce_any(skeletons > 100):
                raise tf.errors.InvalidArgumentError(None, None, "secret")
            return function(skeletons=skeletons)

        object.__setattr__(monkey, "function", fussy)
        good, bad = (
            pool.submit(plain.score, walks=np.full((1, FRAMES, JOINTS, 3), value, np.float32)) for value in (2, 123)
        )
        until(lambda: len(server._batcher._jobs) == 2)
        gate.opened.set()
        assert first.result() == 1
        assert good.result() == 2
        with refused(Code.INVALID_ARGUMENT, "the model refused the values of skeletons"):
            bad.result()


def test_stopping_finishes_what_is_in_flight(folder, gate):
    with serving(folder, drain_seconds=20) as (server, plain), ThreadPoolExecutor() as pool:
        watch = plain.health.Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == SERVING
        taken = pool.submit(plain.predict)
        assert gate.entered.acquire(timeout=20)
        start = time.monotonic()
        stopping = pool.submit(server.stop)
        assert next(watch).status == NOT_SERVING
        with refused(Code.UNAVAILABLE):
            plain.predict()
        gate.opened.set()
        assert taken.result().outputs["score"].float_val[0] == 1
        stopping.result()
        assert time.monotonic() - start < 10  # The watcher, who never goes, did not hold it up.


def test_stopping_waits_no_longer_than_it_may(folder, gate):
    with serving(folder) as (server, plain), ThreadPoolExecutor() as pool:
        taken = pool.submit(plain.predict)
        assert gate.entered.acquire(timeout=20)
        threading.Timer(0.5, gate.opened.set).start()
        server.stop(0.1)
        with refused(Code.UNAVAILABLE):
            taken.result()


def test_it_is_ready_when_it_is_warm_and_not_before(folder, monkeypatch):
    go, load = threading.Event(), Servable.__init__

    def slow(*arguments):
        assert go.wait(20)
        load(*arguments)

    monkeypatch.setattr(Servable, "__init__", slow)
    server = Server(folder, port=0)
    with ThreadPoolExecutor() as pool:
        try:
            starting = pool.submit(server.start)
            until(lambda: server.port)
            plain = Plain(server)
            until(lambda: plain.states()[1].state == 20)
            assert plain.serving() == NOT_SERVING
            assert not server.ready
            with refused(Code.UNAVAILABLE, "Latest(walker)"):
                plain.predict()
            go.set()
            starting.result()
            assert plain.serving() == SERVING
            assert server.ready
            assert plain.score() == 1
        finally:
            go.set()
            server.stop()


def test_a_newer_version_takes_over_and_hands_back(folder):
    with serving(folder) as (_, plain):
        export(folder / "walker", 2)
        until(lambda: plain.score() == 2)
        until(lambda: plain.states()[1].state == 50)
        with refused(Code.NOT_FOUND, "Specific(walker, 1)"):
            plain.predict(walks_request(version=1))
        assert plain.score(version=2) == 2
        shutil.rmtree(folder / "walker/2")
        until(lambda: plain.score() == 1)
        until(lambda: plain.states()[2].state == 50)
        shutil.rmtree(folder / "walker/1")
        until(lambda: plain.serving() == NOT_SERVING)
        with refused(Code.NOT_FOUND, "Servable not found for request: Latest(walker)"):
            plain.predict()


def test_a_broken_version_is_reported_and_the_old_one_keeps_serving(folder):
    with serving(folder) as (_, plain):
        (folder / "walker/2").mkdir()
        (folder / "walker/2/saved_model.pb").write_bytes(b"no model")
        until(lambda: plain.states().get(2) and plain.states()[2].state == 50)
        assert plain.states()[2].status.error_code != 0
        assert plain.states()[2].status.error_message
        assert plain.states()[1].state == 30
        assert plain.score() == 1
        assert plain.serving() == SERVING
        shutil.rmtree(folder / "walker/2")
        export(folder / "walker", 2)
        until(lambda: plain.score() == 2)


def test_new_models_are_found(folder):
    with serving(folder) as (_, plain):
        shutil.copytree(folder / "walker", folder / "runner")
        request = changed(lambda request: setattr(request.model_spec, "name", "runner"))

        def found():
            with contextlib.suppress(grpc.RpcError):
                return plain.predict(request).model_spec.name == "runner"

        until(found)


def test_versions_come_and_go_under_load(folder, tmp_path):
    newer = {version: export(tmp_path, version) for version in (2, 3)}
    done = threading.Event()
    with serving(folder) as (_, plain), ThreadPoolExecutor() as pool:

        def ask():
            seen = set()
            while not done.is_set():
                seen.add(plain.score().item())
            return seen

        asking = [pool.submit(ask) for _ in range(4)]
        try:
            for version, path in newer.items():
                path.rename(folder / "walker" / str(version))
                until(lambda version=version: plain.score() == version)
        finally:
            done.set()
        assert set.union(*(future.result() for future in asking)) <= {1.0, 2.0, 3.0}


def good_warmup(folder):
    write_warmup(folder, "walker", {"": [{"skeletons": np.ones((2, FRAMES, JOINTS, 3), np.float32)}]})


def warmup_of(*records):
    def write(folder):
        with tf.io.TFRecordWriter(str(folder / WARMUP_FILE)) as writer:
            for record in records:
                writer.write(record)

    return write


def log_of(request):
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.CopyFrom(request)
    return log.SerializeToString()


def test_warmup_is_replayed_before_a_version_serves(folder, gate):
    gate.opened.set()
    export(folder / "walker", 2, warmup=good_warmup)
    with serving(folder) as (_, plain):
        assert gate.batches == [2]
        assert plain.score() == 2


@pytest.mark.parametrize(
    ("warmup", "words"),
    [
        (lambda folder: (folder / WARMUP_FILE).write_bytes(b"these are no records at all"), "DataLossError"),
        (warmup_of(b"\xff\xff"), "DecodeError"),
        (warmup_of(prediction_log_pb2.PredictionLog().SerializeToString()), "record 0 is no Predict request"),
        (warmup_of(log_of(walks_request(signature="x"))), 'signature key "x" not found'),
        (warmup_of(log_of(walks_request(np.zeros((1, 1, JOINTS, 3), np.float32)))), "at least 4 frames"),
        (warmup_of(*[log_of(walks_request())] * 1001), "exceeds the maximum (1000)"),
    ],
)
def test_a_version_whose_warmup_fails_does_not_serve(folder, warmup, words):
    export(folder / "walker", 2, warmup=warmup)
    with serving(folder) as (_, plain):
        assert plain.score() == 1
        assert words in plain.states()[2].status.error_message


def reload_request(**models):
    request = model_management_pb2.ReloadConfigRequest()
    for name, base_path in models.items():
        request.config.model_config_list.config.add(name=name, base_path=str(base_path), model_platform="tensorflow")
    return request


def test_reload_when_asked_for(folder):
    for version in (2, 3):
        export(folder / "walker", version)
    with serving(folder, allow_reload=True) as (_, plain):
        request = reload_request(walker=folder / "walker", other=folder / "walker")
        walker, other = request.config.model_config_list.config
        walker.model_version_policy.specific.versions.extend([1, 3])
        walker.version_labels["stable"] = 1
        other.model_version_policy.latest.num_versions = 2
        assert plain.models.HandleReloadConfigRequest(request, timeout=20).status.error_code == 0
        assert plain.score(version=1) == 1
        assert plain.score() == 3
        stable = changed(lambda request: setattr(request.model_spec, "version_label", "stable"))
        assert plain.predict(stable).model_spec.version.value == 1
        assert set(plain.states("other")) == {2, 3}
        request = reload_request(other=folder / "walker")
        request.config.model_config_list.config[0].model_version_policy.all.SetInParent()
        plain.models.HandleReloadConfigRequest(request, timeout=20)
        assert set(plain.states("other")) == {1, 2, 3}
        with refused(Code.NOT_FOUND, "Latest(walker)"):
            plain.predict()


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ({}, "at least one model"),
        ({"walker": "relative"}, "a base_path that is an absolute folder"),
        ({"walker": "/nowhere/at/all"}, "a base_path that is an absolute folder"),
    ],
)
def test_a_bad_config_changes_nothing(folder, models, words):
    with serving(folder, allow_reload=True) as (_, plain):
        with refused(Code.INVALID_ARGUMENT, words):
            plain.models.HandleReloadConfigRequest(reload_request(**models), timeout=20)
        assert plain.score() == 1


def test_a_token_is_asked_for_but_not_of_health_checks(folder):
    with serving(folder, token="sesame") as (_, plain):
        for metadata in (None, [("authorization", "Bearer poppy")], [("authorization", "sesame")]):
            with refused(Code.UNAUTHENTICATED, "expected authorization: Bearer <token>"):
                plain.predict(metadata=metadata)
        assert plain.predict(metadata=[("authorization", "Bearer sesame")]).outputs["score"].float_val[0] == 1
        assert plain.serving() == SERVING


@pytest.mark.parametrize("token", ["", "open sesame", "sésame"])
def test_a_token_that_no_header_carries_is_refused(folder, token):
    with pytest.raises(ValueError, match="token: expected visible ASCII"):
        Server(folder, token=token)


def test_counts_and_logs_tell_nothing_of_what_was_sent(folder, caplog):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with caplog.at_level(logging.INFO, "agegait.export"), serving(folder, metrics_port=port) as (_, plain):
        plain.predict(walks_request(np.full((1, FRAMES, JOINTS, 3), 0.8125, np.float32)))
        with refused(Code.NOT_FOUND):
            plain.predict(changed(lambda request: setattr(request.model_spec, "name", "secret")))
        until(lambda: len([record for record in caplog.records if record.name.endswith("requests")]) == 2)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as page:
            counts = page.read().decode()
        with pytest.raises(urllib.error.HTTPError, match="404") as missing:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20)
        missing.value.close()
    assert 'agegait_requests_total{method="Predict",model="walker",code="OK"} 1' in counts
    assert 'agegait_requests_total{method="Predict",model="",code="NOT_FOUND"} 1' in counts
    assert 'agegait_request_seconds_bucket{method="Predict",model="walker",le="+Inf"} 1' in counts
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name.endswith("requests")]
    assert [(line["method"], line["model"], line["code"]) for line in lines] == [
        ("Predict", "walker", "OK"),
        ("Predict", "", "NOT_FOUND"),
    ]
    assert "0.8125" not in caplog.text + counts
    assert "secret" not in caplog.text + counts


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path / "nowhere", "there is none at"),
        (lambda path: path, r"expected exported models, <model>/<version>/, found none in"),
    ],
)
def test_a_folder_without_models_is_refused(tmp_path, make, words):
    with pytest.raises(ValueError, match=words):
        Server(make(tmp_path))


def test_a_folder_where_nothing_loads_is_refused(tmp_path):
    (tmp_path / "walker/1").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"no model loads: walker/1: FileNotFoundError"), Server(tmp_path, port=0):
        pass


def test_one_models_folder_will_do(folder):
    with serving(folder / "walker") as (_, plain):
        assert plain.score() == 1


def test_a_port_that_is_taken_is_refused(folder):
    with Server(folder, port=0) as server, pytest.raises(OSError, match=f"{server.address}: can't listen there"):
        Server(folder, port=server.port).start()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tls_cert": "cert.pem"}, "tls: expected both tls_cert and tls_key"),
        ({"tls_cert": "cert.pem", "tls_key": "nowhere.pem"}, "tls_key: nowhere.pem can't be read"),
    ],
)
def test_half_of_tls_is_refused(folder, options, words):
    with pytest.raises(ValueError, match=words):
        Server(folder, **options)


SERVE = """
import sys
from agegait.export import Server
Server(sys.argv[1], port=0).serve_forever(lambda server: print(server.address, flush=True))
"""


def test_sigterm_ends_it_well_and_quietly(folder):
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )
    with process:
        address = process.stdout.readline().decode().strip()
        with grpc.insecure_channel(address) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            assert stub.Predict(walks_request(), timeout=20).outputs["score"].float_val[0] == 1
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, b"", b"")
