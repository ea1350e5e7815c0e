from typing import NamedTuple

import numpy as np

from agegait.serving.client import answers
from agegait.serving.client.client_errors import BadAnswerError


class ServedModel(NamedTuple):
    """What an answer of the signature `windows` says of its model.

    Attributes:
        version: Its number.
        frames: Frames of a window.
        stride: Frames from one window to the next.
        persons: Whom logits are of.
        outputs: The outputs of each window.
        frame_rate: That of the walks which it was trained on, Hz; None where it does not know.
    """

    version: int
    frames: int
    stride: int
    persons: list[str]
    outputs: list[str]
    frame_rate: float | None

    @classmethod
    def of_answer(cls, outputs: dict[str, np.ndarray], version: int) -> "ServedModel":
        """Reads it.

        Raises:
            BadAnswerError: It makes no sense.
        """
        rate = answers.output(outputs, "frame_rate", np.floating, 1)[0] if "frame_rate" in outputs else None
        model = cls(
            version=version,
            frames=int(answers.output(outputs, "frames", np.integer, 1)[0]),
            stride=int(answers.output(outputs, "stride", np.integer, 1)[0]),
            persons=list(answers.names(outputs, "persons", 1, None)[0]),
            outputs=[name for name in ("logits", "fault") if name in outputs],  # Older exports have no faults.
            frame_rate=None if rate is None else float(rate),
        )
        if model.frames < 1 or model.stride < 1 or not model.persons:
            raise BadAnswerError("the answer tells of windows without frames, or of nobody")
        if model.frame_rate is not None and not model.frame_rate > 0:
            raise BadAnswerError("the answer tells of a frame rate that is none")
        return model
