import base64
import contextlib
import http.client
import json
import logging
import socket
import ssl
import subprocess
import threading

import numpy as np
import pytest
import tensorflow as tf
from support.export_walker import FRAMES, JOINTS, Gate, export, serving, until, walks_request

from agegait.serving import Limits, Server, TlsFiles
from agegait.serving.server import rest_json
from agegait.serving.server.rest_bodies import RestBodies, TooLargeError
from agegait.serving.server.servable import TensorSpec
from agegait.serving.server.status_error import StatusError

WALKS = np.linspace(-2, 2, 3 * FRAMES * JOINTS * 3, dtype=np.float32).reshape(3, FRAMES, JOINTS, 3)
PREDICT = "/v1/models/walker:predict"
TOKEN = "0123456789abcdefghij"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    base = tmp_path_factory.mktemp("served") / "walker"
    base.mkdir()
    export(base, 3)
    return base.parent


@pytest.fixture(scope="module")
def served(folder):
    """One server for all tests: none of them changes anything in it."""
    with serving(folder, rest_port=0) as (server, plain):
        yield server, plain


@pytest.fixture
def gate(monkeypatch):
    gate = Gate(monkeypatch)
    yield gate
    gate.opened.set()


def ask(server, path=PREDICT, body=None, headers=None, method=None):
    """The status, the answer's JSON and its headers."""
    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=30)
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    try:
        connection.request(method or ("GET" if body is None else "POST"), path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), dict(answer.getheaders())
    finally:
        connection.close()


def predict(server, **body):
    status, answer, _ = ask(server, body=body)
    assert status == 200, answer
    return answer


def outputs(plain, **options):
    return {name: tf.make_ndarray(proto) for name, proto in plain.predict(walks_request(**options)).outputs.items()}


def half_sent(server, count, data):
    connections = [socket.create_connection(("127.0.0.1", server.rest_port), timeout=20) for _ in range(count)]
    for connection in connections:
        with contextlib.suppress(OSError):  # One that came later may have taken its place.
            connection.sendall(data)
    return connections


def test_rows_are_answered_as_over_grpc(served):
    server, plain = served
    expected = outputs(plain, walks=WALKS)
    for instances in (WALKS.tolist(), [{"skeletons": walk} for walk in WALKS.tolist()]):
        answer = predict(server, instances=instances)
        assert answer.keys() == {"predictions"}
        assert [row["person"].encode() for row in answer["predictions"]] == expected["person"].tolist()
        np.testing.assert_array_equal(np.float32([row["score"] for row in answer["predictions"]]), expected["score"])


def test_columns_are_answered_as_over_grpc(served):
    server, plain = served
    expected = outputs(plain, walks=WALKS)
    for inputs in (WALKS.tolist(), {"skeletons": WALKS.tolist()}):
        answer = predict(server, inputs=inputs)
        assert answer["outputs"].keys() == {"person", "score"}
        np.testing.assert_array_equal(np.float32(answer["outputs"]["score"]), expected["score"])


def test_a_single_output_has_no_name(served):
    server, plain = served
    positive = np.abs(WALKS)
    expected = outputs(plain, walks=positive, signature="root")["score"]
    for body, key in (({"instances": positive.tolist()}, "predictions"), ({"inputs": positive.tolist()}, "outputs")):
        answer = predict(server, signature_name="root", **body)
        assert answer.keys() == {key}
        np.testing.assert_array_equal(np.float32(answer[key]), expected)


def test_several_inputs_and_outputs_without_a_batch(served):
    server, _ = served
    rows = [{"skeletons": walk, "lengths": FRAMES} for walk in WALKS.tolist()]
    scores = predict(server, signature_name="padded", instances=rows)["predictions"]
    columns = {"skeletons": WALKS.tolist(), "lengths": [FRAMES] * 3}
    assert predict(server, signature_name="padded", inputs=columns)["outputs"] == scores
    total = predict(server, signature_name="fussy", inputs=WALKS.tolist())["outputs"]["total"]
    assert total == pytest.approx(float(WALKS.sum()), abs=1e-3)
    status, answer, _ = ask(server, body={"signature_name": "fussy", "instances": WALKS.tolist()})
    assert (status, "expected a common batch" in answer["error"]) == (400, True)


