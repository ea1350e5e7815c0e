"""Where a server's models are: in a folder, or named by a file."""

from collections.abc import Callable, Mapping
from pathlib import Path

from agegait.serving.server.model_config import read_model_config
from agegait.serving.server.model_options import ModelOptions
from agegait.serving.server.source import Source, version_folders


def find_sources(options: ModelOptions) -> tuple[Mapping[str, Source], Callable[[], Mapping[str, Source]]]:
    """The models to serve, and what finds further ones as they appear.

    Raises:
        ValueError: There are no models, or the file can't be understood.
    """
    if options.model_config_file is not None:
        return read_model_config(options.model_config_file), dict
    base = Path(options.folder or "")
    return _models_in(base), lambda: _discover(base)


def _models_in(folder: Path) -> dict[str, Source]:
    if not folder.is_dir():
        raise ValueError(f"folder: expected a folder of exported models, there is none at {folder}.")
    models = _discover(folder)
    if not models:
        raise ValueError(f"folder: expected exported models, <model>/<version>/, found none in {folder}.")
    return models


def _discover(folder: Path) -> dict[str, Source]:
    """The models that are there now, in `<model>/<version>/` or `<version>/`; none while the disk is away."""
    if _has_versions(folder):
        return {folder.resolve().name: Source(folder)}
    try:
        children = sorted(folder.iterdir())
    except OSError:
        return {}
    return {child.name: Source(child) for child in children if child.name[0] != "." and _has_versions(child)}


def _has_versions(folder: Path) -> bool:
    try:
        return bool(version_folders(folder))
    except OSError:
        return False
