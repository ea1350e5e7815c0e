import json
import logging
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from support.export_walker import FRAMES, JOINTS, export, refused, serving, until, walks_request
from support.gallery_bodies import walk as body
from support.served_bodies import NEAR, serving_bones

from agegait.serving import Server
from agegait.serving.client import client_errors

TRACE = "0123456789abcdef0123456789abcdef"
PARENT = f"00-{TRACE}-0123456789abcdef-01"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    base = tmp_path_factory.mktemp("served") / "walker"
    base.mkdir()
    export(base, 1)
    return base.parent


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """A collector as operators have it: OTLP over gRPC."""

    def __init__(self):
        self.requests, self._lock = [], threading.Lock()

    def Export(self, request, context):  # noqa: N802
        with self._lock:
            self.requests.append(request)
        return trace_service_pb2.ExportTraceServiceResponse()

    @property
    def spans(self):
        with self._lock:
            return {
                span.name: span
                for request in self.requests
                for resource in request.resource_spans
                for scope in resource.scope_spans
                for span in scope.spans
            }


@pytest.fixture
def collector(monkeypatch):
    server = grpc.server(ThreadPoolExecutor(2))
    collector = Collector()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    yield collector
    server.stop(None).wait()


def attributes(span):
    return {one.key: one.value for one in span.attributes}


def test_calls_are_traced_without_what_was_in_them(folder, collector):
    predict, rest = "/tensorflow.serving.PredictionService/Predict", "POST /v1/models/walker:predict"
    walks = np.full((1, FRAMES, JOINTS, 3), 0.8125, np.float32)
    with serving(folder, rest_port=0, tracing=True) as (server, plain):
        plain.prediction.Predict(walks_request(walks), metadata=(("traceparent", PARENT),), timeout=20)
        body = json.dumps({"instances": walks.tolist()}).encode()
        url = f"http://127.0.0.1:{server.rest_port}/v1/models/walker:predict"
        with urllib.request.urlopen(urllib.request.Request(url, body, {"traceparent": PARENT}), timeout=20) as answer:
            assert answer.status == 200
        assert plain.serving() == 1
        with ThreadPoolExecutor(8) as threads:  # Tracing takes no thread from the calls.
            assert list(threads.map(lambda _: float(plain.score()[0]), range(32))) == [1.0] * 32
        until(lambda: {predict, rest} <= collector.spans.keys())
        with refused(grpc.StatusCode.NOT_FOUND):
            plain.predict(walks_request(version=9))
        until(lambda: attributes(collector.spans[predict])["rpc.grpc.status_code"].int_value == 5)
    assert {span.trace_id.hex() for request in collector.requests for span in spans(request)} > {TRACE}
    assert collector.spans.keys() == {predict, rest}
    assert attributes(collector.spans[rest])["http.status_code"].int_value == 200
    told = "".join(map(str, collector.requests))
    assert "0.8125" not in told
    assert 'string_value: "agegait"' in told


def test_spans_of_a_gallery_name_nobody(bones_folder, gallery_url, collector):
    name, methods = "Zoë Quastenflosser", {f"/agegait.gallery.v1.Gallery/{method}" for method in ("Enrol", "WatchWalk")}
    with serving_bones(bones_folder, gallery_url, tracing=True) as (_, client):
        client.enrol(name, body(0), consent=name)
        for wrong in (name.upper(), f"{name}\0"):
            with pytest.raises(client_errors.ClientError):
                client.enrol(wrong, body(1), consent=name)
        with client.watch_walk(every=30, threshold=NEAR) as watch:
            assert [found.person for frame in body(0, 1) if (found := watch.add(frame))] == [name]
        until(lambda: methods <= collector.spans.keys())
    assert "Quastenflosser" not in "".join(map(str, collector.requests)).title()


def spans(request):
    return [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]


def test_spans_that_nobody_takes_hold_nothing_up(folder, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    with serving(folder, tracing=True) as (_, plain):
        assert plain.score() == 1


def test_without_the_extra_it_is_refused(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.instrumentation.grpc", None)
    with pytest.raises(ValueError, match=r"tracing: expected the extra `tracing`: pip install 'agegait\[tracing\]'."):
        Server(folder, tracing=True)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("OTEL_TRACES_EXPORTER", "console", "OTEL_TRACES_EXPORTER: expected otlp, received console"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", "expected grpc, received http/protobuf"),
    ],
)
def test_what_is_not_supported_is_refused(folder, monkeypatch, variable, value, words):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=words):
        Server(folder, tracing=True)