@pytest.mark.parametrize("place", ["", "/versions/3"])
def test_status_and_metadata_have_tensorflow_servings_shape(served, place):
    server, _ = served
    status, answer, headers = ask(server, f"/v1/models/walker{place}")
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert answer == {
        "model_version_status": [
            {"version": "3", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        ]
    }
    status, answer, _ = ask(server, f"/v1/models/walker{place}/metadata")
    assert status == 200
    assert answer["model_spec"]["name"] == "walker"
    assert answer["model_spec"]["version"] == "3"
    signatures = answer["metadata"]["signature_def"]["signature_def"]
    skeletons = signatures["serving_default"]["inputs"]["skeletons"]
    assert skeletons["dtype"] == "DT_FLOAT"
    assert [dim["size"] for dim in skeletons["tensor_shape"]["dim"]] == ["-1", "-1", str(JOINTS), "3"]
    assert skeletons["tensor_shape"]["unknown_rank"] is False


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/v1/models/other:predict", {"instances": [1]}, 404, "Servable not found for request: Latest(other)"),
        ("/v1/models/walker/versions/9:predict", {"instances": [1]}, 404, "Specific(walker, 9)"),
        ("/v1/models/walker/labels/x:predict", {"instances": [1]}, 400, "Unrecognized servable version label: x"),
        ("/v1/models/other", None, 404, "Could not find any versions of model other"),
        ("/v1/models/walker/versions/99999999999999999999", None, 400, "Failed to convert version"),
        ("/v1/models/walker/versions/x", None, 400, "Malformed request: GET /v1/models/walker/versions/x"),
        ("/v1/models/walker:predict", None, 400, "Malformed request: GET /v1/models/walker:predict"),
        ("/v1/models/walker", {}, 400, "Malformed request: POST /v1/models/walker"),
        ("/v1/models/walker/", None, 400, "Malformed request"),
        ("/v1/models", None, 400, "Malformed request"),
        ("/", None, 404, "Not found"),
        ("/metrics", None, 404, "Not found"),
        ("/v1/models/walker:classify", {"examples": []}, 501, "Classify is not served"),
        ("/v1/models/walker:regress", {"examples": []}, 501, "Regress is not served"),
        (PREDICT, {"signature_name": "x", "instances": [1]}, 400, 'Serving signature key "x" not found.'),
        (PREDICT, b"", 400, "JSON Parse error"),
        (PREDICT, b"{", 400, "JSON Parse error"),
        (PREDICT, b"\xff\xfe", 400, "JSON Parse error"),
        (PREDICT, b"[" * 100_000, 400, "JSON Parse error"),
        (PREDICT, b'{"instances": [[[[NaN, 1, 1]]]]}', 400, "JSON Parse error"),
        (PREDICT, b'{"instances": [[[[Infinity, 1, 1]]]]}', 400, "JSON Parse error"),
        (PREDICT, [1], 400, "expected a JSON object"),
        (PREDICT, {}, 400, "Missing 'inputs' or 'instances' key"),
        (PREDICT, {"instances": [1], "inputs": [1]}, 400, "expecting only one of"),
        (PREDICT, {"instances": []}, 400, "expected a list with at least one value"),
        (PREDICT, {"instances": {"skeletons": 1}}, 400, "expected a list with at least one value"),
        (PREDICT, {"signature_name": 1, "instances": [1]}, 400, "'signature_name' key must be a string value."),
        (PREDICT, {"instances": [{"x": 1}]}, 400, "does not have named input: x"),
        (PREDICT, {"instances": [{"skeletons": 1}, [1]]}, 400, "a mix of both"),
        (PREDICT, {"instances": [{"skeletons": 1}, {}]}, 400, "Failed to process element: 1"),
        (PREDICT, {"inputs": {}}, 400, "Missing but required: {skeletons}"),
        (PREDICT, {"inputs": {"lengths": [1], "skeletons": [1]}}, 400, "does not have named input: lengths"),
        (PREDICT, {"signature_name": "padded", "instances": [1]}, 400, "several inputs are required"),
        (PREDICT, {"instances": [[1, 2], [3]]}, 400, "expected lists of one length"),
        (PREDICT, {"instances": [[1], 2]}, 400, "input 'skeletons': expected float32, all at one level"),
        (PREDICT, {"instances": ["1"]}, 400, "received str"),
        (PREDICT, {"instances": [None]}, 400, "received NoneType"),
        (PREDICT, {"instances": [True]}, 400, "received bool"),
        (PREDICT, {"instances": [{"b64": "AA=="}]}, 400, "received dict"),
        (PREDICT, {"instances": [1e300]}, 400, "a value does not fit float32"),
        (PREDICT, {"instances": [1]}, 400, "expected shape [-1, -1, 5, 3], received [1]"),
        (PREDICT, {"instances": WALKS[:, :2].tolist()}, 400, "input 'skeletons'"),
        (PREDICT, {"inputs": []}, 400, "input 'skeletons'"),
    ],
)
def test_what_is_wrong_is_refused_by_name(served, path, body, status, words):
    found, answer, _ = ask(served[0], path, body)
    assert (found, words in answer["error"]) == (status, True), answer
    assert answer.keys() == {"error"}


