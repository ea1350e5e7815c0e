"""`agegait serve` in a process of its own."""

import json
import signal
import subprocess
import sys

from support.export_walker import until


class Command:
    """A server in a process of its own; `lines` is what it has written so far."""

    def __init__(self, folder, tmp_path, *options, port=0):
        self.written = tmp_path / "standard error"
        words = [sys.executable, "-m", "agegait", "serve", folder, "--port", port, *options]
        with self.written.open("w") as written:
            self.process = subprocess.Popen([str(word) for word in words], stderr=written)

    @property
    def lines(self):
        return self.written.read_text().splitlines()

    @property
    def said(self):
        """What its lines say, those of a JSON log among them."""
        return [json.loads(line).get("message", "") if line.startswith("{") else line for line in self.lines]

    def address(self):
        def announced():
            assert self.process.poll() is None, self.lines
            return any(line.startswith("serving ") for line in self.said)

        until(announced, 120)
        (line,) = [line for line in self.said if line.startswith("serving ")]
        return line.partition(" on ")[2].partition(";")[0].replace("0.0.0.0", "127.0.0.1")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            assert self.process.wait(60) == 0
        finally:
            self.process.kill()
