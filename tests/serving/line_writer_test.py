"""A log that nobody reads keeps nobody waiting."""

import io
import logging
import subprocess
import sys
import threading

import grpc
import pytest
from support.export_walker import Plain, export

from agegait.serving.server import line_writer
from agegait.serving.server.line_writer import LineWriter

SERVE = """
import sys
from agegait.serving import Server
from agegait.serving.server.json_log import log_json
log_json(True)
server = Server(sys.argv[1], port=0, token="a-token-of-some-length")
server.serve_forever(lambda server: print(server.address, flush=True))
"""
TOKEN = [("authorization", "Bearer a-token-of-some-length")]


@pytest.mark.slow
def test_a_server_whose_log_nobody_reads_answers_and_ends(tmp_path):
    (tmp_path / "walker").mkdir()
    export(tmp_path / "walker", 1)
    command = [sys.executable, "-c", SERVE, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().strip()
        with grpc.insecure_channel(address) as channel:
            plain = Plain(None, channel)
            for _ in range(1000):  # Refused on gRPC's event thread, which logs each: more than a pipe holds.
                with pytest.raises(grpc.RpcError):
                    plain.predict(timeout=60)
            assert plain.predict(timeout=60, metadata=TOKEN).outputs["score"].float_val[0] == 1
        process.terminate()
        assert process.wait(60) == 0


class Stuck(io.StringIO):
    """Takes nothing until it may."""

    def __init__(self):
        super().__init__()
        self.entered, self.may = threading.Event(), threading.Event()

    def write(self, text):
        self.entered.set()
        self.may.wait()
        return super().write(text)


def test_lines_without_room_are_dropped_and_counted(monkeypatch):
    monkeypatch.setattr(line_writer, "_MOST_LINES", 3)
    stream = Stuck()
    writer = LineWriter(stream)
    log = logging.Logger("line_writer_test")
    log.addHandler(writer)
    log.info("first")
    assert stream.entered.wait(60)
    for number in range(5):
        log.info("line %d", number)
    stream.may.set()
    writer.flush()
    assert stream.getvalue().splitlines() == [
        *["first", "line 0", "line 1", "line 2"],
        "2 lines were dropped: the log is read too slowly",
    ]


def test_a_stream_that_is_gone_hurts_nobody():
    stream = io.StringIO()
    writer = LineWriter(stream)
    stream.close()
    log = logging.Logger("line_writer_test")
    log.addHandler(writer)
    log.info("a line")
    writer.flush()
    log.info("another")
    writer.flush()
    # Whatever a thread raises, pytest reports.