def test_integers_that_do_not_fit_are_refused(served):
    rows = [{"skeletons": WALKS[0].tolist(), "lengths": length} for length in (2**40, 1.5, 10**30)]
    for row in rows:
        status, answer, _ = ask(served[0], body={"signature_name": "padded", "instances": [row]})
        assert status == 400
        assert "input 'lengths'" in answer["error"]


def test_strings_and_bytes_go_both_ways():
    specs = {"text": TensorSpec(7, (None, None))}
    document = rest_json.parse(bytearray(json.dumps({"instances": [["é", {"b64": "/w=="}]]}).encode()))
    [array] = rest_json.read_arrays(document, specs).values()
    assert array.tolist() == [["é".encode(), b"\xff"]]
    assert json.loads(rest_json.write({"text": array}, True)) == {"predictions": [["é", "\ufffd"]]}
    encoded = [[{"b64": base64.b64encode(one).decode()} for one in array[0]]]
    assert json.loads(rest_json.write({"text_bytes": array}, False)) == {"outputs": encoded}
    document = rest_json.parse(bytearray(b'{"instances": [{"b64": "*"}]}'))
    with pytest.raises(StatusError, match="Unable to base64 decode"):
        rest_json.read_arrays(document, specs)


def test_requests_are_numbered_logged_and_counted(folder, caplog):
    with (
        caplog.at_level(logging.INFO, "agegait.serving"),
        serving(folder, rest_port=0, metrics_port=0) as (server, plain),
    ):
        body = {"instances": WALKS.tolist()}
        assert ask(server, body=body, headers={"x-request-id": "mine-1"})[2]["x-request-id"] == "mine-1"
        odd = ask(server, "/v1/models/secret:predict", body, headers={"x-request-id": 'a" b'})[2]["x-request-id"]
        assert len(odd) == 32
        _, call = plain.prediction.Predict.with_call(
            walks_request(), metadata=(("x-request-id", "mine-2"),), timeout=20
        )
        assert dict(call.trailing_metadata())["x-request-id"] == "mine-2"
        lines = [json.loads(record.getMessage()) for record in caplog.records if record.name.endswith("requests")]
        connection = http.client.HTTPConnection("127.0.0.1", server.metrics_port, timeout=20)
        connection.request("GET", "/metrics")
        counts = connection.getresponse().read().decode()
        connection.close()
    assert [(line["request"], line["transport"], line["code"]) for line in lines] == [
        ("mine-1", "rest", "OK"),
        (odd, "rest", "NOT_FOUND"),
        ("mine-2", "grpc", "OK"),
    ]
    assert all(line["peer"].startswith("127.0.0.1:") for line in lines)
    assert lines[0]["request_bytes"] == len(json.dumps(body))
    assert lines[0]["answer_bytes"] > 0
    assert lines[0]["queue_milliseconds"] >= 0
    assert lines[1]["queue_milliseconds"] is None
    assert "secret" not in counts + caplog.text
    assert 'agegait_rest_requests_total{method="Predict",status="200"} 1.0' in counts
    assert 'agegait_rest_requests_total{method="Predict",status="404"} 1.0' in counts


def test_a_token_is_asked_before_the_body_is_read(folder):
    with serving(folder, rest_port=0, token=TOKEN) as (server, _):
        body = {"instances": WALKS.tolist()}
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": TOKEN}):
            for path in (PREDICT, "/v1/models/walker"):
                status, answer, sent = ask(server, path, body if path == PREDICT else None, headers)
                assert (status, sent["www-authenticate"]) == (401, "Bearer")
                assert answer == {"error": "expected authorization: Bearer <token>"}
        assert ask(server, body=body, headers={"authorization": f"bearer {TOKEN}"})[0] == 200
        [connection] = half_sent(
            server, 1, b"POST " + PREDICT.encode() + b" HTTP/1.1\r\ncontent-length: 999\r\nhost: x\r\n\r\n"
        )
        with connection:
            assert connection.recv(1 << 16).startswith(b"HTTP/1.1 401 ")


