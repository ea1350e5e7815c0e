"""What the server does when things go wrong: each fault is brought about over real sockets, each answer is checked.

The server runs in a process of its own, on a small identifier with random weights. An answer is right if it is what the
SavedModel gives in process for what was sent; any other answer, and any INTERNAL or UNKNOWN, is wrong. Prints a row a
fault and exits with 1 if one was not survived. Five minutes on two cores.
"""

import argparse
import collections
import contextlib
import importlib.metadata
import itertools
import json
import os
import platform
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import grpc
import keras
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

import agegait
from agegait.export import save
from agegait.serving import Client, ClientError

FRAMES, JOINTS, PERSONS = 4, 5, 7
SERVE = """
import json, logging, sys
from agegait.serving import Limits, ModelOptions, Server
logging.basicConfig(level=logging.INFO, format="%(message)s", filename=sys.argv[2])
given = {"port": 0, **json.loads(sys.argv[3])}
limits = Limits(**given.pop("limits", {}))
server = Server(ModelOptions(sys.argv[1], poll_seconds=0.1), limits=limits, **given)
server.serve_forever(lambda server: print(server.address, flush=True))
"""
Code = grpc.StatusCode
REFUSALS = {Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.FAILED_PRECONDITION, Code.UNIMPLEMENTED}
NO_RETRIES = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]


def identifier(seed):
    keras.utils.set_random_seed(seed)
    encoder = agegait.GaitEncoder(frames=FRAMES, joints=JOINTS, units=8, num_layers=1)
    return agegait.GaitIdentifier(encoder, agegait.GaitRecognizer(PERSONS, kernel_initializer="random_normal"))


class Place:
    """A folder with two exported versions, the second one aside, and what their models answer."""

    def __init__(self, root):
        self.root = Path(root)
        self.models = {}
        for version in (1, 2):
            saved = save(identifier(version), self.root / f"export-{version}")["identifier"]
            self.models[version] = tf.saved_model.load(str(saved))
            saved.rename(self.root / f"version-{version}")
        self.folders = itertools.count()

    def folder(self):
        """A fresh folder that serves version 1."""
        folder = self.root / f"served-{next(self.folders)}"
        shutil.copytree(self.root / "version-1", folder / "identifier/1")
        return folder

    def right(self, inputs, outputs, signature="serving_default", versions=(1,)):
        """Whether outputs are what one of the versions gives for these inputs."""
        tensors = {name: tf.constant(array) for name, array in inputs.items()}
        for version in versions:
            expected = self.models[version].signatures[signature](**tensors)
            if all(same(expected[name].numpy(), array) for name, array in outputs.items()):
                return True
        return False


def same(expected, received):
    if expected.dtype == object:
        return np.array_equal(expected, received)
    return expected.shape == received.shape and np.allclose(expected, received, rtol=1e-4, atol=1e-4)


