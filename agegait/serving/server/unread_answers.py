import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from agegait.serving.server.reputations import Reputations


@dataclass(eq=False)
class _Answer:
    connection: str
    size: int
    give_up: Callable[[], object]


class UnreadAnswers:
    """Answers that have not left yet, which take a bounded memory: callers who read nothing lock nobody out.

    Where there are too many, the oldest is given up of the connection that holds most. What it holds counts double
    while it has not read an answer, and four times where its last one was given up: who reads keeps its answers,
    however many connections hold one each. May be shared by threads.

    Args:
        most: Most answers.
        most_bytes: Their size in all.
        on_given_up: Called whenever one is given up.
    """

    def __init__(self, most: int, most_bytes: int, on_given_up: Callable[[], object] = lambda: None) -> None:
        self._on_given_up = on_given_up
        self._most = most
        self._free = most_bytes
        self._answers: dict[_Answer, None] = {}  # The oldest first.
        self._reputations = Reputations()  # Whether the last answer of a connection was read.
        self._changed = threading.Lock()

    def add(
        self,
        connection: str,
        size: int,
        give_up: Callable[[], object],
        add_done_callback: Callable[[Callable[[], object]], bool],
    ) -> None:
        """Counts an answer until it has left.

        Args:
            connection: Who is to read it.
            size: Its bytes.
            give_up: Ends the call, whatever was not sent; may be called by any thread.
            add_done_callback: Takes a function to call once the answer has left; False where it has already.
        """
        answer = _Answer(connection, size, give_up)
        with self._changed:
            self._answers[answer] = None
            self._free -= size
            given_up = self._over()
        if not add_done_callback(lambda: self._remove(answer)):
            self._remove(answer)
        for other in given_up:
            self._on_given_up()
            other.give_up()

    def _over(self) -> list[_Answer]:
        """The answers that there is no room for; they are counted no more."""
        given_up = []
        while len(self._answers) > self._most or (self._free < 0 and self._answers):
            sizes: Counter[str] = Counter()
            for answer in self._answers:
                # Of few answers, the large ones count; of many, each.
                sizes[answer.connection] += answer.size if self._free < 0 else 1
            weights = {one: size << self._reputations.distrust(one) for one, size in sizes.items()}
            greediest = max(self._answers, key=lambda answer: weights[answer.connection])
            self._forget(greediest)
            self._reputations.tell(greediest.connection, False)
            given_up.append(greediest)
        return given_up

    def _remove(self, answer: _Answer) -> None:
        with self._changed:
            if answer in self._answers:
                self._forget(answer)
                self._reputations.tell(answer.connection, True)

    def _forget(self, answer: _Answer) -> None:
        del self._answers[answer]
        self._free += answer.size
