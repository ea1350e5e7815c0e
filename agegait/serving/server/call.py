import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from agegait.serving.server.memory_budget import Reservation


@dataclass(eq=False)
class Call:
    """A request under way, be it over gRPC or REST.

    Attributes:
        method: The method that was called, such as `Predict` or `GetModelStatus`.
        transport: `grpc` or `rest`.
        peer: The address that it comes from.
        caller: The name of the token that it came with; empty where none is required.
        request_id: The caller's number for it, or ours.
        deadline: On `time.monotonic`'s clock; infinite where the caller named none.
        memory: What it holds of the server's memory.
        request_bytes: The size of its message.
        parsed_bytes: What it takes to parse the message, beside its size.
        answer_bytes: The size of its answer.
        queue_seconds: How long it waited for its turn; None where it never had one.
        model: The model, where it names one that is served.
        version: Its version.
        actor: Who calls, for a gallery's audit trail.
        add_done_callback: Takes a function to call once the answer has left or the caller has; False where that is
            over already.
    """

    method: str
    transport: str = "grpc"
    peer: str = ""
    caller: str = ""
    request_id: str = ""
    deadline: float = math.inf
    memory: Reservation = field(default_factory=Reservation)
    request_bytes: int = 0
    parsed_bytes: int = 0
    answer_bytes: int = 0
    queue_seconds: float | None = None
    model: str = ""
    version: int | None = None
    actor: str = ""
    add_done_callback: Callable[[Callable[[], object]], bool] = lambda callback: True

    @property
    def remaining(self) -> float:
        """Seconds until the deadline; infinite where there is none."""
        return self.deadline - time.monotonic()
