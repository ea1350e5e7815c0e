import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from agegait.export.embedder_file import EMBEDDER_FILE, EmbedderFile
from agegait.export.signature_limits import SignatureLimits, read_limits
from agegait.serving.server.load_error import LoadError
from agegait.serving.server.regular_file import read_regular
from agegait.serving.server.status_error import StatusError, invalid_argument

DEFAULT_SIGNATURE = "serving_default"

_ROWS_AT_ONCE = 512
_SAVED_MODEL = "saved_model.pb"
_MAX_SAVED_MODEL_BYTES = (2 << 30) - 1  # protobuf's own limit

_log = logging.getLogger("agegait.serving")


@dataclass(frozen=True)
class TensorSpec:
    """A signature's tensor: TensorFlow's number of its dtype, and its shape, None where a dimension may be any."""

    dtype: int
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True, eq=False)
class Signature:
    """One of a servable's functions, and what it takes and gives."""

    name: str
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]
    function: Callable[..., dict[str, tf.Tensor]]
    limits: SignatureLimits

    @property
    def joinable(self) -> bool:
        """Whether every tensor has an open leading dimension, so that requests may run as one."""
        specs = (*self.inputs.values(), *self.outputs.values())
        return all(spec.shape and spec.shape[0] is None for spec in specs)

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """All outputs for inputs that were checked; of many rows, a piece at a time, so that memory is bounded.

        Raises:
            StatusError: INVALID_ARGUMENT where the model refuses the values or has no finite answer to them,
                RESOURCE_EXHAUSTED where memory does not suffice, INTERNAL otherwise. TensorFlow's own words stay here:
                they name graph nodes and show values.
        """
        rows = len(next(iter(inputs.values()))) if self.joinable and inputs else 1
        if rows <= _ROWS_AT_ONCE:
            return self._run_piece(inputs)
        pieces = [
            self._run_piece({name: array[start : start + _ROWS_AT_ONCE] for name, array in inputs.items()})
            for start in range(0, rows, _ROWS_AT_ONCE)
        ]
        return {name: np.concatenate([piece[name] for piece in pieces]) for name in self.outputs}

    def _run_piece(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        try:
            outputs = self.function(**{name: tf.constant(array) for name, array in inputs.items()})
            arrays = {name: outputs[name].numpy() for name in self.outputs}
        except tf.errors.InvalidArgumentError:
            raise StatusError(
                grpc.StatusCode.INVALID_ARGUMENT, f"the model refused the values of {', '.join(sorted(inputs))}"
            ) from None
        except tf.errors.ResourceExhaustedError:
            raise StatusError(grpc.StatusCode.RESOURCE_EXHAUSTED, "not enough memory for this request") from None
        except Exception as error:
            _log.error("signature %s failed: %s", self.name, type(error).__name__)
            raise StatusError(grpc.StatusCode.INTERNAL, "the model failed") from None
        for name, array in arrays.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise invalid_argument(
                    f"the values of {', '.join(sorted(inputs))} are beyond the model: its {name} are not finite"
                )
        return arrays


class Servable:
    """One version of a SavedModel, loaded.

    Args:
        name: The model's name.
        version: Its version.
        folder: The version's folder.

    Attributes:
        embedder: What a gallery has to know of it; None for another model, or an old embedder.

    Raises:
        LoadError: The folder holds no SavedModel, or a broken one.
    """

    def __init__(self, name: str, version: int, folder: Path) -> None:
        self.name = name
        self.version = version
        graph = _serving_graph(folder)
        self.signature_defs = {
            key: definition for key, definition in graph.signature_def.items() if not key.startswith("__")
        }
        limits, self.embedder = _extras(folder)
        # The whole object is kept: signatures alone do not keep its variables alive.
        self._loaded = _load(folder)
        missing = sorted(self.signature_defs.keys() - self._loaded.signatures.keys())
        if missing:
            raise LoadError(f"{_SAVED_MODEL}: the graph lacks the signature {missing[0]}")
        self.signatures = {
            key: Signature(
                name=key,
                inputs=_specs(definition.inputs),
                outputs=_specs(definition.outputs),
                function=self._loaded.signatures[key],
                limits=limits.get(key, SignatureLimits()),
            )
            for key, definition in self.signature_defs.items()
        }

    def signature(self, name: str) -> Signature:
        """The signature of a name; the empty name is `serving_default`.

        Raises:
            StatusError: FAILED_PRECONDITION for a name that it has not.
        """
        name = name or DEFAULT_SIGNATURE
        if name not in self.signatures:
            raise StatusError(grpc.StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.')
        return self.signatures[name]


def _serving_graph(folder: Path) -> Any:
    try:
        saved = saved_model_pb2.SavedModel.FromString(read_regular(folder / _SAVED_MODEL, _MAX_SAVED_MODEL_BYTES))
    except FileNotFoundError:
        raise LoadError(f"{_SAVED_MODEL}: missing") from None
    except OSError as error:
        raise LoadError(f"{_SAVED_MODEL}: {error.strerror}") from None
    except DecodeError:
        raise LoadError(f"{_SAVED_MODEL}: not a SavedModel") from None
    if not saved.meta_graphs:
        raise LoadError(f"{_SAVED_MODEL}: not a SavedModel")
    graph = next((graph for graph in saved.meta_graphs if "serve" in graph.meta_info_def.tags), None)
    if graph is None:
        raise LoadError(f"{_SAVED_MODEL}: expected a graph tagged serve, found none")
    return graph


def _load(folder: Path) -> Any:
    try:
        return tf.saved_model.load(str(folder), tags=["serve"])
    except Exception as error:  # TensorFlow raises anything, with absolute paths and names of graph nodes in it.
        _log.debug("TensorFlow says: %s: %s", type(error).__name__, error)
    if not _variables_are_whole(folder / "variables/variables"):
        raise LoadError("variables: missing or damaged")
    raise LoadError(f"{_SAVED_MODEL}: TensorFlow can't load its graph")


def _variables_are_whole(checkpoint: Path) -> bool:
    try:
        reader = tf.train.load_checkpoint(str(checkpoint))
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except Exception:
        return False
    return True


def _extras(folder: Path) -> tuple[dict[str, SignatureLimits], EmbedderFile | None]:
    try:
        embedder = EmbedderFile.read(folder) if (folder / EMBEDDER_FILE).exists() else None
        return read_limits(folder), embedder
    except ValueError as error:
        raise LoadError(str(error)) from None


def _specs(infos: Mapping[str, Any]) -> dict[str, TensorSpec]:
    return {name: TensorSpec(info.dtype, _shape(info.tensor_shape)) for name, info in infos.items()}


def _shape(shape: Any) -> tuple[int | None, ...] | None:
    if shape.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else dim.size for dim in shape.dim)
