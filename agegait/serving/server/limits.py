import dataclasses
import threading
from dataclasses import dataclass
from typing import Any


def _limit(default: int | float | None, help: str, least: float = 1) -> Any:
    return dataclasses.field(default=default, metadata={"help": help, "least": least})


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much a server does and holds at once; docs/serving.md says what it all comes to.

    Raises:
        ValueError: A limit that makes no sense.

    Example:
        >>> agegait.serving.Server("exported", limits=agegait.serving.Limits(max_pending=16))
    """

    max_message_bytes: int = _limit(32 << 20, "largest request that is read")
    max_elements: int = _limit(4 << 20, "most elements that a tensor may claim to have; at 20 joints 69,905 frames")
    max_rows: int = _limit(4096, "most rows of a batch: walks, windows")
    max_answer_bytes: int = _limit(64 << 20, "largest answer that is made")
    max_memory_bytes: int = _limit(768 << 20, "memory that requests may hold in all, beside the models")
    max_pending: int = _limit(64, "most requests in hand at once; more are refused at once")
    max_connections: int = _limit(8192, "most connections at once; about 15 kB each")
    max_calls_per_connection: int = _limit(128, "most calls at once on a connection; further ones wait at the caller")
    max_walk_streams: int = _limit(16, "most streams of a gallery's WatchWalk at once; each may hold a message")
    max_walk_streams_per_connection: int = _limit(8, "most of them on a connection")
    message_seconds: float = _limit(10.0, "longest that a message may take to arrive", 0.001)
    request_seconds: float = _limit(120.0, "longest that a call may take in all", 0.001)
    idle_seconds: float = _limit(300.0, "longest that a connection without a call stays open", 1)
    connection_seconds: float = _limit(3600.0, "longest that a connection stays open; clients connect anew", 1)
    drain_seconds: float = _limit(30.0, "longest that requests in flight may take to finish at the end", 0)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value, least = getattr(self, field.name), field.metadata["least"]
            if not least <= value <= (threading.TIMEOUT_MAX if isinstance(field.default, float) else 1 << 62):
                raise ValueError(f"{field.name}: expected a number of at least {least}, received {value}.")
        if self.max_memory_bytes < 2 * self.max_message_bytes:
            raise ValueError(
                f"max_memory_bytes: expected at least twice max_message_bytes, {2 * self.max_message_bytes:,}, "
                f"received {self.max_memory_bytes:,}."
            )

    @property
    def reading_slots(self) -> int:
        """How many calls may send their message at the same time: a third of the memory is theirs."""
        return max(1, self.max_memory_bytes // 3 // self.max_message_bytes)

    @property
    def request_memory(self) -> int:
        """Bytes for requests that were read, and their answers."""
        return self.max_memory_bytes - self.reading_slots * self.max_message_bytes

    def rest_bodies(self) -> int:
        """Bytes for bodies that arrive over REST, out of `request_memory`.

        Raises:
            ValueError: There is no room for them.
        """
        most = self.max_message_bytes
        if self.max_memory_bytes < 3 * most:
            raise ValueError(
                f"max_memory_bytes: expected at least three times max_message_bytes with a rest_port, {3 * most:,}, "
                f"received {self.max_memory_bytes:,}."
            )
        return most if self.request_memory < 4 * most else 2 * most
