"""Reads weights of the published TensorFlow 1 code into the models.

TensorFlow 1 keeps an LSTM layer's kernel in one matrix, rows of the inputs first and of the state after them, its gates
in the order input, cell, forget, output; Keras has a matrix for each and the order input, forget, cell, output.
"""

import glob
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import keras
import numpy as np

from agegait.layers import AxisLSTM
from agegait.models import GaitEncoder, GaitRecognizer
from agegait.recordings.files.opening import open_regular

AXES = ("x", "y", "z")
CHECKPOINT = "trained_model.ckpt"
MOST_BYTES = 1 << 30
"""Of a checkpoint's file of values; those of the published encoders have 40 MB."""

MOST_INDEX_BYTES = 16 << 20

Variables = Mapping[str, np.ndarray]


def load_reference(
    encoder_dirs: Mapping[str, str | PathLike] | Sequence[str | PathLike],
    recognizer_dir: str | PathLike,
    attention: str = "LA",
    frames: int = 6,
) -> tuple[GaitEncoder, GaitRecognizer]:
    """The published TF1 checkpoints as models. Sizes are read off the checkpoints.

    Args:
        encoder_dirs: Folders of the gait encoders of x, y and z, in this order or by these names; each holds
            `trained_model.ckpt.*`.
        recognizer_dir: Folder of the recognition network.
        attention: What the encoders were trained with, `"LA"` or `"BA"`; the variables are the same.
        frames: Frames f of a window; the encoders' variables do not depend on it.

    Returns:
        The encoder and the recognizer, of the manner that the recognition network's inputs show.

    Raises:
        ValueError: A folder without a checkpoint, variables missing or of other shapes, or parts that do not fit.
    """
    dirs = [encoder_dirs[axis] for axis in AXES] if isinstance(encoder_dirs, Mapping) else list(encoder_dirs)
    if len(dirs) != len(AXES):
        raise ValueError(f"encoder_dirs: expected three folders, for x, y and z, received {len(dirs)}.")
    encoder = gait_encoder([read_checkpoint(folder) for folder in dirs], attention=attention, frames=frames)
    return encoder, gait_recognizer(read_checkpoint(recognizer_dir), frames, age_size=3 * encoder.units)


def read_checkpoint(folder: str | PathLike) -> dict[str, np.ndarray]:
    """All variables of a folder's `trained_model.ckpt`, by name.

    Reading takes no more memory than the files have bytes.

    Raises:
        ValueError: No checkpoint, files that are not regular or too large, or variables that are not numbers or larger
            than the files.
    """
    import tensorflow as tf

    prefix = Path(folder) / CHECKPOINT
    if not prefix.with_name(f"{CHECKPOINT}.index").exists():
        raise ValueError(f"{folder}: expected a checkpoint {CHECKPOINT}.index, found none.")
    left = sum(_size(path, MOST_BYTES) for path in Path(folder).glob(f"{glob.escape(CHECKPOINT)}.data-*"))
    _size(Path(f"{prefix}.index"), MOST_INDEX_BYTES)
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        shapes, types = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
        for name, shape in shapes.items():
            if not (types[name].is_floating or types[name].is_integer):
                raise ValueError(f"expected numbers in {name!r}, found {types[name].name}")
            left -= math.prod(shape) * types[name].size
            if left < 0:  # TensorFlow would take the memory before it looks
                raise ValueError(f"expected variables of as many bytes as the files have, found {name!r} of {shape}")
        return {name: reader.get_tensor(name) for name in shapes}
    except (tf.errors.OpError, ValueError) as error:
        raise ValueError(f"{prefix}: expected a TensorFlow 1 checkpoint, but reading it failed: {error}") from error


def _size(path: Path, most: int) -> int:
    with open_regular(path, most=most) as file:
        return os.fstat(file.fileno()).st_size


def gait_encoder(axes: Sequence[Variables], attention: str = "LA", frames: int = 6, **options: Any) -> GaitEncoder:
    """A `GaitEncoder` from the variables of the published graph, one mapping of names to arrays for each of x, y, z.

    Args:
        axes: The variables of each axis. Sizes are read off them.
        attention: `"LA"` or `"BA"`.
        frames: Frames f of a window.
        **options: Further arguments of `GaitEncoder`.

    Raises:
        ValueError: A variable is missing, or its shape does not fit the others.
    """
    joints = _get(axes[0], "decode/decoder/dense/bias").shape[0]
    units = _get(axes[0], "memory_layer/kernel").shape[1]
    num_layers = sum(name.startswith("rnn/") and name.endswith("/kernel") for name in axes[0])
    encoder = GaitEncoder(frames, joints, units, num_layers, attention, **options)
    encoder.build((None, frames, joints, 3))
    for variable, value in pairs(encoder, axes):
        _assign(variable, value)
    return encoder


