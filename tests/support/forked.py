"""Python processes that start at once: forked from one that has imported TensorFlow, which takes seconds each time.

They are processes of their own as `subprocess` starts them: with their own memory, signals, arguments, environment,
folder and streams. What a process does as it imports is not to be seen in them, nor variables that are read then.
"""

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from subprocess import DEVNULL, PIPE, TimeoutExpired

__all__ = ["DEVNULL", "PIPE", "Popen", "TimeoutExpired", "run"]  # it may stand in for `subprocess`

# The child leaves the loop, and runs as the main program would. Its parent never does anything but fork and wait.
_PARENT = """
import gc, json, os, runpy, select, socket, sys
import grpc, keras, tensorflow, tensorflow_datasets
import agegait, agegait.cli.commands, tfds_builders
agegait.evaluation.evaluate, agegait.export.save, agegait.serving.Server, agegait.training.train
gc.collect()
gc.freeze()
asking, ended, asked = socket.socket(fileno=int(sys.argv[1])), {}, None
while asked is None:
    if select.select([asking], [], [], 0.02 if ended else None)[0]:
        message, streams, _, _ = socket.recv_fds(asking, 1 << 20, 4)
        if not message:
            sys.exit()
        if child := os.fork():
            ended[child] = streams.pop()
            asking.send(str(child).encode())
            for stream in streams:
                os.close(stream)
        else:
            asked = json.loads(message)
    while asked is None and ended:
        child, status = os.waitpid(-1, os.WNOHANG)
        if not child:
            break
        os.write(ended[child], str(os.waitstatus_to_exitcode(status)).encode())
        os.close(ended.pop(child))
asking.close()
for own in [*ended.values(), streams.pop()]:
    os.close(own)
for number, stream in enumerate(streams):
    os.dup2(stream, number)
    os.close(stream)
sys.stdin = open(0, closefd=False)
sys.stdout = open(1, "w", closefd=False)
sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)
os.chdir(asked["cwd"])
os.environ.clear()
os.environ.update(asked["env"])
sys.path[1:1] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
kind, sys.argv = asked["words"][0], asked["words"][1:]
if kind == "-c":
    code, sys.argv[0] = sys.argv[0], "-c"
    sys.path[0] = ""
    exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
elif kind == "-m":
    sys.path[0] = asked["cwd"]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
else:
    sys.argv.insert(0, kind)
    sys.path[0] = os.path.dirname(kind)
    runpy.run_path(kind, run_name="__main__")
"""


class _Parent:
    """The process that forks, one of each worker's."""

    def __init__(self):
        self.lock = threading.Lock()
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-c", _PARENT, str(theirs.fileno())]
            # No graphics card: its driver is not to be used on both sides of a fork.
            environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
            # What TensorFlow says as it is imported is not of the test that happens to come first.
            self.process = _start(command, env=environment, stderr=DEVNULL, pass_fds=[theirs.fileno()])
        atexit.register(self.end)

    def fork(self, asked, streams):
        with self.lock:
            socket.send_fds(self.socket, [json.dumps(asked).encode()], streams)
            return int(self.socket.recv(100))

    def end(self):
        self.socket.close()
        self.process.wait()


_parents = []
_start = subprocess.Popen  # which a test may replace by the class below


class Popen:
    """What tests use of `subprocess.Popen`, for commands that start with `sys.executable`."""

    def __init__(self, command, cwd=None, env=None, stdin=DEVNULL, stdout=None, stderr=None, text=False):
        python, *words = map(str, command)
        assert python == sys.executable
        if not _parents:
            _parents.append(_Parent())
        self.args, self.returncode, self.stdin, self.stdout, self.stderr = command, None, None, None, None
        with contextlib.ExitStack() as given:
            streams = []
            for number, (name, stream) in enumerate({"stdin": stdin, "stdout": stdout, "stderr": stderr}.items()):
                if stream == PIPE:
                    ends = os.pipe()
                    ours, stream = ends if number else reversed(ends)
                    given.callback(os.close, stream)
                    setattr(self, name, os.fdopen(ours, ("r" if number else "w") + ("" if text else "b")))
                elif stream == DEVNULL:
                    stream = given.enter_context(open(os.devnull, "r+"))
                elif stream is None:
                    stream = number
                streams.append(stream if isinstance(stream, int) else stream.fileno())
            self._ended, ended = os.pipe()
            given.callback(os.close, ended)
            asked = {"words": words, "cwd": str(cwd or os.getcwd()), "env": dict(env or os.environ)}
            self.pid = _parents[0].fork(asked, [*streams, ended])
        os.set_blocking(self._ended, False)

    def poll(self):
        if self.returncode is None:
            with contextlib.suppress(BlockingIOError):
                self.returncode = int(os.read(self._ended, 100))
                os.close(self._ended)
        return self.returncode

    def wait(self, timeout=None):
        end = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            if end is not None and time.monotonic() > end:
                raise TimeoutExpired(self.args, timeout)
            time.sleep(0.01)
        return self.returncode

    def communicate(self, timeout=None):
        said = {}
        pipes = {name: pipe for name, pipe in (("stdout", self.stdout), ("stderr", self.stderr)) if pipe}

        def read(name, pipe):
            with pipe:
                said[name] = pipe.read()

        readers = [threading.Thread(target=read, args=both, daemon=True) for both in pipes.items()]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader in readers:
            reader.join()
        return said.get("stdout"), said.get("stderr")

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pipe in (self.stdin, self.stdout, self.stderr):
            if pipe:
                pipe.close()
        self.wait()


def run(command, capture_output=False, timeout=None, check=False, **options):
    """What tests use of `subprocess.run`."""
    if capture_output:
        options.update(stdout=PIPE, stderr=PIPE)
    with Popen(command, **options) as process:
        try:
            stdout, stderr = process.communicate(timeout)
        finally:
            process.kill()
    if check and process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, stdout, stderr)
    return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)
