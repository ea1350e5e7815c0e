import math
from collections.abc import Mapping
from dataclasses import dataclass

from agegait.serving.server.servable import Signature, TensorSpec
from agegait.serving.tensors import KINDS

_MESSAGE_COPIES = 3  # The message, parsed, and its tensors' bytes.
_ANSWER_COPIES = 3  # The arrays, the message, and its bytes.
_INPUT_COPIES = 2  # As it is given to the model, and as the model pads it.


@dataclass(frozen=True)
class RequestCost:
    """What a Predict request takes, reckoned from the shapes that it claims, before anything is made of them.

    Attributes:
        rows: Walks or windows of the batch.
        working_bytes: Memory that its inputs and the model's work take.
        answer_bytes: Size of its answer; what of it the export does not say counts as much as the inputs.
    """

    rows: int
    working_bytes: int
    answer_bytes: int

    @property
    def bytes(self) -> int:
        """Memory that it takes in all, from its parsing to the sending of its answer."""
        return self.working_bytes + _ANSWER_COPIES * self.answer_bytes

    @classmethod
    def of_shapes(
        cls, signature: Signature, shapes: Mapping[str, tuple[int, ...]], message_bytes: int
    ) -> "RequestCost":
        """The cost of inputs of these shapes.

        Args:
            signature: What the request asks for.
            shapes: The shapes that its inputs claim, by name.
            message_bytes: The size of the request's message.
        """
        inputs = sum(math.prod(shape) * _item_bytes(signature.inputs[name]) for name, shape in shapes.items())
        rows = max((shape[0] for shape in shapes.values() if shape), default=1) if signature.joinable else 1
        limits = signature.limits
        windows, padded = rows, inputs
        if limits.frames and "skeletons" in shapes:
            frames = shapes["skeletons"][1]
            windows = rows * max(1, (frames - limits.frames) // max(1, limits.stride) + 1)
            padded = inputs * max(frames, limits.frames) // max(1, frames)
        working = _MESSAGE_COPIES * message_bytes + _INPUT_COPIES * max(inputs, padded)
        working += min(windows, limits.piece or windows) * limits.window_bytes
        if limits.answer_row_bytes or limits.answer_window_bytes:
            answer = rows * limits.answer_row_bytes + windows * limits.answer_window_bytes
        else:
            answer = sum(_output_bytes(spec, rows, inputs) for spec in signature.outputs.values())
        return cls(rows, working, answer)


def _output_bytes(spec: TensorSpec, rows: int, inputs: int) -> int:
    if spec.shape is None or any(size is None for size in spec.shape[1:]):
        return inputs
    return rows * math.prod(size for size in spec.shape[1:] if size) * _item_bytes(spec)


def _item_bytes(spec: TensorSpec) -> int:
    return KINDS[spec.dtype].dtype.itemsize if spec.dtype in KINDS else 8
