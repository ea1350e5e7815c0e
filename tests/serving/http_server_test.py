import contextlib
import http.client
import random
import shutil
import socket
import ssl
import subprocess
import threading
from collections import Counter

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from support.export_walker import until

from agegait.serving.server import http_server
from agegait.serving.server.http_connections import HttpConnections
from agegait.serving.server.http_limits import HttpLimits
from agegait.serving.server.http_server import HttpServer
from agegait.serving.server.tls_contexts import TlsContexts
from agegait.serving.server.tls_files import TlsFiles

LONG = 60.0


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """A server that hears sooner that it is to stop."""
    monkeypatch.setattr(http_server, "_TICK_SECONDS", 0.02)


async def size(request):
    return PlainTextResponse(str(len(await request.body())))


async def echo(request):
    return Response(await request.body())


async def large(request):
    return PlainTextResponse("x" * 20_000_000)


async def broken(request):
    raise ValueError("secret")


APP = Starlette(
    routes=[
        Route("/size", size, methods=["GET", "POST"]),
        Route("/large", large),
        Route("/echo", echo, methods=["POST"]),
        Route("/broken", broken),
    ]
)
HEADERS = b"POST /size HTTP/1.1\r\nhost: x\r\n"


class Served:
    def __init__(self, server, refused):
        self.server, self.refused = server, refused

    def ask(self, method="GET", path="/size", body=None, context=None, connection=None):
        asked = connection or self.connect(context)
        try:
            asked.request(method, path, body)
            answer = asked.getresponse()
            return answer.status, answer.read()
        finally:
            if connection is None:
                asked.close()

    def connect(self, context=None):
        if context is None:
            return http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        return http.client.HTTPSConnection("127.0.0.1", self.server.port, timeout=20, context=context)

    def send(self, data=b"", count=1):
        """Raw connections that sent so much and are still there."""
        connections = [socket.create_connection(("127.0.0.1", self.server.port), timeout=20) for _ in range(count)]
        for connection in connections:
            connection.sendall(data)
        return connections

    def answer(self, data):
        [connection] = self.send(data)
        with connection:
            return b"".join(iter(lambda: connection.recv(1 << 16), b""))


@contextlib.contextmanager
def serving(tls=None, **limits):
    refused = Counter()
    patient = {"header_seconds": LONG, "body_seconds": LONG, "request_seconds": LONG, "idle_seconds": LONG}
    server = HttpServer(
        APP,
        "127.0.0.1",
        0,
        limits=HttpLimits(**{**patient, **limits}),
        tls=tls,
        on_refused=lambda reason: refused.update([reason]),
    )
    server.start()
    try:
        yield Served(server, refused)
    finally:
        server.stop(0)


def close(connections):
    for connection in connections:
        connection.close()


def test_answers_and_keeps_connections():
    with serving() as served:
        connection = served.connect()
        assert served.ask(connection=connection) == (200, b"0")
        assert served.ask("POST", body=b"x" * 3_000_000, connection=connection) == (200, b"3000000")
        assert served.ask("POST", body=iter([b"x" * 1000] * 50), connection=connection) == (200, b"50000")
        assert served.ask(path="/large", connection=connection)[1] == b"x" * 20_000_000
        connection.close()
        until(lambda: served.server.connections == 0)


def test_a_failure_is_told_to_nobody(caplog):
    with serving() as served:
        status, body = served.ask(path="/broken")
        assert status == 500
        assert b"secret" not in body
        assert b"Traceback" not in body
        assert served.ask() == (200, b"0")
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "sent", [b"", b"GET /size HT", HEADERS + b"content-length: 9\r\n\r\nab", HEADERS + b"a: b\r\n"]
)
def test_idle_and_half_sent_connections_lock_nobody_out(sent):
    with serving(connections=12, per_peer=8) as served:
        flood = served.send(sent, 100)
        assert [served.ask() for _ in range(20)] == [(200, b"0")] * 20
        assert served.server.connections <= 8
        assert served.refused["connections"] >= 92
        close(flood)
        until(lambda: served.server.connections == 0)


def test_a_flood_that_goes_on_locks_nobody_out():
    with serving(connections=256, per_peer=128) as served:
        ended = threading.Event()

        def flood():
            kept = []
            while not ended.is_set():
                with contextlib.suppress(OSError):
                    kept += served.send(b"POST /size HTTP/1.1\r\n")
                close(kept[:-200])
                del kept[:-200]
            close(kept)

        callers = [threading.Thread(target=flood) for _ in range(2)]
        for caller in callers:
            caller.start()
        try:
            answers = [served.ask("POST", body=b"x" * 10_000) for _ in range(50)]
        finally:
            ended.set()
            for caller in callers:
                caller.join()
        assert answers == [(200, b"10000")] * 50


