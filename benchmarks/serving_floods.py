"""What other callers notice while strangers flood the server, how long SIGTERM takes, and the memory.

`agegait serve` runs in a process of its own, on a small identifier with random weights, and the floods of
`http2_floods.py` in four more, all on the same machine. Meanwhile three ordinary callers send a request every 50 ms: a
gRPC caller on one connection, a caller of the REST API, and a liveness probe that opens a connection each time, as
orchestrators do. None of them sends a request again. SIGTERM is sent while the flood goes on. Prints a row a flood.
Three minutes on two cores.
"""

import argparse
import collections
import contextlib
import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import grpc
import keras
import numpy as np
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rich.console import Console
from rich.table import Table

import agegait
from agegait.export import save
from agegait.serving import wire_pb2
from agegait.serving.tensors import encode

FLOODS = ("none", "SETTINGS", "PING", "WINDOW_UPDATE", "unread")
SENDERS = 4
FRAMES, JOINTS, PERSONS = 4, 5, 7
WALK = np.random.default_rng(0).normal(0, 0.3, (1, FRAMES, JOINTS, 3)).astype("float32")
PAUSE = 0.05
"""Seconds from a caller's answer to its next request."""

DEADLINE = 10.0
"""Seconds of a request."""

OWN_CHANNEL = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]


class Served:
    """`agegait serve` in a process of its own."""

    def __init__(self, folder):
        self.rest_port = free_port()
        words = ["serve", str(folder), "--port", "0", "--rest-port", str(self.rest_port)]
        log = Path(folder) / "standard-error.txt"  # no pipe, which would fill up
        with log.open("w") as written:
            self.process = subprocess.Popen([sys.executable, "-m", "agegait", *words], stderr=written)
        while not (found := re.search(r"^serving .* on (\S+);", log.read_text(), re.MULTILINE)):
            if self.process.poll() is not None:
                raise SystemExit(f"agegait serve: expected it to start, received:\n{log.read_text()}")
            time.sleep(0.1)
        self.address = found[1]

    def megabytes(self, field):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition(field)[2].split()[0]) / 1024

    def end(self):
        """Seconds that SIGTERM takes, and the exit status."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(90)
        return time.monotonic() - began, self.process.poll()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as there:
        return there.getsockname()[1]


def message():
    request = wire_pb2.PredictRequest()
    request.model_spec.name = "identifier"
    encode(WALK, request.inputs["skeletons"])
    return request.SerializeToString()


class Caller(threading.Thread):
    """Sends a request again and again; `seconds` and `results` are those of its requests."""

    def __init__(self, ask, until):
        super().__init__()
        self.ask, self.until = ask, until
        self.seconds, self.results = [], collections.Counter()

    def run(self):
        while not self.until.is_set():
            began = time.monotonic()
            self.results[self.ask()] += 1
            self.seconds.append(time.monotonic() - began)
            time.sleep(PAUSE)

    def __str__(self):
        p50, longest = 1000 * np.median(self.seconds), max(self.seconds)
        failed = ", ".join(f"{count} {name}" for name, count in sorted(self.results.items()) if name != "OK")
        return f"{p50:.0f} ms, {longest:.2f} s; {failed or 'none'} of {len(self.seconds)}"


def by_grpc(channel):
    predict = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    request = message()

    def ask():
        try:
            predict(request, timeout=DEADLINE)
        except grpc.RpcError as error:
            return error.code().name
        return "OK"

    return ask


def by_rest(port):
    address = f"http://127.0.0.1:{port}/v1/models/identifier:predict"
    body = json.dumps({"instances": WALK.tolist()}).encode()

    def ask():
        try:
            with urllib.request.urlopen(urllib.request.Request(address, body), timeout=DEADLINE) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            return str(error.code)
        except OSError as error:
            return type(error).__name__
        return "OK"

    return ask


def by_probe(address):
    def ask():
        with grpc.insecure_channel(address, OWN_CHANNEL) as channel:
            try:
                health_pb2_grpc.HealthStub(channel).Check(
                    health_pb2.HealthCheckRequest(service="live"), timeout=DEADLINE
                )
            except grpc.RpcError as error:
                return error.code().name
        return "OK"

    return ask


@contextlib.contextmanager
def flooded(kind, address, options):
    """Floods the server while the block runs; gives a list with an entry for each connection."""
    made = []
    if kind == "none":
        yield made
        return
    command = [sys.executable, str(Path(__file__).with_name("http2_floods.py")), kind, address]
    command += ["--connections", str(options.connections // SENDERS), "--calls", str(options.calls)]
    senders = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for _ in range(SENDERS)
    ]
    readers = [threading.Thread(target=made.extend, args=(sender.stdout,)) for sender in senders]
    for sender, reader in zip(senders, readers, strict=True):
        sender.stdin.write(message())
        sender.stdin.close()
        reader.start()
    try:
        yield made
    finally:
        for sender, reader in zip(senders, readers, strict=True):
            sender.kill()
            sender.wait()
            reader.join()
            sender.stdout.close()


def row(kind, folder, options):
    """A row of the table."""
    with Served(folder) as served, grpc.insecure_channel(served.address, OWN_CHANNEL) as channel:
        until = threading.Event()
        asks = by_grpc(channel), by_rest(served.rest_port), by_probe(served.address)
        for ask in asks:
            ask()
        before = served.megabytes("VmRSS:")
        with flooded(kind, served.address, options) as made:
            callers = [Caller(ask, until) for ask in asks]
            for caller in callers:
                caller.start()
            time.sleep(options.seconds)
            until.set()
            for caller in callers:
                caller.join()
            peak, count = served.megabytes("VmHWM:"), len(made)
            seconds, status = served.end()
    return kind, f"{count:,}", *map(str, callers), f"{seconds:.1f} s; {status}", f"{peak - before:.0f} MB"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="of each flood (default: %(default)s)")
    parser.add_argument("--connections", type=int, default=200, help="with unread answers (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=128, help="of each of them (default: %(default)s)")
    parser.add_argument("--only", choices=FLOODS, action="append", help="floods to try (default: all)")
    options = parser.parse_args()
    table = Table(
        "flood",
        "connections",
        "gRPC: p50, max; failed",
        "REST: p50, max; failed",
        "liveness: p50, max; failed",
        "SIGTERM; exit",
        "memory",
        show_lines=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        keras.utils.set_random_seed(0)
        encoder = agegait.GaitEncoder(frames=FRAMES, joints=JOINTS, units=8, num_layers=1)
        save(agegait.GaitIdentifier(encoder, agegait.GaitRecognizer(PERSONS)), folder)
        for kind in options.only or FLOODS:
            table.add_row(*row(kind, folder, options))
    Console(width=None if sys.stdout.isatty() else 200).print(table)
    versions = ", ".join(f"{name} {version(name)}" for name in ("tensorflow", "grpcio", "protobuf"))
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load}; Python {platform.python_version()}, {versions}")
    print(f"{SENDERS} processes flood for {options.seconds:g} s; memory: the peak, less that before the flood")


if __name__ == "__main__":
    main()