def gait_recognizer(variables: Variables, frames: int = 6, age_size: int | None = None) -> GaitRecognizer:
    """A `GaitRecognizer` from the variables of the published recognition network.

    Args:
        variables: W1, b1, W and the output's bias, which checkpoints call `Variable`.
        frames: Frames f of a window.
        age_size: Values of a frame's AGE; three times the network's hidden units where absent, as published.

    Returns:
        A recognizer of manner `"ap"` where the network's inputs are one frame's AGE, `"sc"` where they are f joined.

    Raises:
        ValueError: A variable is missing, or its shape does not fit the others or `age_size`.
    """
    kernel = _get(variables, "W1")
    size, units = kernel.shape
    age_size = 3 * units if age_size is None else age_size
    manners = {age_size: "ap", age_size * frames: "sc"}
    if size not in manners:
        raise ValueError(
            f"W1: expected {age_size} inputs (a frame's AGE) or {age_size * frames} (those of {frames} frames), "
            f"received {size}."
        )
    output_kernel = _get(variables, "W")
    recognizer = GaitRecognizer(output_kernel.shape[1], manners[size], units)
    recognizer.build((None, frames, age_size))
    hidden, logits = recognizer.hidden[0], recognizer.logits
    _assign(hidden.kernel, kernel)
    _assign(hidden.bias, _get(variables, "b1"))
    _assign(logits.kernel, output_kernel)
    _assign(logits.bias, _get(variables, "b" if "b" in variables else "Variable"))
    return recognizer


def pairs(encoder: GaitEncoder, axes: Sequence[Variables]) -> Iterator[tuple[keras.Variable, np.ndarray]]:
    """Each weight of a built encoder beside the published values for it, the axes leading.

    The values may be anything that is laid out as the published variables are: weights, gradients, moments.
    """
    units, joints = encoder.units, encoder.joints

    def stack(name: str, change: Callable[[np.ndarray], np.ndarray] = lambda matrix: matrix) -> np.ndarray:
        return np.stack([change(_get(variables, name)) for variables in axes])

    def lstm(layer: AxisLSTM, scope: str, size: int) -> Iterator[tuple[keras.Variable, np.ndarray]]:
        kernel = stack(f"{scope}/kernel", _gates_in_keras_order)
        yield layer.kernel, kernel[:, :size]
        yield layer.recurrent_kernel, kernel[:, size:]
        yield layer.bias, stack(f"{scope}/bias", _gates_in_keras_order)

    for number, layer in enumerate(encoder.encoder.lstms):
        yield from lstm(layer, f"rnn/multi_rnn_cell/cell_{number}/lstm_cell", units if number else joints)
    wrapper = "decode/decoder/Attention_Wrapper"
    for number, layer in enumerate(encoder.decoder.lstms):
        scope = f"{wrapper}/multi_rnn_cell/cell_{number}/lstm_cell"
        yield from lstm(layer, scope, units if number else joints + units)
    yield encoder.decoder.attention.kernel, stack("memory_layer/kernel")
    yield encoder.decoder.state_kernel, stack(f"{wrapper}/attention_layer/kernel")
    yield encoder.decoder.output_kernel, stack("decode/decoder/dense/kernel")
    yield encoder.decoder.output_bias, stack("decode/decoder/dense/bias")


def _gates_in_keras_order(matrix: np.ndarray) -> np.ndarray:
    i, c, f, o = np.split(matrix, 4, axis=-1)
    return np.concatenate([i, f, c, o], axis=-1)


def _get(variables: Variables, name: str) -> np.ndarray:
    if name not in variables:
        raise ValueError(f"variables: expected {name!r}, received {', '.join(sorted(variables)) or 'none'}.")
    return variables[name]


def _assign(variable: keras.Variable, value: np.ndarray) -> None:
    if tuple(variable.shape) != value.shape:
        raise ValueError(f"{variable.path}: expected a shape of {tuple(variable.shape)}, received {value.shape}.")
    variable.assign(value)
