import logging
import os
import shutil
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from support.certificates import Authority

from agegait.serving.server import tls
from agegait.serving.server.open_doors import Doors, is_loopback, open_doors
from agegait.serving.server.tls import FollowedTlsFiles, server_credentials
from agegait.serving.server.tls_files import TlsFiles
from agegait.serving.server.tokens import Tokens


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("authority"))
    authority.sign("server", days=90)
    authority.sign("renewed", days=90)
    authority.sign("expired", days=-1, since=9)
    authority.sign("future", days=90, since=-2)
    authority.sign("short", days=13)
    authority.sign("locked", password=b"sesame")
    return authority


class Renewal:
    """The files of a server, which another pair is copied over."""

    def __init__(self, authority, folder):
        self.authority, self.cert, self.key = authority, folder / "tls.pem", folder / "tls.key"
        self("server")

    def __call__(self, name, kinds=("key", "pem")):
        for kind in kinds:
            aside = self.cert.with_name("aside")
            shutil.copy(self.authority.folder / f"{name}.{kind}", aside)
            aside.rename(self.cert if kind == "pem" else self.key)


@pytest.fixture
def renew(authority, tmp_path):
    return Renewal(authority, tmp_path)


@pytest.fixture
def serving(authority, renew):
    """Asks a gRPC server for its certificate's name."""
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_secure_port("127.0.0.1:0", server_credentials(TlsFiles(renew.cert, renew.key)))
    server.start()

    def name():
        context = ssl.create_default_context(cafile=authority.folder / "ca.pem")
        context.set_alpn_protocols(["h2"])
        with (
            socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
        ):
            return dict(name for (name,) in secure.getpeercert()["subject"])["commonName"]

    yield name
    server.stop(None).wait()


def lines(caplog):
    return [(record.levelname, record.getMessage()) for record in caplog.records]


def test_a_renewed_certificate_serves(serving, renew, caplog):
    with caplog.at_level(logging.INFO, "agegait.serving"):
        assert serving() == "server"
        renew("renewed")
        assert serving() == "renewed"
    assert lines(caplog) == [("INFO", "TLS files were renewed")]


def _a_folder(renew):
    renew.key.unlink()
    renew.key.mkdir()


def _a_pipe(renew):
    renew.cert.unlink()
    os.mkfifo(renew.cert)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda renew: renew("renewed", ("pem",)), "MISMATCH"),
        (lambda renew: renew("expired"), "expected a certificate that is valid now"),
        (lambda renew: renew("future"), "expected a certificate that is valid now"),
        (lambda renew: renew("locked"), "without a pass phrase"),
        (lambda renew: renew.cert.write_text("-----BEGIN CERTIFICATE-----\nnonsense"), "cert: expected a certificate"),
        (lambda renew: renew.cert.write_text(""), "expected a PEM file"),
        (lambda renew: renew.key.unlink(), "No such file"),
        (_a_folder, "key: "),
        (_a_pipe, "expected an ordinary file"),
    ],
)
def test_a_bad_renewal_keeps_what_served_and_is_logged_once(serving, renew, caplog, spoil, words):
    spoil(renew)
    with caplog.at_level(logging.INFO, "agegait.serving"):
        assert [serving(), serving(), serving()] == ["server"] * 3
    ((level, message),) = lines(caplog)
    assert level == "ERROR"
    assert message.startswith("renewed TLS files can't be used, those before stay: ")
    assert words in message


def test_after_a_bad_renewal_a_good_one_serves(serving, renew):
    renew("expired")
    assert serving() == "server"
    renew("renewed")
    assert serving() == "renewed"


def test_a_certificate_that_is_about_to_expire_is_warned_of_daily(renew, caplog, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(tls.time, "monotonic", lambda: now[0])
    renew("short")
    files = FollowedTlsFiles(TlsFiles(renew.cert, renew.key))
    with caplog.at_level(logging.WARNING, "agegait.serving"):
        for hour in range(100):
            now[0] = hour * 3600.0
            assert not files.follow()
    assert len(lines(caplog)) == 4
    assert all("a certificate in" in message and "expires on" in message for _, message in lines(caplog))


def test_a_renewed_certificate_that_is_about_to_expire_is_warned_of(renew, caplog):
    files = FollowedTlsFiles(TlsFiles(renew.cert, renew.key))
    renew("short")
    with caplog.at_level(logging.WARNING, "agegait.serving"):
        assert files.follow()
    assert "expires on" in caplog.text


@pytest.mark.parametrize("client_ca", ["server.key", "words"])
def test_authorities_that_are_none_are_refused(authority, client_ca, tmp_path):
    (authority.folder / "words").write_text("-----BEGIN CERTIFICATE-----")
    with pytest.raises(ValueError, match=r"^client_ca: expected certificates in PEM"):
        TlsFiles(authority.folder / "server.pem", authority.folder / "server.key", authority.folder / client_ca)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "::ffff:127.0.0.1"])
