import contextlib
import json
import logging
import os
import re
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
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from support.export_walker import (
    FRAMES,
    JOINTS,
    NOT_SERVING,
    SERVING,
    Gate,
    Plain,
    changed,
    export,
    refused,
    serving,
    until,
    walks_request,
)
from tensorflow_serving.apis import model_management_pb2, prediction_log_pb2, prediction_service_pb2_grpc

from agegait import cli
from agegait.export.warmup import WARMUP_FILE, write_warmup
from agegait.serving import Batching, Limits, ModelOptions, Server, TlsFiles
from agegait.serving.server.json_log import log_json
from agegait.serving.server.servable import Servable, Signature
from agegait.serving.server.status_error import invalid_argument

Code = grpc.StatusCode


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


@pytest.fixture
def gate(monkeypatch):
    gate = Gate(monkeypatch)
    yield gate
    gate.opened.set()


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
    with serving(folder, workers=1) as (_, plain), ThreadPoolExecutor() as pool:
        taken = pool.submit(plain.predict)
        assert gate.entered.acquire(timeout=20)
        with refused(Code.DEADLINE_EXCEEDED):
            plain.predict(timeout=0.2)
        gate.opened.set()
        taken.result()
        assert plain.score() == 1
    assert len(gate.batches) == 2


def test_a_request_that_its_caller_left_is_not_started(folder, gate):
    with serving(folder, workers=1) as (_, plain), ThreadPoolExecutor() as pool:
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
    with serving(folder, workers=1) as (server, plain), ThreadPoolExecutor(8) as pool:
        first = pool.submit(plain.score, walks=walks[0])
        assert gate.entered.acquire(timeout=20)
        rest = [pool.submit(plain.score, walks=walk) for walk in walks[1:]]
        until(lambda: len(server._batcher._jobs) == 7)
        gate.opened.set()
        for i, future in enumerate([first, *rest]):
            np.testing.assert_array_equal(future.result(), np.full(len(walks[i]), i, np.float32))
    assert sorted(gate.batches) == [1, 1, 10]  # the first; the one of another length; the six others, of 1 or 2 walks


def test_as_many_requests_run_at_once_as_there_are_workers(folder, gate):
    with serving(folder, workers=2) as (server, plain), ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(plain.score) for _ in range(3)]
        assert gate.entered.acquire(timeout=20)
        assert gate.entered.acquire(timeout=20)
        until(lambda: len(server._batcher._jobs) == 1)
        assert not gate.entered.acquire(timeout=0.2)
        gate.opened.set()
        assert [one.result() for one in asked] == [1, 1, 1]


def test_a_request_may_wait_for_company(folder, gate):
    gate.opened.set()
    with serving(folder, batch_wait=15, max_batch=2) as (_, plain), ThreadPoolExecutor() as pool:
        assert [future.result() for future in [pool.submit(plain.score) for _ in range(2)]] == [1, 1]
    assert gate.batches == [2]


def test_company_is_not_waited_for_longer_than_said(folder, gate):
    gate.opened.set()
    with serving(folder, batch_wait=0.05) as (_, plain):
        assert plain.score() == 1
    assert gate.batches == [1]