class Served:
    """A server's process, and a plain client of it."""

    def __init__(self, folder, **options):
        self.folder, self.log = folder, folder.with_suffix(".log")
        command = [sys.executable, "-c", SERVE, str(folder), str(self.log), json.dumps(options)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()
        self.port = int(self.address.rpartition(":")[2])
        self.channel = grpc.insecure_channel(self.address, NO_RETRIES)
        self.predict = prediction_service_pb2_grpc.PredictionServiceStub(self.channel).Predict

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(60)
        self.process.stdout.close()

    def answers(self):
        """Status codes of Predict requests by the server's own log."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return collections.Counter(line["code"] for line in lines if line["method"] == "Predict")

    def megabytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def walks(rng, batch=None, frames=None):
    shape = (batch or rng.randint(1, 4), frames or rng.randint(FRAMES, 12), JOINTS, 3)
    return np.random.default_rng(rng.getrandbits(32)).normal(size=shape).astype(np.float32)


def request_for(skeletons, signature="serving_default", **inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "identifier"
    request.model_spec.signature_name = signature
    for name, array in {"skeletons": skeletons, **inputs}.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
    return request


def arrays(response):
    return {name: tf.make_ndarray(proto) for name, proto in response.outputs.items()}


def ask(place, served, skeletons, versions=(1,), **options):
    """The status of an honest request; WRONG if its answer is."""
    try:
        response = served.predict(request_for(skeletons), timeout=30, **options)
    except grpc.RpcError as error:
        return error.code().name
    return "OK" if place.right({"skeletons": skeletons}, arrays(response), versions=versions) else "WRONG"


def crowd(work, callers, until):
    """How often each result came from so many callers who ask again and again until told to stop."""
    results = [collections.Counter() for _ in range(callers)]

    def call(own, seed):
        rng = random.Random(seed)
        while not until.is_set():
            own[work(rng)] += 1

    threads = [threading.Thread(target=call, args=(own, seed)) for seed, own in enumerate(results)]
    for thread in threads:
        thread.start()
    yield
    until.set()
    for thread in threads:
        thread.join()
    yield sum(results, collections.Counter())


@contextlib.contextmanager
def load(work, callers=8):
    """Callers at work while the block runs; their results afterwards."""
    results, until = collections.Counter(), threading.Event()
    running = crowd(work, callers, until)
    next(running)
    try:
        yield results
    finally:
        results.update(next(running))


def told(results):
    return ", ".join(f"{count:,} {name}" for name, count in sorted(results.items()))


# Malformed requests


def mutated(rng, request):
    """Bytes that were a request, changed as a fuzzer would, or fields of it that make no sense."""
    if rng.random() < 0.5:
        raw = bytearray(request.SerializeToString())
        for _ in range(rng.randint(1, 8)):
            place = rng.randrange(len(raw) + 1)
            match rng.randrange(4):
                case 0:
                    raw[place : place + 1] = bytes([rng.randrange(256)])
                case 1:
                    del raw[place : place + rng.randint(1, 40)]
                case 2:
                    raw[place:place] = rng.randbytes(rng.randint(1, 20))
                case 3:
                    raw[place:place] = raw[rng.randrange(len(raw) + 1) :][:40]
        return bytes(raw)
    for _ in range(rng.randint(1, 3)):
        rng.choice(FIELDS)(rng, request)
    return request.SerializeToString()


def tensor(request):
    return request.inputs["skeletons"]


def odd(rng):
    return rng.choice([-(2**63), -1, 0, 1, 2, 3, 2**31, 2**40, 2**62, 2**63 - 1, rng.randrange(2**20)])


def set_dimension(rng, request):
    dims = tensor(request).tensor_shape.dim
    if dims:
        dims[rng.randrange(len(dims))].size = odd(rng)


def set_shape(rng, request):
    shape = tensor(request).tensor_shape
    del shape.dim[:]
    for _ in range(rng.choice([0, 1, 3, 4, 5, 255])):
        shape.dim.add().size = odd(rng)
    shape.unknown_rank = rng.random() < 0.3


def set_values(rng, request):
    proto = tensor(request)
    proto.tensor_content = b""
    extreme = [0.0, -0.0, 1e-45, 3.4e38, -3.4e38, float("inf"), float("nan"), rng.random()]
    proto.float_val.extend(rng.choices(extreme, k=rng.choice([0, 1, 59, 60, 61, 1000])))


FIELDS = [
    set_dimension,
    set_dimension,
    set_shape,
    set_values,
    set_values,
    lambda rng, request: setattr(tensor(request), "dtype", rng.randrange(130)),
    lambda rng, request: setattr(tensor(request), "tensor_content", rng.randbytes(rng.choice([0, 3, 240, 1000]))),
    lambda rng, request: tensor(request).int_val.extend([odd(rng) % 2**31]),
    lambda rng, request: request.inputs[rng.choice(["", "lengths", "x" * 5000])].CopyFrom(tensor(request)),
    lambda rng, request: request.inputs.pop("skeletons", None),
    lambda rng, request: setattr(request.model_spec, "signature_name", rng.choice(["", "padded", "windows", "é\0"])),
    lambda rng, request: setattr(
        request.model_spec, "name", rng.choice(["", "identifier", "../identifier", "x" * 9999])
    ),
    lambda rng, request: setattr(request.model_spec.version, "value", odd(rng)),
    lambda rng, request: setattr(request.model_spec, "version_label", rng.choice(["", "stable"])),
    lambda rng, request: request.output_filter.append(rng.choice(["logits", "score", "", "x"])),
    lambda rng, request: request.ClearField("model_spec"),
]
METHODS = {
    "PredictionService/Predict": predict_pb2.PredictRequest,
    "PredictionService/GetModelMetadata": get_model_metadata_pb2.GetModelMetadataRequest,
    "ModelService/GetModelStatus": get_model_status_pb2.GetModelStatusRequest,
    "ModelService/HandleReloadConfigRequest": None,
    "PredictionService/Classify": None,
}


def judged(place, served, rng):
    """What became of one malformed request: a status, or WRONG."""
    raw = mutated(rng, request_for(walks(rng, frames=FRAMES)))
    method = rng.choices(list(METHODS), (92, 2, 2, 2, 2))[0]
    try:
        answer = served.channel.unary_unary(f"/tensorflow.serving.{method}")(raw, timeout=60)
    except grpc.RpcError as error:
        return error.code().name if error.code() in REFUSALS else f"WRONG ({error.code().name})"
    if not method.endswith("/Predict"):
        return "OK"
    request, response = predict_pb2.PredictRequest.FromString(raw), predict_pb2.PredictResponse.FromString(answer)
    inputs = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
    outputs = arrays(response)
    finite = all(np.isfinite(array).all() for array in outputs.values() if array.dtype.kind == "f")
    wanted = set(request.output_filter) <= set(outputs)
    right = place.right(inputs, outputs, request.model_spec.signature_name or "serving_default")
    return "OK" if finite and wanted and right else "WRONG"


def malformed(place, options):
    """Malformed requests"""
    rng = random.Random(options.seed)
    with Served(place.folder(), limits={"max_elements": 100_000}) as served:
        results = collections.Counter(judged(place, served, rng) for _ in range(options.malformed))
        after = ask(place, served, walks(rng))
    fine = not any(name.startswith("WRONG") for name in results) and after == "OK"
    return fine, f"{told(results)}; an honest request afterwards: {after}"


# Memory


def memory(place, options):
    """Memory over many requests"""
    rng = random.Random(options.seed)
    with Served(place.folder()) as served, Client(served.address, timeout=60) as client:
        sizes = []

        def some(count):
            for number in range(count):
                match number % 5:
                    case 0:
                        with contextlib.suppress(ClientError):
                            client.identify(walks(rng, frames=FRAMES - 1))
                    case 1:
                        client.identify([walk for _ in range(3) for walk in walks(rng, 1)])
                    case _:
                        client.identify(walks(rng))

        some(options.requests // 10)
        began = served.megabytes()
        for _ in range(10):
            some(options.requests // 10)
            sizes.append(served.megabytes())
        after = ask(place, served, walks(rng))
    # The second half tells growth from what is made once.
    grown = sizes[-1] - sizes[4]
    text = f"{began:.0f} MB after the first tenth, then {', '.join(f'{size:.0f}' for size in sizes)}"
    return grown < options.megabytes and after == "OK", f"{options.requests:,} requests: {text}"


# Ends


def killed(place, options):
    """kill -9 under load, and a new start on the same port"""
    folder = place.folder()
    with Served(folder) as served:
        with load(lambda rng: ask(place, served, walks(rng))) as before:
            time.sleep(options.seconds)
            served.process.kill()
            served.process.wait()
        port = served.port
    with Served(folder, port=port) as served, load(lambda rng: ask(place, served, walks(rng))) as after:
        time.sleep(options.seconds)
    fine = set(before) <= {"OK", "UNAVAILABLE"} and set(after) == {"OK"}
    return fine, f"{told(before)}; after the start: {told(after)}"


def drained(place, options):
    """SIGTERM under load"""
    with Served(place.folder(), limits={"max_pending": 16}) as served:
        with load(lambda rng: ask(place, served, walks(rng, frames=300)), callers=12) as results:
            time.sleep(options.seconds)
            served.process.send_signal(signal.SIGTERM)
            status = served.process.wait(60)
        logged = served.answers()
    # CANCELLED is gRPC's own word for a call that came in the moment of the end, before anybody looked at it.
    fine = status == 0 and set(results) <= {"OK", "UNAVAILABLE", "CANCELLED"} and logged["OK"] == results["OK"] > 0
    return fine, f"exit {status}; {logged['OK']:,} answers made, {results['OK']:,} arrived; {told(results)}"


# Versions


def versions(place, options):
    """Versions that do not load, half-written ones, a good one at last"""
    folder = place.folder()
    with Served(folder) as served:
        states = model_service_pb2_grpc.ModelServiceStub(served.channel).GetModelStatus
        question = get_model_status_pb2.GetModelStatusRequest()
        question.model_spec.name = "identifier"
        with load(lambda rng: ask(place, served, walks(rng), versions=(1, 2))) as results:
            broken = folder / "identifier/2"
            broken.mkdir()
            (broken / "saved_model.pb").write_bytes(b"no model")
            time.sleep(options.seconds / 2)
            reported = {one.version: one.status.error_message for one in states(question).model_version_status}
            shutil.rmtree(broken)
            # File by file, and each in two parts, as a slow copy would.
            for source in sorted((place.root / "version-2").rglob("*")):
                target = broken / source.relative_to(place.root / "version-2")
                if source.is_dir():
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                content = source.read_bytes()
                with target.open("wb") as file:
                    file.write(content[: len(content) // 2])
                    file.flush()
                    time.sleep(0.3)
                    file.write(content[len(content) // 2 :])
            end = time.monotonic() + 120  # of a busy machine
            while (
                time.monotonic() < end
                and served.predict(request_for(walks(random.Random(0)))).model_spec.version.value != 2
            ):
                time.sleep(0.1)
        last = ask(place, served, walks(random.Random(0)), versions=(2,))
    fine = set(results) == {"OK"} and bool(reported.get(2)) and last == "OK"
    return fine, f"{told(results)}; version 2 was reported and then served: {last}"


# Callers


def crowded(place, options):
    """More callers than the queue takes"""
    slowest = [0.0]

    def call(rng):
        began = time.monotonic()
        result = ask(place, served, walks(rng, frames=60))
        if result == "RESOURCE_EXHAUSTED":
            slowest[0] = max(slowest[0], time.monotonic() - began)
            time.sleep(0.01)
        return result

    with Served(place.folder(), limits={"max_pending": 4}) as served, load(call, callers=40) as results:
        time.sleep(options.seconds)
    fine = set(results) == {"OK", "RESOURCE_EXHAUSTED"}
    return fine, f"{told(results)}; the slowest refusal took {1000 * slowest[0]:.0f} ms"


def rude(place, options):
    """Callers who say nothing, say half, hang up, or never read"""
    never = threading.Event()

    def silence():
        never.wait()
        yield b""

    with Served(place.folder(), limits={"request_seconds": 2.0 * options.seconds}) as served:
        raw = request_for(walks(random.Random(0), batch=64, frames=500)).SerializeToString()
        sockets, calls = [], []
        channel = grpc.insecure_channel(served.address, NO_RETRIES)
        with load(lambda rng: ask(place, served, walks(rng)), callers=4) as results:
            for number in range(100):
                calls.append(channel.stream_unary("/tensorflow.serving.PredictionService/Predict").future(silence()))
                connection = socket.create_connection(("127.0.0.1", served.port))
                connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + random.Random(number).randbytes(number))
                sockets.append(connection)
                left = served.channel.unary_unary("/tensorflow.serving.PredictionService/Predict").future(
                    raw, timeout=60
                )
                left.cancel()
            time.sleep(options.seconds)
            for connection in sockets[::2]:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                connection.close()
            time.sleep(2 * options.seconds)
            let_go = collections.Counter(call.code().name for call in calls)
        never.set()
        for connection in sockets[1::2]:
            connection.close()
        channel.close()
        after = ask(place, served, walks(random.Random(1)))
    fine = set(results) == {"OK"} and set(let_go) == {"CANCELLED"} and after == "OK"
    return fine, f"meanwhile {told(results)} for others; 100 silent calls ended: {told(let_go)}; afterwards: {after}"


FAULTS = (malformed, memory, killed, drained, versions, crowded, rude)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--malformed", type=int, default=10_000, help="malformed requests (default: %(default)s)")
    parser.add_argument("--requests", type=int, default=20_000, help="requests for memory (default: %(default)s)")
    parser.add_argument("--megabytes", type=float, default=8, help="that it may grow by (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=3.0, help="of load for the others (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=[fault.__name__ for fault in FAULTS], action="append")
    options = parser.parse_args()
    table = Table("fault", "survived", "seen", show_lines=True)
    fine = True
    with tempfile.TemporaryDirectory() as root:
        place = Place(root)
        for fault in FAULTS:
            if not options.only or fault.__name__ in options.only:
                survived, seen = fault(place, options)
                table.add_row(fault.__doc__, "yes" if survived else "NO", seen)
                fine &= survived
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("tensorflow", "grpcio", "protobuf"))
    print(f"{platform.machine()}, {os.cpu_count()} cores; Python {platform.python_version()}, {versions}")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
