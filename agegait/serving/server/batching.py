from dataclasses import dataclass

from agegait.serving.server.argument_checks import require_positive, require_seconds


@dataclass(frozen=True)
class Batching:
    """How a server joins requests that wait.

    Attributes:
        max_batch: Most rows that requests of equal shape are joined to; 1 joins none.
        batch_wait: Seconds that a request waits for others to join it, even if nothing else runs.
        workers: Batches that run at the same time.

    Raises:
        ValueError: A number that makes no sense.

    Example:
        >>> agegait.serving.Server("exported", batching=agegait.serving.Batching(max_batch=128, workers=4))
    """

    max_batch: int = 64
    batch_wait: float = 0.0
    workers: int = 2

    def __post_init__(self) -> None:
        require_positive(max_batch=self.max_batch, workers=self.workers)
        require_seconds("at least", batch_wait=self.batch_wait)
