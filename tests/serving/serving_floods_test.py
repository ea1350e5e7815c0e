"""Callers who mean harm, over real sockets, while others ask as ever."""

import contextlib
import os
import shutil
import signal
import sys
import threading
import urllib.request

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2
from h2.exceptions import ProtocolError
from support import forked
from support.export_walker import NOT_SERVING, SERVING, Plain, export, until, walks_request
from support.raw_peer import RawPeer

SERVE = """
import sys
from agegait.serving import ModelOptions, Server
server = Server(ModelOptions(sys.argv[1], poll_seconds=0.1), port=0, token=sys.argv[2] or None, metrics_port=0)
server.serve_forever(lambda server: print(server.address, server.metrics_port, flush=True))
"""
# Work that no signal ends: it holds on to its thread, as a heavy graph does.
BUSY = """
import sys, threading
from agegait.serving import Limits, Server
from agegait.serving.server.servable import Signature
def busy(signature, inputs):
    print("at work", flush=True)
    threading.Event().wait()
Signature.run = busy
server = Server(sys.argv[1], port=0, limits=Limits(drain_seconds=1))
server.serve_forever(lambda server: print(server.address, flush=True))
"""
TOKEN = "a-token-of-some-length"
LONE = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]
PREDICT = "/tensorflow.serving.PredictionService/Predict"
WATCH, CHECK = "/grpc.health.v1.Health/Watch", "/grpc.health.v1.Health/Check"


