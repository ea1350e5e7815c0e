import asyncio
import contextlib
import json
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FieldDescriptor
from grpc_health.v1 import health_pb2
from hypothesis import given, settings, strategies as st
from support.budget import examples
from support.export_walker import Gate, Plain, refused, walks_request
from support.small_identifier import FRAMES, JOINTS, PERSONS, UNITS
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import prediction_service_pb2, status_pb2

from agegait.serving import AnswerPolicy, AsyncClient, Client, ClientError, Limits, Server, TlsFiles, wire_pb2
from agegait.serving.client import client_errors, retries, walks
from agegait.serving.credentials import read_token
from agegait.serving.tensors import FLOAT, KINDS, STRING, decode, encode
from agegait.serving.wire_pb2 import PackedTensor, TensorProto


def noise(*shape):
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


@pytest.fixture
def identifier(small_identifier):
    return small_identifier


@pytest.fixture(scope="module")
def exported(small_export):
    return small_export


@pytest.fixture(scope="module")
def server(exported):
    with Server(exported, port=0, limits=Limits(max_elements=100_000)) as server:
        yield server


@pytest.fixture(scope="module")
def client(server):
    with Client(server.address, timeout=20) as client:
        yield client


def check(found, identifier, walks):
    assert len(found) == len(walks)
    for one, walk in zip(found, walks, strict=True):
        expected = identifier(walk[None])
        np.testing.assert_allclose(one.logits, expected["logits"][0], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(one.probabilities, expected["probabilities"][0], rtol=1e-5, atol=1e-5)
        assert one.person == PERSONS[np.argmax(expected["logits"][0])]
        assert one.score == pytest.approx(float(np.max(expected["probabilities"][0])), rel=1e-5)


def test_one_walk(client, identifier):
    walk = noise(11, JOINTS, 3)
    check(client.identify(walk), identifier, [walk])
    check(client.identify([walk.tolist()]), identifier, [walk])


def test_walks_of_one_length(client, identifier):
    walks = noise(3, 9, JOINTS, 3)
    check(client.identify(walks), identifier, walks)


def test_walks_of_many_lengths_and_more_than_one_request(client, identifier):
    walks = [noise(FRAMES + number % 5, JOINTS, 3) + number for number in range(40)]
    check(client.identify(walks), identifier, walks)


def test_long_walks_are_sent_apart(monkeypatch):
    monkeypatch.setattr(walks, "MAX_VALUES", 10 * JOINTS * 3)
    lengths = [4, 4, 6, 20, 3, 7]
    requests = walks.walk_requests([noise(length, JOINTS, 3) for length in lengths], "identifier")
    shapes = [[dim.size for dim in request.inputs["skeletons"].tensor_shape.dim[:2]] for request, _ in requests]
    assert shapes == [[2, 4], [1, 6], [1, 20], [1, 3], [1, 7]]


def test_windows_are_encoded(client, identifier):
    windows = noise(3, FRAMES, JOINTS, 3)
    expected = identifier.encoder(identifier.normalization(windows))
    received = client.encode(windows)
    assert set(received) == {"ages", "attention", "reconstruction", "fault"}
    assert received.pop("fault").tolist() == [b""] * 3
    for name, array in received.items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-5, atol=1e-5)
    assert client.encode(windows[0])["ages"].shape == (1, FRAMES, 3 * UNITS)


def test_status_and_metadata(client):
    assert [(one.version, one.state, one.error) for one in client.status("encoder")] == [(1, "AVAILABLE", "")]
    signatures = client.metadata()
    assert set(signatures) == {"serving_default", "identify", "padded", "windows", "resampled"}
    assert signatures["padded"].inputs["skeletons"] == ("float32", (-1, -1, JOINTS, 3))
    assert signatures["padded"].inputs["lengths"] == ("int32", (-1,))
    assert signatures["padded"].outputs["person"] == ("string", (-1,))


@pytest.mark.parametrize(
    ("skeletons", "words"),
    [
        ([], "expected at least one walk, received none"),
        (noise(9, JOINTS), r"expected walks \[T, J, 3\] .* received \[5\] as walk 0"),
        (noise(9, JOINTS, 2), r"received \[9, 5, 2\] as walk 0"),
        ([noise(9, JOINTS, 3), noise(9, 4, 3)], r"of the same joints, received \[9, 4, 3\] as walk 1"),
        (["walk"], "skeletons: expected arrays of numbers"),
        (np.full((9, JOINTS, 3), 1e300), "NaN or infinity in walk 0"),
        ([noise(9, JOINTS, 3), np.full((9, JOINTS, 3), np.nan)], "NaN or infinity in walk 1"),
    ],
)
def test_wrong_walks_are_not_sent(client, skeletons, words):
    with pytest.raises(ValueError, match=words):
        client.identify(skeletons)