def test_one_bad_request_does_not_spoil_those_it_is_joined_with(folder, gate, monkeypatch):
    gated = Signature.run

    def fussy(signature, inputs):
        outputs = gated(signature, inputs)
        if inputs["skeletons"].max() > 100:
            raise invalid_argument("too far away")
        return outputs

    monkeypatch.setattr(Signature, "run", fussy)
    with serving(folder, workers=1) as (server, plain), ThreadPoolExecutor(8) as pool:
        first = pool.submit(plain.score)
        assert gate.entered.acquire(timeout=20)
        good, bad = (
            pool.submit(plain.score, walks=np.full((1, FRAMES, JOINTS, 3), value, np.float32)) for value in (2, 123)
        )
        until(lambda: len(server._batcher._jobs) == 2)
        gate.opened.set()
        assert first.result() == 1
        assert good.result() == 2
        with refused(Code.INVALID_ARGUMENT, "too far away"):
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

            def loads():
                with contextlib.suppress(grpc.RpcError):  # Its folder was not looked at yet.
                    return plain.states()[1].state == 20

            until(loads)
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
        (lambda folder: (folder / WARMUP_FILE).write_bytes(b"these are no records at all"), "not a TFRecord file"),
        (warmup_of(b"\xff\xff"), "record 0 is no PredictionLog"),
        (warmup_of(prediction_log_pb2.PredictionLog().SerializeToString()), "record 0 is no Predict request"),
        (
            warmup_of(log_of(walks_request(signature="x"))),
            'warm-up: request 1 failed: Serving signature key "x" not found',
        ),
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
    with serving(folder, token="sesame-open-sesame") as (_, plain):
        for metadata in (None, [("authorization", "Bearer poppy")], [("authorization", "sesame-open-sesame")]):
            with refused(Code.UNAUTHENTICATED, "expected authorization: Bearer <token>"):
                plain.predict(metadata=metadata)
        assert (
            plain.predict(metadata=[("authorization", "Bearer sesame-open-sesame")]).outputs["score"].float_val[0] == 1
        )
        assert plain.serving() == SERVING


@pytest.mark.parametrize("token", ["", "open sesame", "sésame"])
def test_a_token_that_no_header_carries_is_refused(folder, token):
    with pytest.raises(ValueError, match="token: expected visible ASCII"):
        Server(folder, token=token)


def test_counts_and_logs_tell_nothing_of_what_was_sent(folder, caplog):
    with caplog.at_level(logging.INFO, "agegait.serving"), serving(folder, metrics_port=0) as (server, plain):
        port = server.metrics_port
        plain.predict(walks_request(np.full((1, FRAMES, JOINTS, 3), 0.8125, np.float32)))
        with refused(Code.NOT_FOUND):
            plain.predict(changed(lambda request: setattr(request.model_spec, "name", "secret")))
        until(lambda: len([record for record in caplog.records if record.name.endswith("requests")]) == 2)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as page:
            counts = page.read().decode()
        with pytest.raises(urllib.error.HTTPError, match="404") as missing:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20)
        missing.value.close()
    assert 'agegait_requests_total{code="OK",method="Predict",model="walker"} 1' in counts
    assert 'agegait_requests_total{code="NOT_FOUND",method="Predict",model=""} 1' in counts
    assert 'agegait_request_seconds_bucket{le="+Inf",method="Predict",model="walker"} 1' in counts
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name.endswith("requests")]
    assert [(line["method"], line["model"], line["code"]) for line in lines] == [
        ("Predict", "walker", "OK"),
        ("Predict", "", "NOT_FOUND"),
    ]
    assert "0.8125" not in caplog.text + counts
    assert "secret" not in caplog.text + counts


@pytest.mark.parametrize("requests", [True, False])
def test_logs_are_json_lines(folder, capsys, monkeypatch, requests):
    for name in ("agegait.serving", "agegait.serving.requests"):
        logger = logging.getLogger(name)
        monkeypatch.setattr(logger, "handlers", [])
        monkeypatch.setattr(logger, "level", logger.level)
        monkeypatch.setattr(logger, "propagate", logger.propagate)
    log = log_json(requests)
    try:
        with serving(folder) as (server, plain):
            assert plain.score() == 1
        log.flush()
    finally:
        logging.getLogger("agegait.serving").setLevel(logging.NOTSET)
        logging.getLogger("agegait.serving.requests").setLevel(logging.NOTSET)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert all({"time", "level"} <= set(line) for line in lines)
    messages = [line["message"] for line in lines if "message" in line]
    assert messages[:3] == [
        "model walker version 1: no manifest, not verified",
        "model walker version 1 serves",
        f"ready on {server.address}",
    ]
    answered = [(line["method"], line["model"], line["code"]) for line in lines if "method" in line]
    assert answered == ([("Predict", "walker", "OK")] if requests else [])


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
    with (
        pytest.raises(ValueError, match=r"no model loads: walker/1: saved_model.pb: missing"),
        Server(tmp_path, port=0),
    ):
        pass


