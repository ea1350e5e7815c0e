"""What each exported model answers: its signatures, with named inputs and outputs."""

import functools
import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from agegait.layers import BodyCheck
from agegait.layers.few_rows_lstm_cell import FEW_ROWS

from .pieces import PIECE, map_pieces
from .signature_limits import SignatureLimits

Outputs = dict[str, tf.Tensor]

FAULT = tf.TensorSpec([None], tf.int32)
"""What `BodyCheck` says of each row."""

TEXT_BYTES = 64 + max(len(fault) for fault in BodyCheck.FAULTS)
"""What a text takes at most, besides a person's name: the longest fault, and what holds it."""

MEASURED_FRAMES = 512
"""Frames of the walk whose working memory is measured."""


class Endpoint(NamedTuple):
    """A function to export.

    Attributes:
        function: From tensors, by name, to tensors.
        inputs: What it takes.
        limits: What requests to it need and take.
        sample_frames: Frames of the walks by which it is tried; 0 where it takes none.
    """

    function: Callable[..., Outputs]
    inputs: tuple[tf.TensorSpec, ...]
    limits: SignatureLimits = SignatureLimits()
    sample_frames: int = 0


def encoder_endpoints(identifier: Any) -> dict[str, Endpoint]:
    """`skeletons [B, f, J, 3]`, raw metres, to `ages`, `attention` and `reconstruction`, the last one normalized.

    `fault [B]` says what is wrong with windows that show no body, and is empty for others. Where coordinates are not
    finite, all is NaN: the axes know nothing of each other, so that some would look well.
    """
    encoder = identifier.encoder
    frames, joints, units = encoder.frames, encoder.joints, encoder.units
    windows = tf.TensorSpec([None, frames, joints, 3], tf.float32, "skeletons")
    specs = {
        "ages": tf.TensorSpec([None, frames, 3 * units]),
        "attention": tf.TensorSpec([None, 3, frames, frames]),
        "reconstruction": tf.TensorSpec([None, frames, joints, 3]),
    }

    def work(windows: tf.Tensor, few: bool = False) -> Outputs:
        windows = identifier.normalization(windows)
        faults = identifier.body_check(windows)
        outputs = encoder(windows, few=few)
        finite = tf.reshape(faults != BodyCheck.NOT_FINITE, [-1, 1, 1, 1])
        return {"fault": faults} | {
            name: tf.where(
                finite if spec.shape.rank == 4 else finite[..., 0], tf.cast(outputs[name], tf.float32), np.nan
            )
            for name, spec in specs.items()
        }

    def encode(skeletons: tf.Tensor) -> Outputs:
        count = tf.shape(skeletons)[0]
        found = tf.cond(
            count <= FEW_ROWS,
            lambda: of_few(work)(skeletons),
            lambda: map_pieces(lambda rows: work(tf.gather(skeletons, rows)), count, {**specs, "fault": FAULT}, PIECE),
        )
        return {**found, "fault": words(found["fault"])}

    limits = SignatureLimits(
        frames=frames,
        stride=frames,
        piece=PIECE,
        window_bytes=working_bytes(work, windows),
        answer_window_bytes=TEXT_BYTES + sum(_row_bytes(spec) for spec in specs.values()),
    )
    return dict.fromkeys(("serving_default", "encode"), Endpoint(encode, (windows,), limits))


def recognizer_endpoints(identifier: Any) -> dict[str, Endpoint]:
    """`ages [B, f, 3k]` to `logits` and `probabilities [B, N]`, `person`, `score` and `fault [B]`.

    AGEs that are not finite are nobody's: as those of a walk that shows no body, see `identifier_endpoints`.
    """
    encoder = identifier.encoder
    ages = tf.TensorSpec([None, encoder.frames, 3 * encoder.units], tf.float32, "ages")
    persons = list(identifier.persons)
    specs = {"logits": tf.TensorSpec([None, len(persons)]), "fault": FAULT}

    def work(ages: tf.Tensor) -> Outputs:
        logits = tf.cast(identifier.recognizer(ages), tf.float32)
        finite = tf.reduce_all(tf.math.is_finite(ages), axis=[1, 2]) & tf.reduce_all(tf.math.is_finite(logits), axis=1)
        return {
            "logits": tf.where(finite[:, None], logits, 0.0),
            "fault": tf.where(finite, 0, BodyCheck.NOT_FINITE),
        }

    def recognize(ages: tf.Tensor) -> Outputs:
        found = map_pieces(lambda rows: work(tf.gather(ages, rows)), tf.shape(ages)[0], specs, PIECE)
        known = (found["fault"] == 0)[:, None]
        probabilities = tf.where(known, tf.nn.softmax(found["logits"]), 0.0)
        return with_persons({**found, "probabilities": probabilities}, persons)

    limits = SignatureLimits(
        piece=PIECE, window_bytes=working_bytes(work, ages), answer_row_bytes=person_bytes(persons)
    )
    return dict.fromkeys(("serving_default", "recognize"), Endpoint(recognize, (ages,), limits))


def with_persons(found: Outputs, persons: list[str]) -> Outputs:
    """With the person of each row, whose name is empty where there is a fault."""
    best = tf.gather(tf.constant(persons), tf.argmax(found["logits"], axis=-1))
    return {
        **found,
        "person": tf.where(found["fault"] == 0, best, ""),
        "score": tf.reduce_max(found["probabilities"], axis=-1),
        "fault": words(found["fault"]),
    }


def words(faults: tf.Tensor) -> tf.Tensor:
    """What `BodyCheck` says of each walk or window, in words."""
    return tf.gather(tf.constant(BodyCheck.FAULTS), faults)


def of_few(work: Callable[..., Outputs]) -> Callable[[tf.Tensor], Outputs]:
    """Work on a few windows, in the order of computation that is fastest for them."""
    # Not inlined: operations beside branches and loops take longer, and here they are small.
    return tf.function(functools.partial(work, few=True), autograph=False, experimental_attributes={"_noinline": True})


def working_bytes(work: Any, *specs: tf.TensorSpec) -> int:
    """Memory that work on a window takes at its peak, where tensors go with the last operation that reads them.

    Twice that, since operations run side by side, in another order than they were written in.

    Args:
        work: A function of tensors, or a `tf.function` with a signature.
        *specs: What it takes, where it has no signature.
    """
    traced = tf.function(work, autograph=False) if specs else work
    operations = traced.get_concrete_function(*specs).graph.get_operations()
    last = {tensor.name: number for number, operation in enumerate(operations) for tensor in operation.inputs}
    held, peak = 0, 0
    going: defaultdict[int, int] = defaultdict(int)
    for number, operation in enumerate(operations):
        for tensor in operation.outputs:
            if tensor.shape.rank and None in tensor.shape.as_list():
                held += _row_bytes(tensor)
                going[last.get(tensor.name, len(operations))] += _row_bytes(tensor)
        peak = max(peak, held)
        held -= going[number]
    return 2 * peak


def person_bytes(persons: list[str]) -> int:
    """Memory of what an answer says of one walk of these people."""
    return 8 * len(persons) + 4 + 2 * TEXT_BYTES + max(len(person.encode()) for person in persons)


def _row_bytes(tensor: Any) -> int:
    return math.prod(size for size in tensor.shape if size is not None) * tensor.dtype.size


def refuse_unless(condition: tf.Tensor, message: str) -> Any:
    """Refuses a request, in the graph; the operation that does so, for those that have to wait for it."""
    # In the graph, so that it holds under tensorflow/serving too.
    return tf.debugging.Assert(condition, [message])
