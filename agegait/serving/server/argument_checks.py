"""What numbers a server takes, in the words of its arguments."""

import threading


def require_ports(**ports: int | None) -> None:
    """Refuses what is no port.

    Raises:
        ValueError: It says which.
    """
    for name, port in ports.items():
        if port is not None and not 0 <= port <= 65535:
            raise ValueError(f"{name}: expected 0 to 65535, received {port}.")


def require_seconds(bound: str, **times: float) -> None:
    """Refuses times that are not `above` or `at least` 0, or longer than Python can wait.

    Raises:
        ValueError: It says which.
    """
    for name, seconds in times.items():
        if not 0 <= seconds <= threading.TIMEOUT_MAX or (seconds == 0 and bound == "above"):
            raise ValueError(f"{name}: expected a number of seconds {bound} 0, received {seconds}.")


def require_positive(**counts: int) -> None:
    """Refuses counts below 1.

    Raises:
        ValueError: It says which.
    """
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name}: expected at least 1, received {count}.")
