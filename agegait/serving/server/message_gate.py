import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc

from agegait.serving.server.reputations import Reputations
from agegait.serving.server.status_error import StatusError, invalid_argument

_TICK_SECONDS = 0.02
_LONGEST_TICK = 2 * _TICK_SECONDS
_PATIENCE = 0.5  # Seconds that a message may take while others wait, on a connection that sent one before.
_LEAST_PATIENCE = 0.05  # On one whose last message did not come, or that is new while very many wait.
_LONGEST_WAIT = 2.0  # Seconds until it is everybody's turn, if none of those before sends anything.


@dataclass(eq=False)
class _Reader:
    """A call whose message is to be read."""

    context: grpc.ServicerContext
    connection: str
    turn: threading.Event = field(default_factory=threading.Event)
    granted: bool = False
    reading_since: float | None = None
    refused: bool = False

    @property
    def host(self) -> str:
        return self.connection.rpartition(":")[0]


class MessageGate:
    """Has the messages of calls read, a few at a time.

    gRPC takes memory for a message as it arrives, and a thread waits for it. So a call that announces a message and
    does not send it costs both. Here, few calls read at the same time, which bounds the memory; those that wait are
    bounded as well. Where others wait, a call that is slow to send is ended, first on the connections and hosts that
    hold most: whoever sends what it announced gets its turn, however many do not. The more
    wait, the sooner a call is slow.

    Args:
        slots: Calls that read at the same time.
        waiting: Calls that may wait for their turn; of more, the oldest is refused of the connection that has most.
        seconds: How long a message may take to arrive. A server that is too busy to look is no caller's fault: time
            passes no faster than it looks.
        on_late: Called whenever a call is ended that is slow to send.
    """

    def __init__(self, slots: int, waiting: int, seconds: float, on_late: Callable[[], object] = lambda: None) -> None:
        self._slots = slots
        self._most_waiting = waiting
        self._seconds = seconds
        self._on_late = on_late
        self._now = 0.0
        self._waiting: list[_Reader] = []
        self._reading: list[_Reader] = []
        self._reputations = Reputations()  # Whether the last message of a connection came.
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._watch, name="agegait-messages", daemon=True)
        self._thread.start()

    def read(self, messages: Iterator[Any], context: grpc.ServicerContext) -> Any:
        """A call's one message.

        Raises:
            StatusError: RESOURCE_EXHAUSTED where too many calls wait, CANCELLED where the caller goes,
                INVALID_ARGUMENT where no message comes.
            grpc.RpcError: The caller went away, or was too slow.
        """
        reader = _Reader(context, context.peer())
        if not context.add_callback(reader.turn.set):
            raise StatusError(grpc.StatusCode.CANCELLED, "the caller went away")
        with self._changed:
            self._waiting.append(reader)
            if len(self._waiting) > self._most_waiting:
                self._refuse_one()
            self._grant()
            self._changed.notify_all()
        try:
            reader.turn.wait()
            if reader.refused:
                raise StatusError(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many calls wait to send their message")
            if not reader.granted:
                raise StatusError(grpc.StatusCode.CANCELLED, "the caller went away")
            reader.reading_since = self._now
            for message in messages:
                self._prove(reader)
                return message
            raise invalid_argument("expected one message, received none")
        finally:
            with self._changed:
                for readers in (self._waiting, self._reading):
                    if reader in readers:
                        readers.remove(reader)
                self._grant()

    def close(self) -> None:
        """Ends no more calls."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _prove(self, reader: _Reader) -> None:
        with self._changed:
            self._reputations.tell(reader.connection, True)

    def _grant(self) -> None:
        while self._waiting and len(self._reading) < self._slots:
            hosts, connections = self._held(self._reading)
            reader = min(
                self._waiting,  # In the order they came, where all else is equal.
                key=lambda one: (
                    self._reputations.distrust(one.connection),
                    hosts[one.host],
                    connections[one.connection],
                ),
            )
            self._waiting.remove(reader)
            self._reading.append(reader)
            reader.granted = True
            reader.turn.set()

    def _refuse_one(self) -> None:
        reader = self._greediest(self._waiting)
        self._waiting.remove(reader)
        reader.refused = True
        reader.turn.set()

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                before = time.monotonic()
                self._changed.wait(_TICK_SECONDS if self._reading else None)
                self._now += min(time.monotonic() - before, _LONGEST_TICK)
                for reader in self._late():
                    # Its thread wakes, and leaves: no lock is wanted for that.
                    reader.context.cancel()
                    self._reputations.tell(reader.connection, False)
                    self._on_late()

    def _late(self) -> list[_Reader]:
        late = [reader for reader in self._reading if self._age(reader) > self._seconds]
        slow = [
            reader
            for reader in self._reading
            if reader not in late and self._age(reader) > self._patience(reader.connection)
        ]
        for _ in range(len(self._waiting) - len(late)):
            if not slow:
                break
            late.append(self._greediest(slow))
            slow.remove(late[-1])
        return late

    def _patience(self, connection: str) -> float:
        """Seconds that a message may take while others wait."""
        kept_word = self._reputations.of(connection)
        if kept_word is not None:
            return _PATIENCE if kept_word else _LEAST_PATIENCE
        return max(_LEAST_PATIENCE, min(_LONGEST_WAIT * self._slots / max(1, len(self._waiting)), _PATIENCE))

    def _age(self, reader: _Reader) -> float:
        return 0.0 if reader.reading_since is None else self._now - reader.reading_since

    def _greediest(self, readers: list[_Reader]) -> _Reader:
        """The oldest of the host, and there of the connection, that has most calls."""
        hosts, connections = self._held(self._waiting + self._reading)
        return max(
            readers,
            key=lambda one: (self._reputations.distrust(one.connection), hosts[one.host], connections[one.connection]),
        )

    @staticmethod
    def _held(readers: list[_Reader]) -> tuple[Counter[str], Counter[str]]:
        return Counter(one.host for one in readers), Counter(one.connection for one in readers)