def test_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "::", "192.0.2.1", "::ffff:0.0.0.0", "no.such.host.invalid", "x" * 300]
)
def test_not_loopback(host):
    assert not is_loopback(host)


def pair(authority, name="server", client_ca=None):
    return TlsFiles(authority.folder / f"{name}.pem", authority.folder / f"{name}.key", client_ca)


TOKENS = Tokens.single(32 * "x")


def tokens_in(secret):
    secret.touch(0o600)
    secret.write_text(f"anna: {32 * 'x'}\n")
    return Tokens.from_file(secret)


def test_nothing_to_warn_of(authority, tmp_path):
    tokens, mutual = tokens_in(tmp_path / "tokens"), pair(authority, client_ca=authority.folder / "ca.pem")
    assert open_doors(Doors("127.0.0.1", plain_ports={"metrics_port": 9090}, allow_reload=True)) == []
    assert open_doors(Doors("0.0.0.0", pair(authority), tokens, allow_reload=True)) == []
    assert open_doors(Doors("::", mutual, allow_reload=True, plain_ports={"rest_port": None})) == []


@pytest.mark.parametrize(
    ("doors", "starts"),
    [
        ({}, ["host: other machines reach 0.0.0.0, and there is no TLS", "host: whoever reaches 0.0.0.0 may ask"]),
        (
            {"tokens": TOKENS},
            ["host: other machines reach 0.0.0.0, and there is no TLS", "token: it travels in the clear"],
        ),
        (
            {"allow_reload": True},
            ["host: other", "host: whoever", "allow_reload: whoever reaches the server may run code here"],
        ),
        ({"tokens": TOKENS, "allow_reload": True}, ["host: other", "token: it travels"]),
        (
            {"tokens": TOKENS, "plain_ports": {"metrics_port": 9090, "rest_port": 8501}},
            ["host: other", "token: it", "metrics_port: port 9090 is plain HTTP", "rest_port: port 8501 is plain HTTP"],
        ),
    ],
)
def test_open_doors_on_a_network(doors, starts):
    found = open_doors(Doors("0.0.0.0", **doors))
    assert len(found) == len(starts)
    for warning, start in zip(found, starts, strict=True):
        assert warning.startswith(start)


@pytest.mark.parametrize(
    ("name", "words"), [("expired", "has expired on"), ("future", "is not valid before"), ("short", "expires on")]
)
def test_certificates_are_warned_of_anywhere(authority, name, words):
    (found,) = open_doors(Doors("127.0.0.1", pair(authority, name)))
    assert found.startswith("cert: a certificate in ")
    assert words in found


def test_secrets_that_others_read_are_warned_of(authority, tmp_path):
    secret = tmp_path / "tokens"
    tokens = tokens_in(secret)
    for mode, warned in ((0o600, False), (0o400, False), (0o640, True), (0o604, True), (0o602, True)):
        secret.chmod(mode)
        assert bool(open_doors(Doors("127.0.0.1", tokens=tokens))) == warned
    assert open_doors(Doors("127.0.0.1", tokens=tokens)) == [
        f"token_file: other users of this machine can read {secret}: chmod go= {secret}"
    ]


def test_a_group_may_read_what_another_user_gave_it(tmp_path, monkeypatch):
    secret = tmp_path / "tokens"
    tokens = tokens_in(secret)
    secret.chmod(0o440)
    assert len(open_doors(Doors("127.0.0.1", tokens=tokens))) == 1
    monkeypatch.setattr(os, "geteuid", lambda: secret.stat().st_uid + 1)
    assert open_doors(Doors("127.0.0.1", tokens=tokens)) == []