def test_one_models_folder_will_do(folder):
    with serving(folder / "walker") as (_, plain):
        assert plain.score() == 1


def test_a_port_that_is_taken_is_refused(folder):
    with Server(folder, port=0) as server, pytest.raises(OSError, match=f"{server.address}: can't listen there"):
        Server(folder, port=server.port).start()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Limits(max_pending=0), "max_pending: expected a number of at least 1, received 0"),
        (lambda: TlsFiles("nowhere.pem", "key.pem"), "cert: nowhere.pem can't be read"),
        (lambda: Server("served", port=65536), "port: expected 0 to 65535, received 65536"),
        (lambda: Server("served", metrics_port=-1), "metrics_port: expected 0 to 65535, received -1"),
        (lambda: ModelOptions("served", poll_seconds=0), "poll_seconds: expected a number of seconds above 0"),
        (lambda: Limits(request_seconds=float("nan")), "request_seconds: expected a number of at least 0.001"),
        (lambda: Limits(drain_seconds=-1), "drain_seconds: expected a number of at least 0, received -1"),
        (lambda: Batching(batch_wait=float("inf")), "batch_wait: expected a number of seconds at least 0"),
        (lambda: Batching(workers=0), "workers: expected at least 1, received 0"),
    ],
)
def test_wrong_arguments_are_refused(make, words):
    with pytest.raises(ValueError, match=f"^{words}"):
        make()


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("--tls-cert=c.pem", "tls: expected both --tls-cert and --tls-key."),
        ("--tls-cert=c.pem --tls-key=k.pem", "--tls-cert: c.pem can't be read: No such file or directory."),
        ("--gallery-model=walkers", "--gallery-model: expected with a gallery, received without."),
        ("--poll-seconds=0", "--poll-seconds: expected a number of seconds above 0, received 0.0."),
        ("--max-batch=0", "--max-batch: expected at least 1, received 0."),
    ],
)
def test_wrong_options_are_refused_in_their_words(words, error, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["serve", "served", *words.split()]) == 1
    assert capsys.readouterr().err == f"agegait: {error}\n"
    assert list(tmp_path.iterdir()) == []


def test_a_port_for_counts_that_is_taken_is_refused(folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"metrics: can't listen on 127.0.0.1, port {port}: "):
            Server(folder, port=0, metrics_port=port).start()


def test_callers_without_a_deadline_are_served(folder):
    with serving(folder) as (_, plain):
        assert plain.score(timeout=None) == 1


def silent(channel, count, service="tensorflow.serving.PredictionService/Predict", said=()):
    """Calls that are announced, and whose message never comes."""
    never = threading.Event()

    def messages():
        yield from said
        never.wait()

    call = channel.stream_unary(f"/{service}")
    return never, [call.future(messages()) for _ in range(count)]


@pytest.mark.parametrize("service", ["tensorflow.serving.PredictionService/Predict", "grpc.health.v1.Health/Check"])
def test_callers_who_say_nothing_keep_nobody_waiting_and_are_let_go(folder, service):
    with serving(folder, max_pending=4, request_seconds=1.5) as (server, plain):
        silence = grpc.insecure_channel(server.address, [("grpc.use_local_subchannel_pool", 1)])
        never, calls = silent(silence, 100, service)
        try:
            for _ in range(20):
                assert plain.score() == 1
                assert plain.serving() == SERVING
            assert {call.code() for call in calls} <= {Code.CANCELLED, Code.RESOURCE_EXHAUSTED}
        finally:
            never.set()


def test_silent_callers_on_many_connections_keep_nobody_waiting(folder):
    with serving(folder, max_pending=4) as (server, plain):
        channels = [grpc.insecure_channel(server.address, [("grpc.use_local_subchannel_pool", 1)]) for _ in range(5)]
        silences = [silent(channel, 120) for channel in channels]
        try:
            for _ in range(20):
                assert plain.score(timeout=20) == 1
                assert plain.serving("live") == SERVING
        finally:
            for never, _ in silences:
                never.set()
            for channel in channels:
                channel.close()


