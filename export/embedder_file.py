import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from agegait.storage.records import from_record, load_json
from agegait.thresholds.calibration import Calibration

EMBEDDER_FILE = Path("assets.extra/agegait_embedder.json")
"""In the folder of an embedder's version."""


@dataclass(frozen=True)
class EmbedderFile:
    """What a gallery has to know of an exported embedder. It lies beside the graph, so each version has its own.

    Attributes:
        fingerprint: That of the embedder in Keras, whose templates compare with the graph's.
        embedding_size: Size D of an embedding.
        frame_rate: Frames a second of the walks that it takes.
        joints: Joints J of a skeleton.
        calibration: What its distances mean; None where that was not measured.
    """

    fingerprint: str
    embedding_size: int
    frame_rate: float
    joints: int
    calibration: Calibration | None = None

    @classmethod
    def of(cls, embedder: Any, calibration: Calibration | None) -> Self:
        """That of a `GaitEmbedder`.

        Raises:
            ValueError: The calibration is another embedder's.
        """
        fingerprint = embedder.fingerprint()
        if calibration is not None and calibration.fingerprint != fingerprint:
            raise ValueError(
                f"calibration: expected one of the embedder {fingerprint[:12]}, found one of another, "
                f"{calibration.fingerprint[:12]}: measure it anew with `agegait calibrate`."
            )
        return cls(fingerprint, embedder.embedding_size, embedder.frame_rate, embedder.joints, calibration)

    def write(self, version_folder: Path) -> None:
        """Writes it into a version's folder."""
        path = version_folder / EMBEDDER_FILE
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(dataclasses.asdict(self)) + "\n")

    @classmethod
    def read(cls, version_folder: Path) -> Self:
        """That of a version.

        Raises:
            ValueError: It has none, or something else.
        """
        path = version_folder / EMBEDDER_FILE
        try:
            return from_record(cls, load_json(path))
        except FileNotFoundError:
            raise ValueError(
                f"{version_folder}: expected {EMBEDDER_FILE}, found none: export the embedder again."
            ) from None
        except ValueError:
            raise ValueError(f"{path}: expected what `agegait export` writes, found something else.") from None