@pytest.mark.parametrize("windows", [noise(4, JOINTS), noise(1, 4, JOINTS, 2), np.full((4, JOINTS, 3), np.inf)])
def test_wrong_windows_are_not_sent(client, windows):
    with pytest.raises(ValueError, match="windows: expected finite windows"):
        client.encode(windows)


@pytest.mark.parametrize(
    ("ask", "error", "status", "words"),
    [
        (
            lambda client: client.identify(noise(3, JOINTS, 3)),
            client_errors.InvalidRequestError,
            grpc.StatusCode.INVALID_ARGUMENT,
            "expected at least 4 frames, received 3",
        ),
        (
            lambda client: client.identify(noise(9, 7, 3)),
            client_errors.InvalidRequestError,
            grpc.StatusCode.INVALID_ARGUMENT,
            "received [1, 9, 7, 3]",
        ),
        (
            lambda client: client.status("m"),
            client_errors.NotFoundError,
            grpc.StatusCode.NOT_FOUND,
            "any versions of model m",
        ),
        (
            lambda client: client.metadata("m"),
            client_errors.NotFoundError,
            grpc.StatusCode.NOT_FOUND,
            "Latest(m)",
        ),
    ],
)
def test_refusals_are_typed(client, ask, error, status, words):
    with pytest.raises(error) as caught:
        ask(client)
    assert isinstance(caught.value, ClientError)
    assert caught.value.status == status
    assert words in caught.value.details
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, client_errors.OverloadedError),
        (grpc.StatusCode.DEADLINE_EXCEEDED, client_errors.DeadlineError),
        (grpc.StatusCode.DATA_LOSS, ClientError),
    ],
)
def test_every_status_has_an_error(code, error):
    class RpcError(grpc.RpcError):
        def code(self):
            return code

        def details(self):
            return "words"

    assert type(client_errors.client_error(RpcError())) is error


@pytest.fixture
def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_nobody_there(free_port, monkeypatch):
    monkeypatch.setattr(retries, "PATIENCE_SECONDS", 0.5)
    with Client(f"127.0.0.1:{free_port}", timeout=20) as client, pytest.raises(client_errors.UnavailableError):
        client.identify(noise(9, JOINTS, 3))


@pytest.mark.slow
def test_a_model_that_loads_is_waited_for(exported, identifier, free_port, monkeypatch):
    gate = Gate(monkeypatch)  # It holds the warm-up, the encoder's first: the identifier has not been looked at.
    server, walk, found = Server(exported, port=free_port), noise(9, JOINTS, 3), []

    def ask():
        with Client(server.address, timeout=60, wait=True) as client:
            found.extend(client.identify(walk))

    # One asks before the server listens, one while its model loads.
    askers = [threading.Thread(target=ask), threading.Thread(target=ask)]
    askers[0].start()
    starting = threading.Thread(target=server.start)
    starting.start()
    try:
        assert gate.entered.acquire(timeout=60)
        for version in (None, 1, 2):
            with Plain(server).channel as channel, refused(grpc.StatusCode.UNAVAILABLE, "Servable is loading: "):
                request = walks_request(version=version)
                request.model_spec.name = "identifier"
                Plain(server, channel).predict(request)
        with Client(server.address, timeout=20) as client, pytest.raises(client_errors.NotFoundError):
            client.identify(walk, "nobody")
        with (
            Client(server.address, timeout=2) as client,
            pytest.raises((client_errors.UnavailableError, client_errors.DeadlineError)),
        ):
            client.identify(walk)
        askers[1].start()
        gate.opened.set()
        for thread in (*askers, starting):
            thread.join(60)
        check(found, identifier, [walk, walk])
    finally:
        gate.opened.set()
        starting.join(60)
        server.stop()


def test_no_answer_in_time():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        target = f"127.0.0.1:{silent.getsockname()[1]}"
        with Client(target, timeout=0.3) as client, pytest.raises(client_errors.DeadlineError):
            client.identify(noise(9, JOINTS, 3))


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED])
def test_a_server_that_is_not_there_for_a_moment_is_asked_again(code):
    attempts = []

    def answer(request, context):
        attempts.append(request)
        if len(attempts) < 3:
            context.abort(code, "not yet")
        return b""

    handler = grpc.unary_unary_rpc_method_handler(answer)
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("tensorflow.serving.ModelService", {"GetModelStatus": handler})]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with Client(f"127.0.0.1:{port}", timeout=20) as client:
            assert client.status() == []
    finally:
        server.stop(None).wait()
    assert len(attempts) == 3


