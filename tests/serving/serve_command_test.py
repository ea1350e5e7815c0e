"""`agegait serve` as an operator runs it: what it warns of, whom it lets in and what its log says."""

import json

import numpy as np
import pytest
from support.certificates import Authority
from support.export_walker import FRAMES, JOINTS, export, until
from support.serve_command import Command

from agegait.serving import Client
from agegait.serving.client import client_errors

pytestmark = pytest.mark.slow

ANNA, BOB = "a" * 32, "b" * 32
WALK = np.ones((FRAMES, JOINTS, 3), np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    (folder / "walker").mkdir()
    export(folder / "walker", 1)
    return folder


def test_open_doors_are_printed_once_each(folder, tmp_path):
    (tmp_path / "tokens").write_text(f"anna: {ANNA}")
    (tmp_path / "tokens").chmod(0o644)
    options = ("--host=0.0.0.0", f"--token-file={tmp_path / 'tokens'}", "--metrics-port=0")
    with Command(folder, tmp_path, *options) as command:
        command.address()
        warned = [line for line in command.lines if not line.startswith("serving ")]
    starts = ("host: other machines", "token: it travels", "metrics_port: port", "token_file: other users")
    assert [line.partition(": ")[0] for line in warned] == ["warning"] * len(starts), warned
    for line, start in zip(warned, starts, strict=True):
        assert line.startswith(f"warning: {start}")


def test_closed_doors_are_no_news_and_tokens_and_certificates_rotate(folder, tmp_path):
    authority, tokens = Authority(tmp_path), tmp_path / "tokens"
    authority.sign("server", days=90)
    tokens.touch(0o600)
    tokens.write_text(f"anna: {ANNA}\n")
    pair = (f"--tls-cert={tmp_path / 'server.pem'}", f"--tls-key={tmp_path / 'server.key'}")
    options = ("--host=0.0.0.0", f"--token-file={tokens}", "--log=requests", *pair)

    def ask(token):
        with Client(address, timeout=60, token=token, tls_ca=tmp_path / "ca.pem") as client:
            return client.identify(WALK, "walker")[0].person

    with Command(folder, tmp_path, *options) as command:
        address = command.address()
        assert ask(ANNA) == "1"
        with pytest.raises(client_errors.UnauthenticatedError):
            ask(BOB)
        authority.sign("server", days=90)
        tokens.write_text(f"bob: {BOB}\n")

        def bob_is_let_in():
            try:
                return ask(BOB) == "1"
            except client_errors.UnauthenticatedError:
                return False

        until(bob_is_let_in, 60)
        with pytest.raises(client_errors.UnauthenticatedError):
            ask(ANNA)
        lines = [json.loads(line) for line in command.lines if line.startswith("{")]
    assert [line for line in lines if line["level"] == "WARNING"] == []
    callers = [line["caller"] for line in lines if line.get("code") == "OK"]
    assert callers == ["anna", "bob"]
    messages = {line.get("message") for line in lines}
    assert {"TLS files were renewed", "tokens were renewed: 1 tokens"} <= messages
    assert ANNA not in command.written.read_text()
    assert BOB not in command.written.read_text()
