import ipaddress
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Protocol

from agegait.serving.server.http_limits import HttpLimits


class Connection(Protocol):
    """What is counted: a connection of a peer."""

    peer: str

    def abort(self) -> None:
        """Closes it at once, whatever was not sent."""


class HttpConnections:
    """The connections of an `HttpServer`, and which of them goes where there is no room for another.

    Args:
        limits: How many there may be.
        on_refused: Called with the reason whenever a connection or a request is refused.
    """

    def __init__(self, limits: HttpLimits, on_refused: Callable[[str], object]) -> None:
        self.limits = limits
        self.on_refused = on_refused
        self._open: dict[Connection, str] = {}
        self._peers: Counter[str] = Counter()
        self._waiting: dict[Connection, None] = {}  # Those without a complete request, the longest waiting first.

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._open))

    def admit(self, connection: Connection) -> bool:
        """Counts a new connection, for which another may have to go; whether there is room for it."""
        network = _network(connection.peer)
        crowded = self._peers[network] >= self.limits.per_peer
        if crowded or len(self._open) >= self.limits.connections:
            oldest = next((one for one in self._waiting if not crowded or self._open[one] == network), None)
            self.on_refused("connections")
            if oldest is None:
                return False
            self.remove(oldest)
            oldest.abort()
        self._open[connection] = network
        self._peers[network] += 1
        return True

    def waits(self, connection: Connection) -> None:
        """Notes that a connection has no complete request, from now on."""
        if connection in self._open:
            self._waiting.setdefault(connection)

    def works(self, connection: Connection) -> None:
        """Notes that a connection's request is complete."""
        self._waiting.pop(connection, None)

    def remove(self, connection: Connection) -> None:
        """Counts a connection no more."""
        network = self._open.pop(connection, None)
        self._waiting.pop(connection, None)
        if network is not None:
            self._peers[network] -= 1
            if not self._peers[network]:
                del self._peers[network]

    def abort_waiting(self) -> None:
        """Closes every connection without a complete request."""
        for connection in list(self._waiting):
            connection.abort()


def _network(peer: str) -> str:
    """What is counted as one peer: whoever has an IPv6 address has a network of them."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if address.version == 4:
        return peer
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))