def test_asyncio(server, identifier):
    walks = [noise(9, JOINTS, 3), noise(6, JOINTS, 3)]

    async def ask():
        async with AsyncClient(server.address, timeout=20) as client:
            found, encoded, status, metadata = await asyncio.gather(
                client.identify(walks), client.encode(walks[0][:FRAMES]), client.status(), client.metadata()
            )
            with pytest.raises(client_errors.NotFoundError, match=r"Latest\(m\)"):
                await client.identify(walks, model="m")
        return found, encoded, status, metadata

    found, encoded, status, metadata = asyncio.run(ask())
    check(found, identifier, walks)
    assert encoded["ages"].shape == (1, FRAMES, 3 * UNITS)
    assert status[0].state == "AVAILABLE"
    assert "padded" in metadata


def test_ready(server, client):
    assert client.ready()
    assert client.ready("live")
    with pytest.raises(client_errors.NotFoundError):
        client.ready("nobody")

    async def ask():
        async with AsyncClient(server.address, timeout=20) as asking:
            return await asking.ready()

    assert asyncio.run(ask())


def test_a_token_from_a_file(tmp_path):
    file = tmp_path / "token"
    file.write_text("sesame\n")
    assert read_token("token_file", file) == "sesame"
    file.write_text("# named\nann: sesame\nbob: poppy\n")
    assert read_token("token_file", file) == "sesame"
    file.write_text("open sesame")
    with pytest.raises(ValueError, match="token_file: expected `name: token` or a token in line 1"):
        read_token("token_file", file)
    file.write_text("# none\n")
    with pytest.raises(ValueError, match=r"token_file: expected a token, .* holds none"):
        read_token("token_file", file)
    with pytest.raises(ValueError, match=r"token_file: .* can't be read: No such file"):
        read_token("token_file", tmp_path / "nowhere")


def test_token(exported):
    with Server(exported / "recognizer", port=0, token="sesame-open-sesame") as server:
        with Client(server.address, token="sesame-open-sesame") as client:
            assert client.status("recognizer")[0].version == 1
        with Client(server.address) as client, pytest.raises(client_errors.UnauthenticatedError):
            client.status("recognizer")
    with pytest.raises(ValueError, match="token: expected visible ASCII"):
        Client("127.0.0.1:1", token="open sesame")