class Served:
    """A server in a process of its own, whose memory can be told."""

    def __init__(self, folder, token="", code=SERVE, ready=True):
        command = [sys.executable, "-c", code, str(folder), token]
        self.process = forked.Popen(command, stdout=forked.PIPE, stderr=forked.DEVNULL, text=True)
        self.address, *self.metrics_port = self.process.stdout.readline().split() if ready else (None,)

    def megabytes(self, field="VmRSS"):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(field)) / 1024

    def channel(self):
        return grpc.insecure_channel(self.address, LONE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


# Each starts a server's process, and keeps both cores busy.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    (folder / "walker").mkdir()
    export(folder / "walker", 1)
    return folder


@pytest.fixture
def served(folder):
    with Served(folder) as served:
        yield served


@pytest.fixture(scope="module")
def shared(folder):
    """A server for tests that leave it as they found it, and measure no peak of its memory."""
    with Served(folder) as served:
        yield served


@contextlib.contextmanager
def in_background(*work):
    """Has each piece of work done over and over in a thread of its own."""
    done = threading.Event()

    def go_on(one):
        while not done.is_set():
            with contextlib.suppress(grpc.RpcError, OSError, ProtocolError):
                one()

    threads = [threading.Thread(target=go_on, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()


def ask_as_ever(served, times=30, metadata=None):
    plain = Plain(served, served.channel())
    with plain.channel:
        for _ in range(times):
            assert plain.predict(timeout=30, metadata=metadata).outputs["score"].float_val[0] == 1
            assert plain.serving("live") == SERVING


def test_watches_that_come_and_go_stop_nobody(served):
    def watch_and_drop():
        with served.channel() as channel:
            watches = [channel.unary_stream(WATCH)(b"", timeout=20) for _ in range(3)]
            for watch in watches:
                next(watch)
            for watch in watches:
                watch.cancel()

    with in_background(watch_and_drop, watch_and_drop, watch_and_drop):
        ask_as_ever(served, 100)
    served.process.terminate()
    assert served.process.wait(30) == 0


def ask_as_ever_once_it_serves(served):
    plain = Plain(served, served.channel())
    with plain.channel:
        until(lambda: plain.serving() == SERVING)
    ask_as_ever(served)


def test_channels_that_watch_the_health_of_their_server_stop_nobody(served):
    config = '{"loadBalancingConfig":[{"round_robin":{}}],"healthCheckConfig":{"serviceName":""}}'

    def ask_by_health():
        with grpc.insecure_channel(served.address, [*LONE, ("grpc.service_config", config)]) as channel:
            assert Plain(served, channel).predict(timeout=30).outputs["score"].float_val[0] == 1

    with in_background(*[ask_by_health] * 4):
        ask_as_ever(served, 60)
    served.process.terminate()
    assert served.process.wait(30) == 0


def test_watches_that_are_not_read_hold_up_nobody(folder, tmp_path):
    folder = shutil.copytree(folder, tmp_path / "models")
    with Served(folder) as served, contextlib.ExitStack() as stack:
        peers = [stack.enter_context(RawPeer(served.address, window=0)) for _ in range(8)]
        for peer in peers:
            for _ in range(8):
                peer.call(WATCH, b"")
        ask_as_ever(served, 10)
        shutil.rmtree(folder / "walker/1")  # Has something to tell to all of them.
        plain = Plain(served, served.channel())
        with plain.channel:
            until(lambda: plain.serving() == NOT_SERVING)
        export(folder / "walker", 1)
        ask_as_ever_once_it_serves(served)
        served.process.terminate()
        assert served.process.wait(45) == 0


def test_watches_are_bounded(shared):
    channels = [shared.channel() for _ in range(5)]
    watches = [channel.unary_stream(WATCH)(b"", timeout=60) for channel in channels for _ in range(20)]
    codes = []
    for watch in watches:
        with contextlib.suppress(grpc.RpcError):
            assert health_pb2.HealthCheckResponse.FromString(next(watch)).status == SERVING
            continue
        codes.append(watch.code())
    assert codes == [grpc.StatusCode.RESOURCE_EXHAUSTED] * (100 - 64)
    for channel in channels:
        channel.close()
    with shared.channel() as channel:  # Those that went made room.
        until(lambda: health_pb2.HealthCheckResponse.FromString(next(channel.unary_stream(WATCH)(b""))).status)


def test_unknown_names_are_not_kept(served):
    ask_as_ever(served, 1)
    before = served.megabytes()
    request = health_pb2.HealthCheckRequest(service="x" * (20 << 20)).SerializeToString()
    for _ in range(30):
        with served.channel() as channel:
            watch = channel.unary_stream(WATCH)(request, timeout=30)
            assert health_pb2.HealthCheckResponse.FromString(next(watch)).status == 3
            watch.cancel()
            with pytest.raises(grpc.RpcError) as caught:
                channel.unary_unary(CHECK)(request, timeout=30)
            assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    assert served.megabytes() - before < 400  # of 1,200 sent


def test_messages_without_a_token_take_no_memory(folder):
    with Served(folder, TOKEN) as served:
        metadata = [("authorization", f"bearer {TOKEN}")]
        ask_as_ever(served, 1, metadata)
        before = served.megabytes()

        def send():
            with served.channel() as channel:
                channel.unary_unary(PREDICT)(bytes(31 << 20), timeout=30)

        with in_background(*[send] * 8):
            ask_as_ever(served, 20, metadata)
        assert served.megabytes("VmHWM") - before < 200


def test_many_large_messages_stay_within_the_bound(served):
    ask_as_ever(served, 1)
    before = served.megabytes()

    def send():
        with served.channel() as channel:
            channel.unary_unary(PREDICT)(bytes(31 << 20), timeout=30)

    with in_background(*[send] * 12):
        ask_as_ever(served, 8)
    assert served.megabytes("VmHWM") - before < 1000


SMALL_REQUESTS = {
    "no frames": ([69905, 0, 5, 3], "expected at least 4 frames, received 0"),
    "many rows": ([69905, 4, 5, 3], "at most 4,096 rows are taken at once"),
}


@pytest.mark.parametrize("case", SMALL_REQUESTS)
def test_a_small_request_that_asks_for_much_is_refused(served, case):
    shape, words = SMALL_REQUESTS[case]
    request = walks_request()
    request.inputs["skeletons"].Clear()
    request.inputs["skeletons"].dtype = 1
    for size in shape:
        request.inputs["skeletons"].tensor_shape.dim.add().size = size
    before = served.megabytes()
    with served.channel() as channel:
        for _ in range(50):
            with pytest.raises(grpc.RpcError, match=words):
                Plain(served, channel).predict(request)
    assert served.megabytes("VmHWM") - before < 100


def test_half_sent_messages_stay_within_the_bound(served):
    ask_as_ever(served, 1)
    before = served.megabytes()

    def half_send():
        with RawPeer(served.address, window=1 << 16) as peer:
            peer.call(PREDICT, bytes(20 << 20), size=31 << 20)
            peer.read()

    with in_background(*[half_send] * 12):
        ask_as_ever(served, 8)
    assert served.megabytes("VmHWM") - before < 1000


def test_calls_of_headers_alone_keep_nobody_waiting(shared):
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(RawPeer(shared.address)) for _ in range(8)]
        for peer in peers:
            for method in [PREDICT] * 50 + [CHECK] * 50:
                peer.call(method)
        ask_as_ever(shared, 20)


def test_answers_that_nobody_reads_stay_within_the_bound(served):
    ask_as_ever(served, 1)
    before = served.megabytes()
    request = walks_request(np.ones((4096, 4, 5, 3), np.float32)).SerializeToString()
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(RawPeer(served.address, window=0)).call(PREDICT, request)
        ask_as_ever(served, 10)
        assert served.megabytes("VmHWM") - before < 1000


def open_calls(served):
    with urllib.request.urlopen(f"http://127.0.0.1:{served.metrics_port[0]}/metrics") as page:
        return next(float(line.split()[1]) for line in page if line.startswith(b"agegait_calls "))


@pytest.mark.parametrize("method", [PREDICT, CHECK])
def test_many_answers_that_nobody_reads_lock_out_nobody(served, method):
    request = b"" if method == CHECK else walks_request().SerializeToString()
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            peer = stack.enter_context(RawPeer(served.address, window=0))
            for _ in range(120):
                peer.call(method, request)
        ask_as_ever(served, 10)
        until(lambda: 0 < open_calls(served) <= 256)  # Those of them that stay are few.


def field(number, content):
    """A field of bytes on the wire."""
    size, rest = b"", len(content)
    while rest > 127:
        size, rest = size + bytes([rest & 127 | 128]), rest >> 7
    return bytes([number << 3 | 2]) + size + bytes([rest]) + content


NAMED = field(1, field(1, b"walker"))
MANY = 5_000_000  # Of two bytes each.
MANY_FIELDS = {
    "dimensions": (PREDICT, NAMED + field(2, field(1, b"skeletons") + field(2, field(2, b"\x12\0" * MANY)))),
    "messages": (PREDICT, NAMED + field(2, field(1, b"skeletons") + field(2, b"\x72\0" * MANY))),
    "inputs": (PREDICT, NAMED + b"\x12\0" * MANY),
    "filters": (PREDICT, NAMED + b"\x1a\0" * MANY),
    "metadata": ("/tensorflow.serving.PredictionService/GetModelMetadata", NAMED + b"\x12\0" * MANY),
}


def test_messages_of_many_fields_are_refused_before_they_are_parsed(served):
    ask_as_ever(served, 1)
    before = served.megabytes()
    with served.channel() as channel:
        for method, message in MANY_FIELDS.values():
            with pytest.raises(grpc.RpcError, match="expected at most 16,384 fields") as caught:
                channel.unary_unary(method)(message, timeout=60)
            assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert served.megabytes("VmHWM") - before < 150


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_it_ends_whatever_its_callers_do(folder, number):
    with Served(folder) as served, contextlib.ExitStack() as stack:
        for _ in range(4):
            peer = stack.enter_context(RawPeer(served.address))
            for method in (WATCH, CHECK, PREDICT):
                for _ in range(20):
                    peer.call(method)
            with contextlib.suppress(OSError):  # The server may hang up on so many pings.
                for _ in range(200):
                    peer.ping()
        ask_as_ever(served, 1)
        served.process.send_signal(number)
        assert served.process.wait(60) == 0


def test_heavy_work_does_not_outlast_the_last_deadline(folder):
    with Served(folder, code=BUSY) as served:
        plain = Plain(served, served.channel())
        with plain.channel:
            working = plain.prediction.Predict.future(walks_request(), timeout=60)
            assert served.process.stdout.readline() == "at work\n"
            served.process.terminate()
            assert served.process.wait(60) == 1
            assert working.code() is not None


def test_a_model_that_never_loads_does_not_keep_it_from_ending(tmp_path):
    (tmp_path / "walker/1").mkdir(parents=True)
    os.mkfifo(tmp_path / "walker/1/saved_model.pb")
    with Served(tmp_path, code=SERVE + "print('over', flush=True)", ready=False) as served:
        assert served.process.wait(60) != 0  # Refused: no regular file.
