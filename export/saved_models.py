"""Writes the SavedModels that the server, ours or tensorflow/serving, answers with."""

import contextlib
import datetime
import importlib.metadata
import json
import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from agegait.layers.few_rows_lstm_cell import FEW_ROWS
from agegait.skeletons import JOINTS, STANDING
from agegait.storage.disk_full import naming_full_disk

from .aside_folder import aside_folder, share_with_group
from .embedder_file import EmbedderFile
from .endpoints import Endpoint
from .exportable import NAMES, Exportable
from .plain_path import plain_path
from .signature_limits import write_limits
from .version_manifest import VersionManifest
from .warmup import write_warmup

# Whitening magnifies float32's rounding, which differs between a graph and single operations; a wrong graph differs by
# far more.
_TOLERANCE = 5e-4

SAMPLE_SIZES = (1, FEW_ROWS + 1)
"""Rows of the requests that are compared and written for warm-up: graphs may take another way for few rows."""


def save(
    models: Any, out_dir: str | os.PathLike, version: int | None = None, base_path: str | os.PathLike = "/models"
) -> dict[str, Path]:
    """Exports the models of a run for serving.

    Writes `out_dir/{encoder,recognizer,identifier,embedder}/<version>/` with warm-up requests, as many of these models
    as there are. Beside them are `models.config` for tensorflow/serving and `manifest.json`: joint schema, frames,
    people, the embedder's fingerprint, versions, the run, and the SHA-256 of every file. Each version has the SHA-256
    of its own files too, which our server compares. What was written is loaded again and compared with Keras before it
    gets its place; where anything fails, `out_dir` is left as it was. The owner alone can read the files; the group can
    too, where `out_dir` is there already and has its set-group-ID bit set.

    Args:
        models: The folder of a training run, a `GaitIdentifier`, or a `GaitEmbedder` or the `.keras` file of one, which
            is exported alone.
        out_dir: Where to; made if absent.
        version: Version of all of them; where absent, the one after the newest in `out_dir`.
        base_path: Where the server that reads `models.config` sees `out_dir`; absolute.

    Returns:
        The folder of each model's version, by the model's name.

    Raises:
        ValueError: Something else, a version that is not a positive number or exists, a `base_path` that is not
            absolute, another Keras backend than TensorFlow, or an `out_dir` with models that these have not.
        RuntimeError: What was written holds cuDNN ops, or differs from Keras by more than 5e-4 of the
            answer's largest value, or of 1.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(f"export: expected Keras on TensorFlow, received the backend {keras.backend.backend()!r}.")
    base_path = PurePosixPath(base_path)
    if not base_path.is_absolute():
        raise ValueError(f"base_path: expected an absolute path, received {str(base_path)!r}.")
    exportable, out_dir = Exportable.of(models), Path(out_dir)
    names = exportable.names
    _refuse_others(out_dir, names)
    version = _free_version(out_dir, version, names)
    with aside_folder(out_dir) as aside:
        # Traced where no GPU is seen: an LSTM traced on one may become a cuDNN op, which no CPU loads.
        with tf.device("CPU"):
            by_name = exportable.endpoints()
        for name, endpoints in by_name.items():
            with naming_full_disk(out_dir / name):
                embedder_file = exportable.embedder_file if name == "embedder" else None
                _write(aside / name, name, endpoints, exportable.metres, embedder_file)
        manifest = _manifest(exportable, {name: (version, aside / name) for name in names})
        (aside / "manifest.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
        (aside / "models.config").write_text(_models_config(base_path, names))
        return _place(aside, out_dir, version, names)


def _refuse_others(out_dir: Path, names: tuple[str, ...]) -> None:
    """Refuses a folder where models of an earlier export would be served on beside these, by another run."""
    others = [name for name in NAMES if name not in names and (out_dir / name).exists()]
    if others:
        raise ValueError(
            f"{out_dir}: expected a folder without {', '.join(others)}, which this export has not: choose another."
        )


def _free_version(out_dir: Path, version: int | None, names: Iterable[str]) -> int:
    taken = {
        int(folder.name)
        for name in names
        for folder in (out_dir / name).glob("*")
        if folder.name.isascii() and folder.name.isdecimal()
    }
    if version is None:
        return max(taken, default=0) + 1
    if not isinstance(version, int) or version < 1:
        raise ValueError(f"version: expected a number of at least 1, received {version!r}.")
    if version in taken:
        raise ValueError(f"version: {version} is in {out_dir} already.")
    return version


def _place(aside: Path, out_dir: Path, version: int, names: tuple[str, ...]) -> dict[str, Path]:
    """Renames what is complete into its place, all of it or nothing."""
    placed: dict[str, Path] = {}
    for written in aside.iterdir():
        share_with_group(out_dir, written)
    try:
        for name in names:
            target = out_dir / name / str(version)
            if not target.parent.exists():
                target.parent.mkdir()
                share_with_group(out_dir, target.parent)
            (aside / name).rename(target)
            placed[name] = target
        for name in ("models.config", "manifest.json"):
            (aside / name).replace(out_dir / name)
    except BaseException:
        for name in names:
            if name in placed:
                placed[name].rename(aside / name)
            with contextlib.suppress(OSError):
                (out_dir / name).rmdir()
        raise
    return placed


def _write(
    folder: Path,
    model: str,
    endpoints: dict[str, Endpoint],
    metres: float = 1.0,
    embedder_file: EmbedderFile | None = None,
) -> None:
    # Traced where no GPU is seen: an LSTM traced on one may become a cuDNN op, which no CPU loads.
    with tf.device("CPU"):
        traced = {
            endpoint: tf.function(
                endpoint.function, input_signature=endpoint.inputs, autograph=False
            ).get_concrete_function()
            for endpoint in dict.fromkeys(endpoints.values())
        }
        # Variables and signatures, no functions beside them, as Keras's archive has: these would be traced once more.
        holder = tf.Module()
        variables = (variable for function in traced.values() for variable in function.variables)
        holder.weights = list({id(variable): variable for variable in variables}.values())
        signatures = {signature: traced[endpoint] for signature, endpoint in endpoints.items()}
        tf.saved_model.save(holder, str(folder), signatures=signatures)
        _refuse_cudnn(folder)
        samples = {
            name: [_sample(endpoint, size, metres) for size in SAMPLE_SIZES] for name, endpoint in endpoints.items()
        }
        _compare(folder, endpoints, samples)
    write_warmup(folder, model, samples)
    write_limits(folder, {name: endpoint.limits for name, endpoint in endpoints.items()})
    if embedder_file is not None:
        embedder_file.write(folder)
    VersionManifest.from_files(folder).write(folder)


def _refuse_cudnn(folder: Path) -> None:
    saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    for graph in (meta.graph_def for meta in saved.meta_graphs):
        nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
        cudnn = sorted({node.op for node in nodes if "Cudnn" in node.op})
        if cudnn:
            raise RuntimeError(f"{folder.name}: the graph holds {', '.join(cudnn)}, which no CPU loads.")


def _sample(endpoint: Endpoint, batch: int, metres: float) -> dict[str, np.ndarray]:
    """Inputs of the right shape: noise, on a made-up body, so that no one's walk is written beside a model.

    Enough of it that the body does not stand still: whitening would magnify the rounding of what hardly changes.
    """
    rng = np.random.default_rng(0)
    sample: dict[str, np.ndarray] = {}
    for spec in endpoint.inputs:
        if spec.name == "lengths":
            least = max(endpoint.limits.min_frames, endpoint.sample_frames // 2)
            sample[spec.name] = rng.integers(least, endpoint.sample_frames + 1, batch, dtype=np.int32)
            continue
        if spec.name == "frame_rate":
            sample[spec.name] = rng.choice([0.5, 1.0], batch).astype(np.float32) * np.float32(
                endpoint.limits.frame_rate
            )
            continue
        shape = (endpoint.sample_frames if size is None else size for size in spec.shape[1:])
        values = rng.normal(size=(batch, *shape))
        if spec.name == "skeletons" and spec.shape[2] == len(JOINTS):
            values = (STANDING + 0.05 * values) / metres
        sample[spec.name] = values.astype(np.float32)
    return sample


def _compare(folder: Path, endpoints: dict[str, Endpoint], samples: dict[str, list[dict[str, np.ndarray]]]) -> None:
    with plain_path(folder) as path:
        reloaded = tf.saved_model.load(str(path))
    expected: dict[tuple[Endpoint, int], dict[str, tf.Tensor]] = {}  # two signatures may have one endpoint
    for signature, endpoint in endpoints.items():
        for number, sample in enumerate(samples[signature]):
            tensors = {name: tf.constant(array) for name, array in sample.items()}
            if (endpoint, number) not in expected:
                expected[endpoint, number] = endpoint.function(**tensors)
            differing = _differing(expected[endpoint, number], reloaded.signatures[signature](**tensors))
            if differing:
                raise RuntimeError(f"{folder.name}: {differing} of {signature} differs from Keras after a reload.")


def _differing(expected: dict[str, tf.Tensor], received: dict[str, tf.Tensor]) -> str | None:
    """The first tensor of an answer that is not the expected one."""
    # The answer is measured as a whole: probabilities of logits in the hundreds are no more exact than those are.
    scale = max(1, *(np.abs(tensor.numpy()).max(initial=0) for tensor in expected.values() if tensor.dtype.is_floating))
    for name, tensor in expected.items():
        if tensor.dtype.is_floating:
            if not np.allclose(received[name], tensor, rtol=0, atol=_TOLERANCE * scale):
                return name
        elif not np.array_equal(received[name], tensor):
            return name
    return None


def _manifest(exportable: Exportable, models: dict[str, tuple[int, Path]]) -> dict[str, Any]:
    return {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "packages": {name: importlib.metadata.version(name) for name in ("agegait", "keras", "tensorflow")},
        **exportable.manifest(),
        "models": {
            name: {"version": version, "sha256": VersionManifest.from_files(folder).sha256}
            for name, (version, folder) in models.items()
        },
    }


def _models_config(base_path: PurePosixPath, names: Iterable[str]) -> str:
    """The text that tensorflow/serving takes with `--model_config_file`."""
    configs = "".join(
        f'  config {{\n    name: "{name}"\n    base_path: {json.dumps(str(base_path / name))}\n'
        '    model_platform: "tensorflow"\n  }\n'
        for name in names
    )
    return f"model_config_list {{\n{configs}}}\n"