def test_bodies_beyond_the_limit_are_not_read(folder):
    with serving(folder, rest_port=0, max_message_bytes=10_000) as (server, _):
        headers = b"POST " + PREDICT.encode() + b" HTTP/1.1\r\nhost: x\r\n"
        for sent in (
            b"content-length: 10001\r\n\r\n",
            b"transfer-encoding: chunked\r\n\r\n2711\r\n" + b" " * 10001 + b"\r\n",
        ):
            [connection] = half_sent(server, 1, headers + sent)
            with connection:
                assert connection.recv(1 << 16).startswith(b"HTTP/1.1 413 ")
        assert ask(server, body={"instances": WALKS[:1].tolist()})[0] == 200
        assert ask(server, body=b" ", headers={"content-encoding": "gzip"})[0] == 400


def test_more_values_than_elements_are_refused_before_they_are_parsed(folder):
    with serving(folder, rest_port=0, max_elements=1000) as (server, _):
        for value in (b"[]", b"1", b"{}"):
            status, answer, _ = ask(server, body=b'{"instances": [' + b",".join([value] * 3000) + b"]}")
            assert (status, "at most 2,000 values" in answer["error"]) == (400, True)


def test_parsed_json_counts_as_memory(folder):
    with serving(folder, rest_port=0, max_message_bytes=1 << 20, max_memory_bytes=4 << 20) as (server, _):
        status, answer, _ = ask(server, body=b'{"instances": [' + b",".join([b"{}"] * 50_000) + b"]}")
        assert (status, "not enough memory" in answer["error"]) == (429, True)
        assert ask(server, body={"instances": WALKS.tolist()})[0] == 200


def test_memory_must_suffice_for_bodies(folder):
    with pytest.raises(ValueError, match="max_memory_bytes: expected at least three times max_message_bytes"):
        Server(folder, rest_port=0, limits=Limits(max_message_bytes=1 << 20, max_memory_bytes=2 << 20))


def test_a_caller_who_goes_takes_its_request_along(folder, gate):
    with serving(folder, rest_port=0, workers=1) as (server, _):
        body = json.dumps({"instances": WALKS.tolist()}).encode()
        head = f"POST {PREDICT} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        [first] = half_sent(server, 1, head + body)
        gate.entered.acquire()
        gone = half_sent(server, 3, head + body)
        until(lambda: server._api.in_hand == 4)
        for connection in gone:
            connection.close()
        until(lambda: server._api.in_hand == 1)
        gate.opened.set()
        with first:
            assert first.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
        assert gate.batches == [3]


def test_a_full_queue_and_a_draining_server_are_told(folder, gate):
    with serving(folder, rest_port=0, max_pending=1) as (server, _):
        body, answers = {"instances": WALKS.tolist()}, []
        asking = threading.Thread(target=lambda: answers.append(ask(server, body=body)))
        asking.start()
        gate.entered.acquire()
        status, answer, headers = ask(server, body=body)
        assert (status, answer, headers["retry-after"]) == (
            429,
            {"error": "the queue is full: 1 requests are in hand"},
            "1",
        )
        server._api.close()
        assert ask(server, body=body)[0] == 503
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        gate.opened.set()
        asking.join()
        stopping.join()
        assert answers[0][0] == 200


def test_the_deadline_is_the_servers(folder, gate):
    with serving(folder, rest_port=0, request_seconds=0.5) as (server, _):
        status, answer, _ = ask(server, body={"instances": WALKS.tolist()})
        assert (status, answer) == (504, {"error": "the deadline passed"})
        gate.opened.set()


@pytest.mark.parametrize("size", [0, 30_000_000])
def test_half_sent_requests_lock_nobody_out(served, size):
    server, plain = served
    head = f"POST {PREDICT} HTTP/1.1\r\nhost: x\r\ncontent-length: 31000000\r\n\r\n".encode()
    flood = half_sent(server, 300 if size == 0 else 6, head + b" " * size)
    expected = outputs(plain, walks=WALKS)["score"]
    for _ in range(5):
        answer = predict(server, inputs=WALKS.tolist())
        np.testing.assert_array_equal(np.float32(answer["outputs"]["score"]), expected)
        assert ask(server, "/v1/models/walker")[0] == 200
    for connection in flood:
        connection.close()


