"""Writes models for the edge: one file each, for ONNX Runtime or LiteRT."""

import dataclasses
import importlib.util
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np

from agegait.storage.disk_full import naming_full_disk

from .aside_folder import aside_folder, share_with_group
from .edge_graph import EdgeGraph
from .exportable import Exportable
from .litert_file import LiteRTFile
from .onnx_file import OnnxFile

FORMATS: dict[str, Any] = {"litert": LiteRTFile, "onnx": OnnxFile}

TOLERANCES = {None: 1e-4, "float16": 1e-2, "int8": 5e-2}
"""How far an answer may be from that of Keras, by quantization: of its largest value, or of 1."""


def save_for_edge(
    models: Any, out_dir: str | os.PathLike, format: str = "onnx", quantize: str | None = None
) -> dict[str, Path]:
    """Exports embedder and identifier for devices without TensorFlow, one file each.

    Both take `skeletons [B, T, J, 3]` and `lengths [B]`, any number of walks and frames. An embedder gives
    `embeddings [B, D]`, an identifier `logits` and `probabilities [B, N]`. Both give `fault [B]`, 0 for a walk that
    shows a body. What else belongs to a model is in its file, see `EdgeMetadata`.

    A file is loaded in its own runtime and compared with Keras before it gets its place. It replaces an earlier one.
    The owner alone can read it; the group can too, where `out_dir` is there already and has its set-group-ID bit set.

    Args:
        models: As of `save`: the folder of a training run, a `GaitIdentifier`, or a `GaitEmbedder` or its file.
        out_dir: Where to; made if absent.
        format: `"litert"` or `"onnx"`.
        quantize: `"float16"` or `"int8"` to store weights so; int8 rounds the inputs of products, too.

    Returns:
        The file of each model, by the model's name.

    Raises:
        ValueError: Something else, another Keras backend than TensorFlow, or a format whose packages are missing.
        RuntimeError: What was written differs from Keras by more than `TOLERANCES` say.
    """
    for name, received, known in (("format", format, (*FORMATS,)), ("quantize", quantize, (*TOLERANCES,))):
        if received not in known:
            expected = ", ".join(str(one) for one in known)
            raise ValueError(f"{name}: expected one of {expected}, received {received!r}.")
    kind = FORMATS[format]
    if missing := [package for package in kind.PACKAGES if importlib.util.find_spec(package) is None]:
        extra = f'pip install "agegait[{kind.EXTRA}]"'
        raise ValueError(f"format: expected the packages of {format}, found no {', '.join(missing)}: {extra}.")
    if keras.backend.backend() != "tensorflow":
        raise ValueError(f"export: expected Keras on TensorFlow, received the backend {keras.backend.backend()!r}.")
    exportable, out_dir = Exportable.of(models), Path(out_dir)
    with aside_folder(out_dir) as aside:
        written = []
        for graph in _graphs(exportable):
            metadata = dataclasses.replace(graph.metadata, quantization=quantize)
            path = aside / f"{metadata.model}{f'_{quantize}' if quantize else ''}{kind.SUFFIX}"
            with naming_full_disk(out_dir / path.name):
                kind.write(graph, path, metadata)
            _compare(kind(path), graph, metadata, path.name)
            share_with_group(out_dir, path)
            written.append((metadata.model, path))
        return {model: path.replace(out_dir / path.name) for model, path in written}


def _graphs(exportable: Exportable) -> list[EdgeGraph]:
    identifier, embedder = exportable.identifier, exportable.embedder
    found = []
    if identifier is not None:
        rate = identifier.frame_rate
        found.append(
            EdgeGraph.of_identifier(identifier, embedder.frame_rate if rate is None and embedder is not None else rate)
        )
    if embedder is not None:
        found.append(EdgeGraph.of_embedder(embedder))
    return found


def _compare(written: Any, graph: EdgeGraph, metadata: Any, name: str) -> None:
    if written.metadata != metadata:
        raise RuntimeError(f"{name}: its metadata differ from what was written.")
    for skeletons, lengths in graph.samples():
        found = written(skeletons, lengths)
        for output, tensor in graph.function(skeletons, lengths).items():
            expected = tensor.numpy()
            if expected.dtype.kind != "f":
                apart, most = np.max(found[output] != expected), 0.0
            else:
                scale = max(1.0, float(np.abs(expected).max(initial=0)))
                apart, most = np.abs(found[output] - expected).max(initial=0), TOLERANCES[metadata.quantization] * scale
            if found[output].shape != expected.shape or not apart <= most:  # NaN is not
                raise RuntimeError(
                    f"{name}: {output} differs from Keras by {float(apart):.2g} where at most {most:.2g} is allowed, "
                    f"for walks of {skeletons.shape[1]} frames. It was not written."
                )
