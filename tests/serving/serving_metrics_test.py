import contextlib
import http.client
import re
import shutil
import socket

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.export_walker import export, refused, serving, until, walks_request

from agegait.serving.server.call import Call
from agegait.serving.server.telemetry import Telemetry


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    base = tmp_path_factory.mktemp("exported")
    export(base, 1)
    return base / "1"


@pytest.fixture
def folder(exported, tmp_path):
    shutil.copytree(exported, tmp_path / "models/walker/1")
    return tmp_path / "models"


def ask(server, path="/metrics", method="GET", headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.metrics_port, timeout=20)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())
    finally:
        connection.close()


def samples(server):
    """Every sample by its name and labels, as Prometheus reads them."""
    status, page, _ = ask(server)
    assert status == 200
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_what_is_done_is_counted(folder):
    with serving(folder, metrics_port=0, rest_port=0, token="0123456789abcdefghij") as (server, plain):
        sent = {"metadata": (("authorization", "Bearer 0123456789abcdefghij"),)}
        plain.predict(walks_request(), **sent)
        with refused(grpc.StatusCode.UNAUTHENTICATED):
            plain.predict(walks_request())
        with refused(grpc.StatusCode.NOT_FOUND):
            plain.predict(walks_request(version=9), **sent)
        (folder / "walker/2").mkdir()
        (folder / "walker/2/saved_model.pb").write_bytes(b"nonsense")
        until(lambda: samples(server).get(("agegait_model_load_failures_total", "walker"), 0) >= 1)
        found = samples(server)
    assert found["agegait_requests_total", "OK", "Predict", "walker"] == 1
    assert found["agegait_requests_total", "NOT_FOUND", "Predict", ""] == 1
    assert found["agegait_requests_total", "UNAUTHENTICATED", "Predict", ""] == 1
    assert found["agegait_refused_total", "unauthenticated"] == 1
    assert found["agegait_request_seconds_count", "Predict", "walker"] == 1
    assert found["agegait_request_bytes_sum", "Predict", "walker"] == walks_request().ByteSize()
    assert found["agegait_answer_bytes_sum", "Predict", "walker"] > 0
    assert found["agegait_queue_seconds_count", "walker"] == 1
    assert found["agegait_requests_pending",] == 0
    assert found["agegait_batches_total",] == found["agegait_batched_requests_total",] == 1
    assert found["agegait_batch_requests_bucket", "1.0"] == 1
    assert found["agegait_model_loads_total", "walker"] == 1
    assert found["agegait_model_load_seconds_count", "walker"] == 2
    assert found["agegait_http_connections", "metrics"] >= 1
    assert found["agegait_http_connections", "rest"] == 0
    assert found["agegait_calls",] == 0


def test_labels_are_escaped():
    telemetry = Telemetry()
    name = 'a"b\\c\nd'
    telemetry.count(Call("Predict", model=name), grpc.StatusCode.OK)
    from prometheus_client import generate_latest

    page = generate_latest(telemetry.metrics.registry).decode()
    [family] = [one for one in text_string_to_metric_families(page) if one.name == "agegait_requests"]
    assert family.samples[0].labels["model"] == name


def test_nothing_else_is_told(folder):
    with serving(folder, metrics_port=0) as (server, _):
        status, _, headers = ask(server)
        assert (status, headers["content-type"].split(";")[0]) == (200, "text/plain")
        assert {"server", "date"}.isdisjoint(headers)
        for path in ("/", "/metrics/", "/metrics/x", "/v1/models/walker"):
            assert ask(server, path)[0] == 404
        assert ask(server, method="POST")[0] == 405
        assert ask(server, method="HEAD")[0] == 200


def test_floods_of_the_page_lock_nobody_out(folder, capfd):
    with serving(folder, metrics_port=0) as (server, plain):
        flood = []
        for sent in (b"", b"GET /metr", b"nonsense\r\n\r\n", b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n"):
            for _ in range(200):
                flood.append(socket.create_connection(("127.0.0.1", server.metrics_port), timeout=20))
                with contextlib.suppress(OSError):
                    flood[-1].sendall(sent)
            assert ask(server)[0] == 200
            assert plain.score() == 1
        for connection in flood:
            connection.close()
        until(lambda: samples(server)["agegait_http_connections", "metrics"] == 1)
        assert samples(server)["agegait_refused_total", "metrics_malformed"] > 0
    assert not re.search("Traceback|Error", capfd.readouterr().err)


def test_a_failure_on_the_page_shows_no_traceback(folder, monkeypatch, capfd):
    with serving(folder, metrics_port=0) as (server, _):

        def fail():
            raise ValueError("secret")

        server._telemetry.metrics.watch_calls(fail)
        status, body, _ = ask(server)
        assert (status, "secret" in body) == (500, False)
    assert "Traceback" not in capfd.readouterr().err