def test_the_oldest_body_gives_way():
    import asyncio

    async def scenario():
        bodies = RestBodies(10, 15)
        queues = [asyncio.Queue() for _ in range(3)]
        reads = [asyncio.ensure_future(bodies.read({}, queue.get)) for queue in queues]
        for queue, piece in zip(queues, (b"12345678", b"1234567", b"123456789"), strict=True):
            queue.put_nowait({"type": "http.request", "body": piece, "more_body": True})
            await asyncio.sleep(0.01)
        for queue in queues[1:]:
            queue.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        found = await asyncio.gather(*reads, return_exceptions=True)
        assert bodies._free == 15
        with pytest.raises(TooLargeError):
            await bodies.read({"content-length": "11"}, queues[0].get)
        return found

    first, second, third = asyncio.run(scenario())
    assert isinstance(first, StatusError)
    assert isinstance(second, StatusError)
    assert third == b"123456789"


def test_a_large_answer_arrives_whole(tmp_path):
    base = tmp_path / "walker"
    base.mkdir()
    export(base, 1)
    walks = np.ones((4096, FRAMES, JOINTS, 3), np.float32)
    with serving(base, rest_port=0) as (server, _):
        assert len(predict(server, instances=walks.tolist())["predictions"]) == 4096


def test_tls_is_that_of_grpc(folder, tmp_path):
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-keyout", tmp_path / "key", "-out", tmp_path / "crt", "-days", "30"]
    subprocess.run(
        [*command, "-subj", "/CN=x", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True
    )
    with Server(folder, port=0, rest_port=0, tls=TlsFiles(tmp_path / "crt", tmp_path / "key")) as server:
        context = ssl.create_default_context(cafile=tmp_path / "crt")
        connection = http.client.HTTPSConnection("127.0.0.1", server.rest_port, timeout=20, context=context)
        connection.request("POST", PREDICT, json.dumps({"instances": WALKS.tolist()}))
        answer = json.loads(connection.getresponse().read())
        assert "predictions" in answer, answer
        connection.close()
        with pytest.raises((OSError, http.client.HTTPException)):
            ask(server, "/v1/models/walker")


def test_a_taken_port_is_named(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"rest: can't listen on 127.0.0.1, port {port}: "):
            Server(folder, port=0, rest_port=port).start()


@pytest.mark.parametrize("depth", [33, 65, 1000])
@pytest.mark.parametrize(("key", "innermost"), [("instances", "1"), ("instances", ""), ("inputs", "1")])
def test_lists_deeper_than_any_array_are_refused(served, depth, key, innermost):
    server, _ = served
    status, answer, _ = ask(server, body=f'{{"{key}": {"[" * depth}{innermost}{"]" * depth}}}'.encode())
    assert status == 400
    assert "expected at most 32 dimensions" in answer["error"]


NONSENSE = {
    "a body of two lengths": (b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
    "a chunk without size": (b"transfer-encoding: chunked\r\n\r\nzz\r\n", b"400"),
    "a chunk of negative size": (b"transfer-encoding: chunked\r\n\r\n-1\r\n", b"400"),
    "two sizes": (b"content-length: 5\r\ncontent-length: 6\r\n\r\n12345", b"400"),
    "a size without end": (b"content-length: " + b"9" * 5000 + b"\r\n\r\n", b"400"),
    "another coding": (b"transfer-encoding: gzip, chunked\r\n\r\n", b"400"),
    "NaN": (b'content-length: 22\r\n\r\n{"instances":[[[NaN]]]}'[:-1], b"400"),
}


@pytest.mark.parametrize("case", NONSENSE)
@pytest.mark.parametrize("host", [b"here", b"[", b"[::1", b"a@[b]:c//?#", b"\xff"])
def test_nonsense_on_the_wire_is_refused_in_silence(served, caplog, case, host):
    server, _ = served
    sent, status = NONSENSE[case]
    with socket.create_connection(("127.0.0.1", server.rest_port), timeout=30) as peer:
        peer.sendall(b"POST " + PREDICT.encode() + b" HTTP/1.1\r\nhost: " + host + b"\r\n" + sent)
        assert peer.recv(1 << 16).split(b" ")[1] == status
    assert ask(server, "/v1/models/walker")[0] == 200
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/models/%2e%2e", 404), ("/v1/models/%00", 404), ("/v1/models/%ed%a0%80%zz", 404), ("/v1/x", 400)]
    + [("/v1/models/" + "%F0%9F%98%80" * 1000, 404), ("http://[/v1/models/walker", 404), ("*", 404)],
)
def test_odd_paths(served, path, status):
    assert ask(served[0], path, headers={"host": "["})[0] == status
