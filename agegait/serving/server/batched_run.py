"""A request's turn at a `Batcher`."""

import threading
import time
from concurrent.futures import CancelledError

import grpc
import numpy as np

from agegait.serving.server.batcher import Arrays, Batcher
from agegait.serving.server.call import Call
from agegait.serving.server.servable import Signature
from agegait.serving.server.status_error import StatusError


def run_batched(batcher: Batcher, signature: Signature, inputs: Arrays, call: Call) -> dict[str, np.ndarray]:
    """Runs a signature, with others that wait, and waits for its outputs.

    Args:
        batcher: What runs it.
        signature: What to run.
        inputs: Its inputs, checked.
        call: Who asks, and until when; it is not run once they are gone.

    Raises:
        StatusError: DEADLINE_EXCEEDED, CANCELLED where the caller went away, or as `Signature.run`.
    """

    def start(seconds: float) -> None:
        call.queue_seconds = seconds

    future = batcher.submit(signature, inputs, call.deadline, start)
    if not call.add_done_callback(future.cancel):
        future.cancel()
    try:
        # Of a call without a deadline, gRPC says that more seconds remain than a thread can wait.
        outputs: dict[str, np.ndarray] = future.result(
            min(max(call.deadline - time.monotonic(), 0.0), threading.TIMEOUT_MAX)
        )
        return outputs
    except (TimeoutError, CancelledError):
        future.cancel()
        if time.monotonic() >= call.deadline:
            raise StatusError(grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline passed") from None
        raise StatusError(grpc.StatusCode.CANCELLED, "the caller went away") from None
