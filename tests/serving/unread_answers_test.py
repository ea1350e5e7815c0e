"""Which answers are given up where callers do not read them."""

import pytest

from agegait.serving.server.unread_answers import UnreadAnswers


class Callers:
    """Connections that are sent answers, and read them when they are told to."""

    def __init__(self, most):
        self.counted = 0
        self.given_up = []
        self.unread = UnreadAnswers(most, 1 << 20, self.count)
        self.left = {}

    def count(self):
        self.counted += 1

    def send(self, connection):
        def add_done_callback(callback):
            self.left.setdefault(connection, []).append(callback)
            return True

        self.unread.add(connection, 1, lambda: self.given_up.append(connection), add_done_callback)

    def read(self, connection):
        for callback in self.left.pop(connection):
            callback()


@pytest.mark.parametrize("one_of", [1, 2])
def test_who_reads_keeps_its_answers_among_many_who_do_not(one_of):
    callers = Callers(8)
    callers.send("reader")
    callers.read("reader")
    callers.send("reader")  # The oldest of all, one of many connections that hold one or two each.
    for number in range(40):
        for _ in range(one_of):
            callers.send(f"other {number}")
    assert callers.counted == len(callers.given_up) == 40 * one_of + 1 - 8
    assert "reader" not in callers.given_up
    callers.send("new")
    assert "new" not in callers.given_up


def test_who_read_once_is_not_trusted_for_ever():
    callers = Callers(4)
    callers.send("turncoat")
    callers.read("turncoat")
    for _ in range(5):
        callers.send("turncoat")
    callers.send("reader")
    callers.read("reader")
    callers.send("reader")
    for number in range(3):
        callers.send(f"other {number}")
    assert callers.given_up == ["turncoat"] * 5
