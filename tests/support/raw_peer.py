"""A peer that speaks HTTP/2 itself, so that it can do what no gRPC library would."""

import socket

import h2.config
import h2.connection
import h2.events
import h2.settings

_ENDS = (h2.events.StreamReset, h2.events.StreamEnded, h2.events.ConnectionTerminated)


class RawPeer:
    """A connection on which calls are opened, and of which nothing is read that is not asked for.

    Args:
        address: The server's `host:port`.
        window: Bytes that the server may send on a stream before it is read; 0 lets it send no answer at all.
    """

    def __init__(self, address, window=0):
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=120)
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self.http.initiate_connection()
        self.http.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self._send()

    def call(self, method, message=None, size=None, metadata=(), more=False):
        """Opens a call; sends the message, of which `size` may say that it is longer. Without one, headers alone.

        With `more`, others may follow, so that the server keeps the call.
        """
        stream = self.http.get_next_available_stream_id()
        headers = [(":method", "POST"), (":scheme", "http"), (":path", method), (":authority", "here")]
        headers += [("te", "trailers"), ("content-type", "application/grpc"), *metadata]
        self.http.send_headers(stream, headers)
        if message is not None:
            framed = b"\0" + (len(message) if size is None else size).to_bytes(4, "big") + message
            for start in range(0, len(framed), 16384):
                part = framed[start : start + 16384]
                while self.http.local_flow_control_window(stream) < len(part):
                    self._send()
                    if any(isinstance(event, _ENDS) for event in self.read()):  # There will be no more room.
                        raise ConnectionError("the server has ended the call")
                self.http.send_data(stream, part)
            if size is None and not more:
                self.http.end_stream(stream)
        self._send()
        return stream

    def read(self):
        """What comes next, as events."""
        received = self.socket.recv(1 << 16)
        if not received:
            raise ConnectionError("the server has hung up")
        events = self.http.receive_data(received)
        self._send()
        return events

    def ping(self):
        self.http.ping(b"pingping")
        self._send()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _send(self):
        self.socket.sendall(self.http.data_to_send())
