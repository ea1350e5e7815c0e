import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

import grpc
import numpy as np

from agegait.serving.server.batching import Batching
from agegait.serving.server.servable import Signature
from agegait.serving.server.status_error import StatusError

Arrays = Mapping[str, np.ndarray]

_UNKNOWN = float("inf")


@dataclass(eq=False)
class _Job:
    signature: Signature
    inputs: Arrays
    deadline: float
    on_start: Callable[[float], object]
    arrival: float = field(default_factory=time.monotonic)
    future: Future = field(default_factory=Future)

    @property
    def rows(self) -> int:
        return len(next(iter(self.inputs.values()))) if self.signature.joinable and self.inputs else 1

    def joins(self, other: "_Job") -> bool:
        """Whether both may run as one: the same function of the same version, on equal shapes but for the batch."""
        return (
            self.signature is other.signature
            and self.signature.joinable
            and all(array.shape[1:] == other.inputs[name].shape[1:] for name, array in self.inputs.items())
            and (not self.signature.limits.frame_rate or self._slowest() == other._slowest())
        )

    def _slowest(self) -> float:
        """The lowest frame rate: all walks of a batch get as many frames as the slowest one does by resampling."""
        return float(self.inputs["frame_rate"].min(initial=_UNKNOWN))


class Batcher:
    """Runs requests in the order they come, those of equal shape that wait at the same time as one.

    A request that finds a worker idle runs at once, alone, in the caller's own thread: to wake another costs as much as
    the rest of a small request. What comes while the workers are busy waits, and is joined: batches grow with the load,
    and nobody waits for company that does not come, unless `batch_wait` asks for it.

    Args:
        batching: How it joins them.
        observe: Called with the number of requests of each batch.
    """

    def __init__(self, batching: Batching, observe: Callable[[int], None] = lambda requests: None) -> None:
        self._batching = batching
        self._observe = observe
        self._jobs: deque[_Job] = deque()
        self._workers = self._idle = batching.workers
        self._changed = threading.Condition()
        self._closed = False
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(batching.workers)]
        for thread in self._threads:
            thread.start()

    def submit(
        self,
        signature: Signature,
        inputs: Arrays,
        deadline: float = float("inf"),
        on_start: Callable[[float], object] = lambda seconds: None,
    ) -> Future:
        """Runs a request if a worker is idle, and else puts it in line.

        Args:
            signature: What to run.
            inputs: Its inputs, checked.
            deadline: On `time.monotonic`'s clock; a request that is late by then is not started.
            on_start: Called with the seconds that it waited in line, before it runs.

        Returns:
            The future of its outputs; cancelling it takes the request out of the line.
        """
        job = _Job(signature, inputs, deadline, on_start)
        with self._changed:
            if self._closed:
                raise StatusError(grpc.StatusCode.UNAVAILABLE, "the server is shutting down")
            at_once = self._idle > 0 and not self._jobs and not self._batching.batch_wait
            if at_once:
                self._idle -= 1
            else:
                self._jobs.append(job)
                self._changed.notify_all()
        if at_once:
            self._finish([job])
        return job.future

    def close(self, seconds: float | None = None) -> bool:
        """Finishes what is in line and stops; whether it did so in time."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        end = None if seconds is None else time.monotonic() + seconds
        for thread in self._threads:
            thread.join(None if end is None else max(0.0, end - time.monotonic()))
        with self._changed:
            return self._idle == self._workers

    def _work(self) -> None:
        while batch := self._next_batch():
            self._finish(batch)

    def _finish(self, batch: list[_Job]) -> None:
        try:
            batch = [job for job in batch if _still_wanted(job)]
            if batch:
                self._observe(len(batch))
                now = time.monotonic()
                for job in batch:
                    job.on_start(now - job.arrival)
                _run(batch)
        finally:
            with self._changed:
                self._idle += 1
                self._changed.notify_all()

    def _next_batch(self) -> list[_Job]:
        """The oldest request and those that may join it, once a worker is idle; none when closed and done."""
        with self._changed:
            while left := self._seconds_left():
                if self._closed and not self._jobs:
                    return []
                self._changed.wait(None if left == _UNKNOWN else left)
            self._idle -= 1
            batch = [self._jobs.popleft()]
            for job in self._company(batch[0]):
                self._jobs.remove(job)
                batch.append(job)
            return batch

    def _seconds_left(self) -> float:
        """Until the oldest request is to run; it waits for company in line, where every worker finds it."""
        if not self._jobs or not self._idle:
            return _UNKNOWN
        oldest = self._jobs[0]
        full = oldest.rows + sum(job.rows for job in self._company(oldest)) >= self._batching.max_batch
        if self._closed or full or not oldest.signature.joinable:
            return 0.0
        return max(oldest.arrival + self._batching.batch_wait - time.monotonic(), 0.0)

    def _company(self, oldest: _Job) -> list[_Job]:
        """Those in line that may run with the oldest, as many as fit."""
        rows, company = oldest.rows, []
        for job in self._jobs:
            if job is not oldest and job.joins(oldest) and rows + job.rows <= self._batching.max_batch:
                company.append(job)
                rows += job.rows
        return company


def _still_wanted(job: _Job) -> bool:
    if not job.future.set_running_or_notify_cancel():
        return False
    if job.deadline <= time.monotonic():
        job.future.set_exception(StatusError(grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline passed in the queue"))
        return False
    return True


def _run(batch: list[_Job]) -> None:
    if len(batch) > 1:
        try:
            answers = _run_joined(batch)
        except Exception:
            # One of them may be at fault, or too much in all: each answers for itself below.
            pass
        else:
            for job, outputs in zip(batch, answers, strict=True):
                job.future.set_result(outputs)
            return
    for job in batch:
        try:
            job.future.set_result(job.signature.run(job.inputs))
        except Exception as error:
            job.future.set_exception(error)


def _run_joined(batch: list[_Job]) -> list[dict[str, np.ndarray]]:
    joined = {name: np.concatenate([job.inputs[name] for job in batch]) for name in batch[0].inputs}
    outputs = batch[0].signature.run(joined)
    ends = np.cumsum([job.rows for job in batch])
    if any(len(array) != ends[-1] for array in outputs.values()):
        raise ValueError("outputs: expected a row for each row of the inputs, received other sizes")
    return [
        {name: array[end - job.rows : end] for name, array in outputs.items()}
        for job, end in zip(batch, ends, strict=True)
    ]
