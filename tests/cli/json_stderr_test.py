"""What `agegait serve --log` writes to standard error: JSON lines alone, whoever writes them."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import grpc
import pytest
from support.export_walker import export, walks_request
from tensorflow_serving.apis import prediction_service_pb2_grpc

from agegait.cli.json_lines_writer import wrap

NATIVE = b'E0000 00:00:1700000000.123456    1234 chttp2_server.cc:12] no "port"\n'


def run(code):
    code = f"import os, sys\nfrom agegait.cli.json_stderr import json_stderr\nwith json_stderr() as stream:\n{code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120)
    return done.returncode, done.stderr.decode()


def test_lines_of_all_are_json():
    status, told = run(
        f"    os.write(2, {NATIVE!r})\n"
        "    print('a\\x1b[31m word', file=sys.stderr)\n"
        '    print(\'{"level": "INFO"}\', file=stream)\n'
        "    os.write(2, b'\\xff' * 3000 + b'\\n' + b'x' * 300_000 + b'\\n\\nend')\n"
        "    sys.stderr.write('')\n"
    )
    lines = [json.loads(line) for line in told.splitlines()]
    assert status == 0
    assert {"level": "INFO"} in lines
    by_message = {line["message"]: line for line in lines if "message" in line}
    native = by_message['no "port"']
    assert (native["level"], native["logger"], native["source"]) == ("ERROR", "native", "chttp2_server.cc:12")
    assert by_message["a\x1b[31m word"]["logger"] == "stderr"
    assert "end" in by_message
    assert all(len(line) < 4096 for line in told.splitlines())


def test_the_last_words_of_a_crash_are_told():
    status, told = run(f"    os.write(2, {NATIVE!r})\n    os.abort()\n")
    assert status == -signal.SIGABRT
    assert [json.loads(line)["message"] for line in told.splitlines()] == ['no "port"']


def test_an_error_after_it_is_plain():
    status, told = run("    os.write(2, b'x\\n')\nprint('agegait: wrong', file=sys.stderr)\n")
    first, last = told.splitlines()
    assert (status, json.loads(first)["message"], last) == (0, "x", "agegait: wrong")


@pytest.mark.parametrize(
    ("line", "level", "message"),
    [
        ("2026-11-28 09:00:00.123456: W tensorflow/core/x.cc:12] slow", "WARNING", "slow"),
        ("I0000 00:00:1.2 7 a.cc:1] b", "INFO", "b"),
        ("F1128 09:00:00.1 7 a.cc:1] b", "CRITICAL", "b"),
        ("[1, 2]", "WARNING", "[1, 2]"),
        ("{", "WARNING", "{"),
        ("Error: x", "WARNING", "Error: x"),
    ],
)
def test_prefixes_are_understood(line, level, message):
    told = json.loads(wrap(line))
    assert (told["level"], told["message"]) == (level, message)


@pytest.mark.slow
def test_a_server_writes_json_lines_alone(tmp_path):
    base = tmp_path / "models/walker"
    base.mkdir(parents=True)
    export(base, 1)
    environment = {**os.environ, "GRPC_VERBOSITY": "debug", "GRPC_TRACE": "http"}
    command = [sys.executable, "-m", "agegait", "serve", base.parent, "--port", "0", "--log", "requests"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, text=True)
    lines = []
    with process, contextlib.ExitStack() as stack:
        stack.callback(process.kill)
        for text in process.stderr:
            lines.append(json.loads(text))
            if lines[-1].get("message", "").startswith("ready on "):
                break
        with grpc.insecure_channel(lines[-1]["message"].removeprefix("ready on ")) as channel:
            prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(walks_request(), timeout=60)
        process.send_signal(signal.SIGTERM)
        end = time.monotonic() + 60
        for text in process.stderr:
            lines.append(json.loads(text))
            assert time.monotonic() < end
        assert process.wait(60) == 0
    assert [line["code"] for line in lines if "method" in line] == ["OK"]
    assert any(line.get("logger") == "native" for line in lines)
    messages = [line["message"] for line in lines if line.get("logger") == "agegait.serving"]
    assert any(message.startswith("SIGTERM: draining") for message in messages)
    assert messages[-1] == "stopped"
