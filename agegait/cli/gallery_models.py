"""The embedder that a command names, and where its calibration is kept."""

from pathlib import Path
from typing import Any

from agegait.cli.tensorflow import start_tensorflow


def load_embedder(model: str) -> Any:
    """The `GaitEmbedder` of a run's folder, of a `.keras` file, or one that comes with this package.

    Raises:
        ValueError: None of them, or a run without an embedder.
    """
    start_tensorflow(data_sets=False)
    from agegait import training
    from agegait.models import GaitEmbedder

    if not Path(model).is_dir():
        try:
            return GaitEmbedder.from_preset(model)
        except ValueError as error:
            known = ", ".join(GaitEmbedder.PRESETS)
            if Path(model).is_file():
                raise ValueError(f"model: {str(error).removeprefix('preset: ')}") from error
            raise ValueError(
                f"model: expected a run's folder, a .keras file, or one of {known}, received {model!r}."
            ) from error
    embedder = training.load_run(model).embedder
    if embedder is None:
        raise ValueError(f"model: expected a run with an embedder, received {model}, whose recipe has none.")
    return embedder


def calibration_file(model: str) -> Path | None:
    """Where the calibration of such an embedder is, or is to be written; None for one of this package."""
    path = Path(model)
    if path.is_dir():
        return path / "calibration.json"
    return path.with_suffix(".calibration.json") if path.suffix == ".keras" else None


def load_calibration(model: str) -> Any:
    """Its calibration, None where there is none."""
    from agegait.gallery import Calibration

    path = calibration_file(model)
    return Calibration.load(path) if path is not None and path.exists() else None