@pytest.mark.parametrize(
    ("sent", "limit", "reason"),
    [
        (b"", "header_seconds", "late_headers"),
        (HEADERS, "header_seconds", "late_headers"),
        (HEADERS + b"content-length: 9\r\n\r\nab", "body_seconds", "late_body"),
        (b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n", "request_seconds", "late_work"),
        (b"GET /size HTTP/1.1\r\nhost: x\r\n\r\n", "idle_seconds", None),
    ],
)
def test_each_phase_has_its_time(sent, limit, reason, monkeypatch):
    monkeypatch.setattr("agegait.serving.server.http_connection._GOODBYE_SECONDS", 0.0)
    with serving(**{limit: 0.3}) as served:
        connections = served.send(sent)
        until(lambda: served.server.connections == 1)
        until(lambda: served.server.connections == 0)
        assert served.refused == ({} if reason is None else {reason: 1})
        close(connections)


def test_dripping_headers_win_no_time():
    with serving(header_seconds=0.5) as served:
        [connection] = served.send(b"GET /size HTTP/1.1\r\n")

        def closed():
            try:
                connection.sendall(b"a: b\r\n")
            except OSError:
                return True
            return False

        until(closed)
        connection.close()
        assert served.refused["late_headers"] == 1


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET /size HTTP/1.1\r\nhost: x\r\n" + b"a" * 100_000,
        HEADERS + b"transfer-encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 5000,
        HEADERS + b"content-length: -1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_no_http_is_refused(sent):
    with serving() as served:
        with contextlib.suppress(ConnectionResetError):
            assert served.answer(sent).startswith(b"HTTP/1.1 400 ")
        until(lambda: served.refused["malformed"] == 1)
        assert served.ask() == (200, b"0")


def test_a_taken_port_is_named():
    with serving() as served, pytest.raises(OSError, match=r"rest_port: can't listen on 127.0.0.1, port \d+: Address"):
        HttpServer(APP, "127.0.0.1", served.server.port, argument="rest_port").start()


@pytest.mark.parametrize("host", ["localhost", "::1"])
def test_other_hosts(host):
    server = HttpServer(APP, host, 0)
    try:
        server.start()
    except OSError:
        pytest.skip("no such address here")
    try:
        connection = http.client.HTTPConnection(host, server.port, timeout=20)
        assert Served(server, None).ask(connection=connection) == (200, b"0")
        connection.close()
    finally:
        server.stop(0)


def test_stop_ends_in_time_whatever_callers_do():
    with serving() as served:
        connections = served.send(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n", 3)
        connections += served.send(HEADERS + b"content-length: 9\r\n\r\n", 3) + served.send(b"", 3)
        until(lambda: served.server.connections == 9)
        served.server.stop(0.2)
        assert served.server.connections == 0
        close(connections)
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("agegait-http")]


def test_a_network_of_ipv6_is_one_peer():
    class Known:
        def __init__(self, peer):
            self.peer, self.aborted = peer, False

        def abort(self):
            self.aborted = True

    connections = HttpConnections(HttpLimits(connections=10, per_peer=2), lambda reason: None)
    known = [Known(f"2001:db8::{number}") for number in range(3)]
    other = Known("2001:db8:1::1")
    for one in (other, *known):
        assert connections.admit(one)
        connections.waits(one)
    assert [one.aborted for one in (other, *known)] == [False, True, False, False]
    for one in known[1:]:
        connections.works(one)
    assert not connections.admit(Known("2001:db8::9"))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("first", "second"):
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt", "-days", "2"]
        command += ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run(command, check=True, capture_output=True)
    return folder


def trust(certificates, name, client=None):
    context = ssl.create_default_context(cafile=certificates / f"{name}.crt")
    if client is not None:
        context.load_cert_chain(certificates / f"{client}.crt", certificates / f"{client}.key")
    return context


def copy(certificates, name, folder):
    for end in ("crt", "key"):
        shutil.copy(certificates / f"{name}.{end}", folder / f"served.{end}")


def test_tls_is_renewed_and_bad_files_change_nothing(certificates, tmp_path):
    copy(certificates, "first", tmp_path)
    with serving(TlsContexts(TlsFiles(tmp_path / "served.crt", tmp_path / "served.key"))) as served:
        assert served.ask("POST", body=b"x" * 300_000, context=trust(certificates, "first")) == (200, b"300000")
        assert served.ask(path="/large", context=trust(certificates, "first"))[0] == 200
        sent = random.Random(0).randbytes(3_000_000)
        for cut in (len(sent), 300_000, 20_000, 5000, 100):
            assert served.ask("POST", "/echo", sent[:cut], trust(certificates, "first")) == (200, sent[:cut])
        (tmp_path / "served.crt").write_text("half of a ren")
        assert served.ask(context=trust(certificates, "first")) == (200, b"0")
        copy(certificates, "second", tmp_path)
        assert served.ask(context=trust(certificates, "second")) == (200, b"0")
        with pytest.raises(ssl.SSLCertVerificationError):
            served.ask(context=trust(certificates, "first"))
        until(lambda: served.server.connections == 0)


def test_mutual_tls(certificates):
    files = (certificates / f"first.{end}" for end in ("crt", "key"))
    with serving(TlsContexts(TlsFiles(*files, certificates / "second.crt"))) as served:
        assert served.ask(context=trust(certificates, "first", "second")) == (200, b"0")
        with pytest.raises(OSError):  # noqa: PT011
            served.ask(context=trust(certificates, "first"))
        with pytest.raises(OSError):  # noqa: PT011
            served.ask(context=trust(certificates, "first", "first"))


def test_callers_who_never_shake_hands_lock_nobody_out(certificates):
    files = (certificates / f"first.{end}" for end in ("crt", "key"))
    with serving(TlsContexts(TlsFiles(*files)), connections=12, per_peer=8) as served:
        flood = served.send(b"", 30) + served.send(b"\x16\x03\x01", 30) + served.send(b"GET / HTTP/1.1\r\n", 30)
        assert [served.ask(context=trust(certificates, "first")) for _ in range(5)] == [(200, b"0")] * 5
        close(flood)
        until(lambda: served.server.connections == 0)


def test_a_handshake_has_its_time(certificates):
    files = (certificates / f"first.{end}" for end in ("crt", "key"))
    with serving(TlsContexts(TlsFiles(*files)), header_seconds=0.3) as served:
        connections = served.send(b"", 3)
        until(lambda: served.server.connections == 3)
        until(lambda: served.server.connections == 0)
        close(connections)
