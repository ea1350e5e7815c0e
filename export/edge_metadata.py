import dataclasses
import json
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class EdgeMetadata:
    """What a program has to know of a model for the edge. It lies in the model's own file.

    Attributes:
        model: `"embedder"` or `"identifier"`.
        joints: Names of a skeleton's joints, in order; their number where they are not the canonical ones.
        unit: Unit of coordinates: `"m"`, `"cm"` or `"mm"`.
        least_frames: Frames that a walk has at least.
        frame_rate: Frames a second of the walks that it takes; None where that is not known.
        faults: What each number of the output `fault` says, of 0 nothing.
        fingerprint: Of an embedder: that of the embedder in Keras, whose templates compare with the file's.
        embedding_size: Of an embedder: size D of an embedding.
        persons: Of an identifier: the names of its people, in the order of `probabilities`.
        quantization: `"float16"` or `"int8"` weights; None for float32.
    """

    model: str
    joints: list[str] | int
    unit: str
    least_frames: int
    frame_rate: float | None
    faults: list[str]
    fingerprint: str | None = None
    embedding_size: int | None = None
    persons: list[str] | None = None
    quantization: str | None = None

    def to_json(self) -> str:
        """As a file holds it, without what a model of its kind has not."""
        return json.dumps({name: value for name, value in dataclasses.asdict(self).items() if value is not None})

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """From what `to_json` gives.

        Raises:
            ValueError: It is something else.
        """
        try:
            found: dict[str, Any] = {"frame_rate": None} | json.loads(text)
            return cls(**found)
        except (TypeError, ValueError) as error:
            raise ValueError("metadata: expected what `agegait export` writes, received something else.") from error
