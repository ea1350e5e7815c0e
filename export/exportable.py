"""What can be exported: the parts of a run, an identifier, or an embedder."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agegait.skeletons import JOINTS
from agegait.thresholds.calibration import Calibration, calibration_file

from .embedder_endpoints import embedder_endpoints
from .embedder_file import EmbedderFile
from .endpoints import Endpoint, encoder_endpoints, recognizer_endpoints
from .identifier_endpoints import identifier_endpoints
from .resampled_endpoint import resampled_endpoint

NAMES = ("encoder", "recognizer", "identifier", "embedder")
"""What exported models are called."""


@dataclass(frozen=True)
class Exportable:
    """Models to export together.

    Attributes:
        identifier: A `GaitIdentifier`, which is exported with its encoder and recognizer; None for none.
        embedder: A `GaitEmbedder`; None for none.
        run: The record of the run that they are of; None where that is not known.
        calibration: Of the embedder; None where it has none.
    """

    identifier: Any = None
    embedder: Any = None
    run: Mapping[str, Any] | None = None
    calibration: Calibration | None = None

    @classmethod
    def of(cls, models: Any) -> "Exportable":
        """What `agegait.export.save` takes.

        Raises:
            ValueError: It is something else.
        """
        if isinstance(models, str | os.PathLike):
            return cls._of_path(models)
        if hasattr(models, "embed") and hasattr(models, "embedding_size"):
            return cls(embedder=models)
        if not all(hasattr(models, part) for part in ("encoder", "recognizer", "normalization", "persons")):
            raise ValueError(
                f"models: expected a GaitIdentifier, a GaitEmbedder or a run folder, received {type(models).__name__}."
            )
        if not models.built:
            models(np.zeros((1, models.encoder.frames, models.encoder.joints, 3), np.float32))
        return cls(identifier=models)

    @classmethod
    def _of_path(cls, path: str | os.PathLike) -> "Exportable":
        if Path(path).suffix == ".keras":
            from agegait.models import GaitEmbedder

            beside = calibration_file(path)
            calibration = Calibration.load(beside) if beside is not None and beside.exists() else None
            return cls(embedder=GaitEmbedder.from_preset(path), calibration=calibration)
        from agegait import training

        run = training.load_run(path)
        return cls(run.identifier, run.embedder, run.manifest(), run.calibration)

    @property
    def names(self) -> tuple[str, ...]:
        """What the models are called."""
        return (*(NAMES[:3] if self.identifier is not None else ()), *(NAMES[3:] if self.embedder is not None else ()))

    def endpoints(self) -> dict[str, dict[str, Endpoint]]:
        """The signatures of each model. Models of walks that know their frame rate have `resampled` too."""
        makers = (encoder_endpoints, recognizer_endpoints, identifier_endpoints, embedder_endpoints)
        models = (*(self.identifier,) * 3, self.embedder)
        found = {}
        for name, endpoints, model in zip(NAMES, makers, models, strict=True):
            if name in self.names:
                found[name] = endpoints(model)
                if "padded" in found[name] and model.frame_rate is not None:
                    found[name]["resampled"] = resampled_endpoint(found[name]["padded"], model.frame_rate)
        return found

    @property
    def embedder_file(self) -> EmbedderFile:
        """What a gallery has to know of the embedder."""
        return EmbedderFile.of(self.embedder, self.calibration)

    @property
    def metres(self) -> float:
        """How many metres a unit of the identifier's skeletons is."""
        if self.identifier is None:
            return 1.0
        normalization = self.identifier.normalization
        return normalization.UNITS[normalization.unit]

    def manifest(self) -> dict[str, Any]:
        """What the models are."""
        content: dict[str, Any] = {}
        if self.identifier is not None:
            encoder, normalization = self.identifier.encoder, self.identifier.normalization
            content |= {
                "frames": encoder.frames,
                "joints": list(JOINTS) if encoder.joints == len(JOINTS) else encoder.joints,
                "units": encoder.units,
                "unit_of_length": normalization.unit,
                "frame_rate": self.identifier.frame_rate,
                "normalization": normalization.get_config(),
                "persons": list(self.identifier.persons),
            }
        if self.embedder is not None:
            found = self.embedder_file
            content["embedder"] = {
                "fingerprint": found.fingerprint,
                "embedding_size": found.embedding_size,
                "frame_rate": found.frame_rate,
                "calibrated_on": found.calibration and found.calibration.people,
            }
        return {**content, "data_licence": (self.run or {}).get("data", {}).get("licence"), "run": self.run}
