import logging
import os
import signal
import sys
import threading
from collections.abc import Callable

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_STEP_SECONDS = 0.2
_END_SECONDS = 5.0  # Beyond the drain, for whatever still runs or does not let go.

_log = logging.getLogger("agegait.serving")


def serve_until_signal(
    start: Callable[[], object],
    announce: Callable[[], object],
    stopping: threading.Event,
    stop: Callable[[], bool],
    drain_seconds: float,
) -> None:
    """Runs a server until SIGTERM, SIGINT or SIGHUP. To be called in the main thread, as only it hears signals.

    A few seconds after the drain was to be over, the process is ended with status 1, whatever still runs.

    Args:
        start: Starts the server, and returns once it serves. Called in another thread: Python hears signals in the main
            one, and not while TensorFlow works in it.
        announce: Called after it, unless a signal came.
        stopping: Set once a signal came or the start failed, before `stop`.
        stop: Drains and stops it; whether nothing is left behind.
        drain_seconds: How long that may take.

    Raises:
        BaseException: What `start` or `announce` raises.
    """
    asked, ended = threading.Event(), threading.Event()

    def end_at_last() -> None:
        if not ended.wait(drain_seconds + _END_SECONDS):
            _log.error("ended by force: work did not end in %s s", drain_seconds + _END_SECONDS)
            for handler in _log.handlers:
                handler.flush()
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(1)

    def end(number: int, frame: object) -> None:
        if not asked.is_set():
            asked.set()
            # Ends the process even where no Python thread runs any more.
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, drain_seconds + 2 * _END_SECONDS)
            _log.info("%s: draining, for %s s at most", signal.Signals(number).name, drain_seconds)
            threading.Thread(target=end_at_last, name="agegait-end", daemon=True).start()

    failure: list[BaseException] = []

    def begin() -> None:
        try:
            start()
            if not asked.is_set():
                announce()
        except BaseException as error:
            failure.append(error)
            asked.set()

    before = {number: signal.signal(number, end) for number in _SIGNALS}
    starting = threading.Thread(target=begin, name="agegait-start", daemon=True)
    try:
        starting.start()
        # In steps: the kernel may hand a signal to a thread of gRPC's, and Python hears of it in this one alone, as it
        # wakes.
        while not asked.wait(_STEP_SECONDS):
            pass
        stopping.set()
    finally:
        whole = stop()
        starting.join()
        if whole:
            ended.set()
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
    if failure:
        raise failure[0]
