from dataclasses import dataclass


@dataclass(frozen=True)
class HttpLimits:
    """What connections to an `HttpServer` may take.

    A connection whose peer is too slow is closed. One that is new and finds no room takes the place of the one that
    waited longest without a complete request: many idle connections lock nobody out.

    Attributes:
        connections: Most connections at once.
        per_peer: Most connections of one address at once, an IPv6 network of 64 bits counted as one. A proxy is one
            address too.
        header_seconds: How long TLS's handshake and a request's headers may take to arrive.
        body_seconds: How long a request's body may take to arrive.
        request_seconds: How long a request may take, from its headers to the last byte of its answer.
        idle_seconds: How long a connection may stay without a request.
        header_bytes: Largest headers that are read.
    """

    connections: int = 512
    per_peer: int = 256
    header_seconds: float = 10.0
    body_seconds: float = 30.0
    request_seconds: float = 120.0
    idle_seconds: float = 75.0
    header_bytes: int = 16 << 10
