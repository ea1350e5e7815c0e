"""Latency and throughput of the gRPC server, beside the same SavedModels called in process in the same run.

From the caller's arrays to the caller's arrays, client, protobuf and loopback included; the server runs in a process of
its own, as `agegait serve` would. Both take turns, so that what a busy machine costs falls on both. Random weights and
walks: their values do not matter to the time. Five minutes on two cores; `--units 32 --seconds 1` tries it in one.
"""

import argparse
import contextlib
import importlib.metadata
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

import agegait
from agegait.export import save
from agegait.serving import Client

ROUNDS = 3
CONCURRENCY = (1, 8, 32)
BATCH = 64
TARGET_SHARE = 0.9
TARGET_MILLISECONDS = 1.5


class Case:
    """One kind of request: how it is served, and how the SavedModel is called in process."""

    def __init__(self, name, client, loaded, method, signature, skeletons):
        self.name = name
        self.rows = len(skeletons)
        self.served = lambda: getattr(client, method)(skeletons)
        function = loaded.signatures[signature]

        def in_process():
            outputs = function(skeletons=tf.constant(skeletons))
            return {name: tensor.numpy() for name, tensor in outputs.items()}

        self.in_process = in_process


def measure(work, concurrency, seconds):
    """The latency of each call, in seconds, and the calls a second, with so many callers at a time."""
    end = time.perf_counter() + seconds
    times = [[] for _ in range(concurrency)]

    def call(own):
        while not own or time.perf_counter() < end:
            began = time.perf_counter()
            work()
            own.append(time.perf_counter() - began)

    threads = [threading.Thread(target=call, args=(own,)) for own in times]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - began
    times = np.concatenate(times)
    return times, len(times) / wall


def compare(case, concurrency, seconds):
    """For both ways: median and 99th percentile in milliseconds, rows a second."""
    ways = case.in_process, case.served
    samples, rates = ([], []), ([], [])
    for work in ways:
        measure(work, concurrency, 0)
    for _ in range(ROUNDS):
        for way, work in enumerate(ways):
            times, rate = measure(work, concurrency, seconds / ROUNDS)
            samples[way].append(times)
            rates[way].append(rate)
    for times, rate in zip(samples, rates, strict=True):
        p50, p99 = 1000 * np.percentile(np.concatenate(times), (50, 99))
        yield p50, p99, case.rows * float(np.median(rate))


def models(options):
    keras.utils.set_random_seed(0)
    encoder = agegait.GaitEncoder(units=options.units)
    recognizer = agegait.GaitRecognizer(num_persons=options.persons)
    return agegait.GaitIdentifier(encoder, recognizer)


@contextlib.contextmanager
def server(folder, workers):
    """A server in a process of its own; its address."""
    made = f"Server({folder!r}, port=0, batching=Batching(workers={workers}))"
    code = f"from agegait.serving import Batching, Server; {made}.serve_forever(lambda s: print(s.address))"
    command = [sys.executable, "-u", "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=256, help="LSTM units of the encoder (default: %(default)s)")
    parser.add_argument("--persons", type=int, default=164, help="people of the recognizer (default: %(default)s)")
    parser.add_argument("--frames", type=int, default=36, help="frames of a walk (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="batches that the server runs at once (%(default)s)")
    parser.add_argument("--seconds", type=float, default=6.0, help="for each figure (default: %(default)s)")
    options = parser.parse_args()
    walks = np.random.default_rng(0).normal(0, 0.3, (BATCH, options.frames, 20, 3)).astype("float32")
    table = Table("request", "callers", "in process p50", "p99 ms", "rows/s", "served p50", "p99 ms", "rows/s", "share")
    shares, excesses = [], []
    with tempfile.TemporaryDirectory() as folder:
        saved = save(models(options), folder)
        loaded = {name: tf.saved_model.load(str(saved[name])) for name in ("encoder", "identifier")}
        with server(folder, options.workers) as address, Client(address, timeout=600) as client:
            windows = walks[:, :6]
            for case in (
                Case("1 window, encoded", client, loaded["encoder"], "encode", "encode", windows[:1]),
                Case("1 walk, identified", client, loaded["identifier"], "identify", "identify", walks[:1]),
                Case(f"{BATCH} windows, encoded", client, loaded["encoder"], "encode", "encode", windows),
                Case(f"{BATCH} walks, identified", client, loaded["identifier"], "identify", "identify", walks),
            ):
                for concurrency in CONCURRENCY:
                    alone, served = compare(case, concurrency, options.seconds)
                    share = served[2] / alone[2]
                    if case.rows == BATCH:
                        shares.append(share)
                    elif concurrency == 1:
                        excesses.append(served[0] - alone[0])
                    figures = (f"{figure:,.1f}" for figure in (*alone, *served))
                    table.add_row(case.name, str(concurrency), *figures, f"{100 * share:.0f} %")
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("tensorflow", "grpcio", "protobuf"))
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load}; Python {platform.python_version()}, {versions}")
    print(
        f"units {options.units}, {options.persons} people, walks of {options.frames} frames, "
        f"{options.workers} batches at once"
    )
    print(f"batches of {BATCH}: at least {100 * min(shares):.0f} % of in process (target: {100 * TARGET_SHARE:.0f} %)")
    print(f"one, alone: p50 at most {max(excesses):.2f} ms above in process (target: {TARGET_MILLISECONDS} ms)")


if __name__ == "__main__":
    main()
