"""The embedder that a command names, and its calibration."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from agegait.cli.tensorflow import start_tensorflow
from agegait.thresholds.preset_name import STARTER, preset_name

if TYPE_CHECKING:
    from agegait.gallery import Calibration


def load_embedder(model: str) -> Any:
    """The embedder of a run's folder, an export, a `.keras` file, or one that comes with this package.

    Raises:
        ValueError: None of them, or a run or an export without an embedder.
    """
    start_tensorflow(data_sets=False)
    if _is_export(model):
        from agegait.export import ExportedEmbedder

        try:
            return ExportedEmbedder(model)
        except ValueError as error:
            raise ValueError(f"model: {str(error).removeprefix('folder: ')}") from error
    from agegait import training
    from agegait.models import GaitEmbedder

    if not Path(model).is_dir():
        try:
            return GaitEmbedder.from_preset(preset_name(model))
        except ValueError as error:
            if Path(model).is_file():
                raise ValueError(f"model: {str(error).removeprefix('preset: ')}") from error
            raise ValueError(
                f"model: expected a run's folder, an export, a .keras file, or {STARTER}, received {model!r}."
            ) from error
    embedder = training.load_run(model).embedder
    if embedder is None:
        raise ValueError(f"model: expected a run with an embedder, received {model}, whose recipe has none.")
    return embedder


def load_calibration(model: str, embedder: Any) -> "Calibration | None":
    """The calibration of such an embedder, None where there is none."""
    from agegait.gallery import Calibration
    from agegait.thresholds.calibration import calibration_file

    if _is_export(model):
        found: Calibration | None = embedder.calibration
        return found
    if preset_name(model) == preset_name(STARTER) and not Path(model).is_dir():
        return Calibration.from_preset(preset_name(model))
    path = calibration_file(model)
    return Calibration.load(path) if path is not None and path.exists() else None


def calibration_place(model: str) -> Path | None:
    """Where the calibration of such an embedder is to be written; None for an export, or one of this package."""
    from agegait.thresholds.calibration import calibration_file

    return None if _is_export(model) else calibration_file(model)


def _is_export(model: str) -> bool:
    """Whether a folder is what `agegait export` writes: a run's has its record instead."""
    there = [name for name in ("run.json", "manifest.json", "embedder") if (Path(model) / name).exists()]
    return bool(there) and "run.json" not in there
