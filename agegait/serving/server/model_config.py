"""TensorFlow Serving's `models.config`: which models to serve, from where, and what labels their versions have."""

import logging
import os
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from agegait.serving.server.regular_file import read_regular
from agegait.serving.server.source import Source

_MAX_BYTES = 4 << 20

_log = logging.getLogger("agegait.serving")


def read_model_config(file: str | os.PathLike) -> dict[str, Source]:
    """The models of a ModelServerConfig in protobuf's text format.

    Raises:
        ValueError: The file can't be read or understood, or names no models, or one without its folder.
    """
    try:
        text = read_regular(Path(file), _MAX_BYTES).decode()
        return model_sources(text_format.Parse(text, model_server_config_pb2.ModelServerConfig()))
    except OSError as error:
        raise ValueError(f"model_config_file: {file} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"model_config_file: {file}: expected text in UTF-8.") from None
    except text_format.ParseError as error:
        place = f"{file}, line {error.GetLine()}" if error.GetLine() else str(file)
        # It starts with line and column.
        words = str(error).splitlines()[0].partition(" : ")[2] or "can't be understood"
        raise ValueError(f"model_config_file: {place}: {words}") from None
    except ValueError as error:
        raise ValueError(f"model_config_file: {file}: {error}") from None


def model_sources(config: Any) -> dict[str, Source]:
    """The models that a ModelServerConfig names.

    Raises:
        ValueError: There are none, one is named twice, or one makes no sense.
    """
    models = config.model_config_list.config
    if not models:
        raise ValueError("config: expected a model_config_list with at least one model")
    sources: dict[str, Source] = {}
    for model in models:
        if model.name in sources:
            raise ValueError(f"config: expected each model once, received {model.name!r} twice")
        sources[model.name] = _source(model)
    return sources


def _source(model: Any) -> Source:
    folder = Path(model.base_path)
    if not model.name or not folder.is_absolute() or not _is_folder(folder):
        raise ValueError(f"model {model.name!r}: expected a name and a base_path that is an absolute folder")
    if model.model_platform not in ("", "tensorflow"):
        raise ValueError(f"model {model.name!r}: expected the platform tensorflow, received {model.model_platform!r}")
    if model.HasField("logging_config"):
        _log.warning("model %s: logging_config is left alone, requests are not logged", model.name)
    policy, labels = model.model_version_policy, dict(model.version_labels)
    match policy.WhichOneof("policy_choice"):
        case "all":
            return Source(folder, newest=None, labels=labels)
        case "specific":
            return Source(folder, versions=frozenset(policy.specific.versions), labels=labels)
        case _:
            return Source(folder, newest=policy.latest.num_versions or 1, labels=labels)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name that is too long, or has a NUL in it
        return False