@pytest.fixture(scope="module")
def pems(tmp_path_factory):
    """An authority, and a server's and a client's certificate that it signed."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl to make certificates")
    folder = tmp_path_factory.mktemp("pems")

    def run(*arguments):
        subprocess.run([openssl, *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "rsa:2048", "-nodes")
    run("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority", "-days", "2")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost")
    for name in ("server", "client", "renewed"):
        run("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
        run("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *signed)
    return folder


def test_tls(exported, pems):
    tls = TlsFiles(pems / "server.pem", pems / "server.key")
    with Server(exported / "recognizer", port=0, tls=tls) as server:
        with Client(server.address, tls_ca=pems / "ca.pem") as client:
            assert client.status("recognizer")[0].version == 1
        for options in ({}, {"tls": True}):
            with (
                Client(server.address, timeout=1.5, **options) as client,
                pytest.raises(client_errors.UnavailableError),
            ):
                client.status("recognizer")


def certificate_of(server, pems):
    context = ssl.create_default_context(cafile=pems / "ca.pem")
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        return dict(name for (name,) in secure.getpeercert()["subject"])["commonName"]


def test_renewed_certificates_are_taken_up_and_half_a_renewal_is_not(exported, pems, tmp_path):
    def renew(kind, name):
        shutil.copy(pems / f"{name}.{kind}", tmp_path / f"tls.{kind}")

    renew("pem", "server")
    renew("key", "server")
    tls = TlsFiles(tmp_path / "tls.pem", tmp_path / "tls.key")
    with Server(exported / "recognizer", port=0, tls=tls) as server:
        assert certificate_of(server, pems) == "server"
        renew("pem", "renewed")
        assert certificate_of(server, pems) == "server"
        renew("key", "renewed")
        assert certificate_of(server, pems) == "renewed"


def test_a_certificate_and_another_ones_key_are_refused(pems):
    files = pems / "server.pem", pems / "client.key"
    with pytest.raises(ValueError, match=r"^cert: expected a certificate and its private key .*MISMATCH"):
        TlsFiles(*files)
    with pytest.raises(ValueError, match=r"^tls_cert: expected a certificate and its private key .*MISMATCH"):
        Client("127.0.0.1:1", tls_cert=files[0], tls_key=files[1])


def test_mutual_tls(exported, pems):
    tls = TlsFiles(pems / "server.pem", pems / "server.key", pems / "ca.pem")
    with Server(exported / "recognizer", port=0, tls=tls) as server:
        own = {"tls_cert": pems / "client.pem", "tls_key": pems / "client.key"}
        with Client(server.address, tls_ca=pems / "ca.pem", **own) as client:
            assert client.status("recognizer")[0].version == 1
        with (
            Client(server.address, timeout=1.5, tls_ca=pems / "ca.pem") as client,
            pytest.raises(client_errors.UnavailableError),
        ):
            client.status("recognizer")


def test_half_of_tls_is_refused(tmp_path):
    with pytest.raises(ValueError, match="tls: expected both tls_cert and tls_key"):
        Client("127.0.0.1:1", tls_cert=tmp_path / "cert.pem")
    with pytest.raises(ValueError, match=r"tls_ca: .* can't be read"):
        Client("127.0.0.1:1", tls_ca=tmp_path / "ca.pem")
    (tmp_path / "ca.pem").write_text("words")
    with pytest.raises(ValueError, match="tls_ca: expected a PEM file"):
        Client("127.0.0.1:1", tls_ca=tmp_path / "ca.pem")


LIGHT = """
import json, pathlib, re, sys, time
start = time.process_time()
from agegait.serving import AnswerPolicy, AsyncClient, Client
seconds = time.process_time() - start
heavy = sorted({"tensorflow", "keras", "tensorflow_serving"} & set(sys.modules))
status = pathlib.Path("/proc/self/status")
peak = re.search(r"VmHWM:\\s*(\\d+) kB", status.read_text()) if status.exists() else None
print(json.dumps([seconds, int(peak[1]) / 1024 if peak else 0, heavy]))
"""


def test_importing_the_client_is_light():
    done = subprocess.run([sys.executable, "-c", LIGHT], check=True, capture_output=True, text=True)
    seconds, megabytes, heavy = json.loads(done.stdout)
    assert heavy == []
    assert seconds < 0.5
    assert megabytes < 80


THEIRS = {
    "tensorflow": {"TensorShapeProto", "TensorProto", "TensorInfo", "SignatureDef"},
    "tensorflow.serving": {
        *("SignatureDefMap", "ModelSpec", "PredictRequest", "GetModelMetadataRequest", "GetModelMetadataResponse"),
        *("GetModelStatusRequest", "GetModelStatusResponse", "StatusProto", "ModelVersionStatus"),
    },
    "grpc.health.v1": {"HealthCheckRequest", "HealthCheckResponse"},
}


def test_the_clients_messages_are_tensorflow_servings():
    def kind(field):
        # On the wire an enumeration is a number.
        return FieldDescriptor.TYPE_INT32 if field.type == FieldDescriptor.TYPE_ENUM else field.type

    assert prediction_service_pb2.DESCRIPTOR
    assert status_pb2.DESCRIPTOR
    assert health_pb2.DESCRIPTOR
    for name, message in wire_pb2.DESCRIPTOR.message_types_by_name.items():
        if name.startswith("Packed"):
            continue
        package = next(package for package, names in THEIRS.items() if name in names)
        theirs = descriptor_pool.Default().FindMessageTypeByName(f"{package}.{name}")
        for field in message.fields:
            their = theirs.fields_by_number[field.number]
            assert (field.name, field.type, field.is_repeated) == (their.name, kind(their), their.is_repeated)
            if field.message_type:
                assert field.message_type.name == their.message_type.name
                assert field.message_type.GetOptions().map_entry == their.message_type.GetOptions().map_entry


def test_packed_messages_have_the_numbers_of_tensorflows():
    for packed, name in (
        (PackedTensor, "tensorflow.TensorProto"),
        (wire_pb2.PackedResponse, "tensorflow.serving.PredictResponse"),
    ):
        theirs = descriptor_pool.Default().FindMessageTypeByName(name).fields_by_number
        for field in packed.DESCRIPTOR.fields:
            assert field.name == theirs[field.number].name


numeric = st.sampled_from(sorted(set(KINDS) - {STRING}))
shapes = st.lists(st.integers(0, 4), max_size=4)


@settings(max_examples=examples(100), deadline=None)
@given(number=numeric, shape=shapes, seed=st.integers(0, 99))
def test_tensors_round_trip_and_are_tensorflows(number, shape, seed):
    dtype = KINDS[number].dtype
    array = np.random.default_rng(seed).integers(0, 100, shape).astype(dtype)
    for kind in (TensorProto, PackedTensor):
        proto = kind()
        encode(array, proto)
        raw = proto.SerializeToString()
        for message in (proto, PackedTensor.FromString(raw), tensor_pb2.TensorProto.FromString(raw)):
            received = decode(message, 1000)
            assert received.dtype == dtype
            np.testing.assert_array_equal(received, array)


def test_values_that_are_not_packed_are_not_taken_for_zeros():
    proto = TensorProto(dtype=FLOAT)
    proto.tensor_shape.dim.add().size = 2
    unpacked = b"\x2d\x00\x00\x80?" * 2  # field 5, twice 1.0, each with a tag of its own
    raw = proto.SerializeToString() + unpacked
    np.testing.assert_array_equal(decode(TensorProto.FromString(raw), 10), [1, 1])
    with pytest.raises(ValueError, match="float_val is not packed"):
        decode(PackedTensor.FromString(raw), 10)


@pytest.mark.parametrize("kind", [TensorProto, PackedTensor, tensor_pb2.TensorProto])
def test_unknown_fields_beside_values_are_skipped(kind):
    proto = TensorProto(dtype=FLOAT, float_val=[1, 2])
    proto.tensor_shape.dim.add().size = 2
    unknown = b"\xba\x3e\x05hello" + b"\xc0\x3e\x07"  # fields 999 and 1000
    for raw in (proto.SerializeToString() + unknown, unknown + proto.SerializeToString()):
        np.testing.assert_array_equal(decode(kind.FromString(raw), 10), [1, 2])


@pytest.mark.parametrize("kind", [TensorProto, PackedTensor, tensor_pb2.TensorProto])
def test_packed_values_may_come_in_parts(kind):
    parts = [TensorProto(float_val=[number, number + 1]).SerializeToString() for number in (1, 3)]
    proto = TensorProto(dtype=FLOAT)
    proto.tensor_shape.dim.add().size = 4
    np.testing.assert_array_equal(
        decode(kind.FromString(proto.SerializeToString() + b"".join(parts)), 10), [1, 2, 3, 4]
    )


@settings(max_examples=examples(200), deadline=None)
@given(
    dtype=st.integers(0, 30),
    shape=st.lists(st.integers(-2, 2**62), max_size=5),
    content=st.binary(max_size=50),
    floats=st.lists(st.floats(width=32), max_size=20),
    ints=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=20),
    strings=st.lists(st.binary(max_size=5), max_size=20),
)
def test_any_tensor_is_read_or_refused(dtype, shape, content, floats, ints, strings):
    proto = TensorProto(dtype=dtype, tensor_content=content, float_val=floats, int_val=ints, string_val=strings)
    for size in shape:
        proto.tensor_shape.dim.add().size = size
    with contextlib.suppress(ValueError):  # And nothing else.
        array = decode(proto, 1000)
        assert list(array.shape) == shape
        assert array.dtype == KINDS[dtype].dtype


def test_clients_may_be_shared_by_threads(client, identifier):
    walks, results = noise(8, 9, JOINTS, 3), {}
    threads = [
        threading.Thread(target=lambda i=i: results.update({i: client.identify(walks[i])})) for i in range(len(walks))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check([results[i][0] for i in range(len(walks))], identifier, walks)


def test_answers_may_be_held_back_to_the_best_person(exported):
    answers = AnswerPolicy(top_only=True, score_digits=2)
    with (
        Server(exported / "identifier", port=0, answers=answers) as server,
        Client(server.address, timeout=20) as client,
    ):
        (found,) = client.identify(noise(9, JOINTS, 3))
        assert (found.logits, found.probabilities) == (None, None)
        assert found.score == pytest.approx(round(found.score, 2), abs=1e-7)
        signatures = client.metadata()
        assert "windows" not in signatures
        assert {"logits", "probabilities", "persons"}.isdisjoint(signatures["identify"].outputs)
        with pytest.raises(client_errors.InvalidRequestError, match="tells the best person alone"):
            client.stream(every=1).add(noise(JOINTS, 3))


@pytest.mark.parametrize("digits", [0, 10])
def test_scores_have_some_decimal_places(digits):
    with pytest.raises(ValueError, match=f"score_digits: expected 1 to 9, received {digits}"):
        AnswerPolicy(score_digits=digits)