def test_a_health_watch_lasts(folder):
    with serving(folder, request_seconds=0.4) as (_, plain):
        watch = plain.health.Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == SERVING
        time.sleep(1)
        shutil.rmtree(folder / "walker/1")
        assert next(watch).status == NOT_SERVING
        assert plain.serving("live") == SERVING


def test_a_request_that_takes_too_long_is_ended(folder, gate):
    with serving(folder, request_seconds=1.5) as (_, plain):
        with refused(Code.CANCELLED):
            plain.predict()
        gate.opened.set()
        assert plain.score() == 1


def test_a_caller_who_hangs_up_in_the_middle_leaves_nothing(folder):
    with serving(folder, max_pending=2) as (server, plain):
        for _ in range(20):
            never, calls = silent(plain.channel, 3)
            time.sleep(0.02)
            for call in calls:
                call.cancel()
            never.set()
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            raw.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(100))
        assert plain.score() == 1
        until(lambda: server.calls == 0)


def test_a_call_without_a_message_is_refused(folder):
    with serving(folder) as (_, plain), refused(Code.INVALID_ARGUMENT, "expected one message, received none"):
        plain.channel.stream_unary("/tensorflow.serving.PredictionService/Predict")(iter([]), timeout=20)


def test_what_is_offered_is_told_if_asked_for(folder):
    with serving(folder, reflection=True) as (_, plain):
        told = ProtoReflectionDescriptorDatabase(plain.channel)
        services = set(told.get_services())
        pool = descriptor_pool.DescriptorPool(told)
        service = pool.FindServiceByName("tensorflow.serving.PredictionService")
        method = service.methods_by_name["Predict"]
        # A request as a caller makes it who knows no more than what was told.
        request = json_format.ParseDict(
            {
                "modelSpec": {"name": "walker"},
                "inputs": {
                    "skeletons": {
                        "dtype": "DT_FLOAT",
                        "tensorShape": {"dim": [{"size": size} for size in (1, FRAMES, JOINTS, 3)]},
                        "floatVal": [2.0],
                    }
                },
            },
            message_factory.GetMessageClass(method.input_type)(),
        )
        call = plain.channel.unary_unary(
            f"/{service.full_name}/{method.name}",
            type(request).SerializeToString,
            message_factory.GetMessageClass(method.output_type).FromString,
        )
        assert list(call(request, timeout=20).outputs["score"].float_val) == [2.0]
    assert services == {
        "tensorflow.serving.PredictionService",
        "tensorflow.serving.ModelService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }


def test_what_is_offered_is_not_told_unasked(folder):
    with serving(folder) as (_, plain), refused(Code.UNIMPLEMENTED):
        ProtoReflectionDescriptorDatabase(plain.channel).get_services()


def test_a_signal_ends_it(folder):
    before, scores = signal.getsignal(signal.SIGTERM), []

    def ask_and_end(server):
        plain = Plain(server)
        with plain.channel:
            scores.append(plain.score())
        os.kill(os.getpid(), signal.SIGTERM)

    Server(folder, port=0).serve_forever(ask_and_end)
    assert scores == [1]
    assert signal.getsignal(signal.SIGTERM) == before


SERVE = """
import sys
from agegait.serving import Server
Server(sys.argv[1], port=0).serve_forever(lambda server: print(server.address, flush=True))
"""


@pytest.mark.slow
def test_sigterm_ends_it_well_and_quietly(folder):
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        address = process.stdout.readline().decode().strip()
        with grpc.insecure_channel(address) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            assert stub.Predict(walks_request(), timeout=20).outputs["score"].float_val[0] == 1
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=30)
    # What TensorFlow's libraries say as they load is the host program's to silence.
    ours = [line for line in err.splitlines() if not re.match(rb"[IWE]\d{4} |WARNING: All log|To enable the", line)]
    assert (process.returncode, out, ours) == (0, b"", [])
