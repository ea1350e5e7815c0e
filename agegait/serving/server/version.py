from dataclasses import dataclass
from enum import IntEnum

from agegait.serving.server.servable import Servable
from agegait.serving.server.version_files import Fingerprint


class State(IntEnum):
    """ModelVersionStatus.State of TensorFlow Serving."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass(frozen=True)
class Version:
    """How a version fares.

    Attributes:
        state: Its state.
        servable: What answers, while it is available.
        error: What went wrong as it loaded.
        fingerprint: What its files were like then.
    """

    state: State = State.START
    servable: Servable | None = None
    error: str = ""
    fingerprint: Fingerprint = ()
