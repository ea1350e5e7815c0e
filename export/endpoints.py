"""What each exported model answers: its signatures, with named inputs and outputs."""

import dataclasses
import functools
import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from agegait.layers import BodyCheck
from agegait.layers.few_rows_lstm_cell import FEW_ROWS

from .pieces import PIECE, map_pieces, sum_pieces
from .signature_limits import SignatureLimits

Outputs = dict[str, tf.Tensor]

_FAULT = tf.TensorSpec([None], tf.int32)
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
            lambda: map_pieces(lambda rows: work(tf.gather(skeletons, rows)), count, {**specs, "fault": _FAULT}, PIECE),
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
    specs = {"logits": tf.TensorSpec([None, len(persons)]), "fault": _FAULT}

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
        return _named({**found, "probabilities": probabilities}, persons)

    limits = SignatureLimits(
        piece=PIECE, window_bytes=working_bytes(work, ages), answer_row_bytes=_person_bytes(persons)
    )
    return dict.fromkeys(("serving_default", "recognize"), Endpoint(recognize, (ages,), limits))


def identifier_endpoints(identifier: Any) -> dict[str, Endpoint]:
    """`skeletons [B, T, J, 3]`, raw metres, to the recognizer's outputs a walk; `padded` takes `lengths [B]` too.

    A walk that shows no body has an empty `person`, a `score`, `probabilities` and `logits` of 0, and a `fault` that
    says why; it is empty for others.

    `windows` is for walks that are still going on: it takes any T and gives `logits [B, W, N]` of the windows that are
    complete, with the `fault [B, W]` of those that show no body and therefore have no say, and for whoever adds them
    up, each a row: `frames` and `stride` of windows, the `persons [B, N]` and, where it is known, the `frame_rate [B]`
    of the walks.
    """
    encoder = identifier.encoder
    frames, joints, stride = encoder.frames, encoder.joints, identifier.stride
    walks = tf.TensorSpec([None, None, joints, 3], tf.float32, "skeletons")
    lengths = tf.TensorSpec([None], tf.int32, "lengths")
    persons = list(identifier.persons)
    # One function that all graphs call: the encoder, which is nearly all of a graph, is traced and kept once.
    cut_windows = tf.TensorSpec([None, frames, joints, 3])
    walk_answers = {"logits": tf.TensorSpec([None, len(persons)]), "frames": tf.TensorSpec([None])}
    traced = tf.function(
        identifier.recognize_windows,
        input_signature=[cut_windows] if identifier.embedder is None else [cut_windows, walk_answers],
        autograph=False,
    )

    def embedded(skeletons: tf.Tensor, lengths: tf.Tensor) -> Outputs | None:
        """What the embedder says of parts of walks, the parts of a walk one after another; None without one."""
        if identifier.embedder is None:
            return None
        # One frame at least, for the embedder: it counts for nothing where the walk has none.
        skeletons = tf.pad(skeletons, [[0, 0], [0, tf.maximum(0, 1 - tf.shape(skeletons)[1])], [0, 0], [0, 0]])
        batch, length = tf.unstack(tf.shape(skeletons)[:2])
        each = parts_of(identifier.window_count(length))
        size = tf.minimum(length, (PIECE - 1) * stride + frames)

        def work(parts: tf.Tensor) -> Outputs:
            rows, starts = parts // each, parts % each * PIECE * stride
            places = tf.minimum(starts[:, None] + tf.range(size), length - 1)
            walks = tf.gather(tf.gather(skeletons, rows), places, batch_dims=1)
            inside = tf.clip_by_value(tf.gather(lengths, rows) - starts, 0, size)
            return identifier.recognize_walks(walks, inside)

        at_once = tf.maximum(1, PIECE * stride // tf.maximum(size, 1))
        return map_pieces(work, batch * each, walk_answers, at_once)

    def recognized(skeletons: tf.Tensor, windows: tf.Tensor, count: tf.Tensor, of_parts: Outputs | None) -> Outputs:
        """Of windows by their numbers, when each walk has so many."""
        rows, own = windows // count, windows % count
        starts = rows * tf.shape(skeletons)[1] + own * stride
        flat = tf.reshape(skeletons, [-1, joints, 3])
        # Called eagerly, to be compared with what was exported, it is Keras itself.
        recognize = identifier.recognize_windows if tf.executing_eagerly() else traced
        cut = tf.gather(flat, starts[:, None] + tf.range(frames))
        if of_parts is None:
            return recognize(cut)
        parts = rows * parts_of(count) + own // PIECE
        return recognize(cut, {name: tf.gather(values, parts) for name, values in of_parts.items()})

    def of_walks(skeletons: tf.Tensor, lengths: tf.Tensor) -> Outputs:
        batch, length = tf.unstack(tf.shape(skeletons)[:2])
        count, own = identifier.window_count(length), identifier.window_count(lengths)
        of_parts = embedded(skeletons, lengths)

        def work(windows: tf.Tensor) -> tuple[tf.Tensor, Outputs]:
            found = recognized(skeletons, windows, count, of_parts)
            numbers = windows // count
            inside = windows % count < tf.gather(own, numbers)
            counts = tf.one_hot(tf.where(inside, found["fault"], -1), len(BodyCheck.FAULTS), dtype=tf.int32)
            return numbers, {"logits": tf.where(inside[:, None], found["logits"], 0.0), "counts": counts}

        totals = {
            "logits": tf.zeros([batch, len(persons)]),
            "counts": tf.zeros([batch, len(BodyCheck.FAULTS)], tf.int32),
        }
        return _named(identifier.conclude(**sum_pieces(work, batch * count, totals, PIECE)), persons)

    def identify(skeletons: tf.Tensor) -> Outputs:
        batch, length = tf.unstack(tf.shape(skeletons)[:2])
        refuse_unless(length >= frames, f"skeletons: expected at least {frames} frames")
        return of_walks(skeletons, tf.fill([batch], length))

    def padded(skeletons: tf.Tensor, lengths: tf.Tensor) -> Outputs:
        fits = tf.reduce_all((lengths >= frames) & (lengths <= tf.shape(skeletons)[1]))
        refuse_unless(fits, f"lengths: expected at least {frames} frames and at most as many as skeletons has")
        return of_walks(skeletons, lengths)

    def windows(skeletons: tf.Tensor) -> Outputs:
        batch, length = tf.unstack(tf.shape(skeletons)[:2])
        count = identifier.window_count(length)
        of_parts = embedded(skeletons, tf.fill([batch], length))
        found = map_pieces(
            lambda windows: recognized(skeletons, windows, tf.maximum(count, 1), of_parts),
            batch * count,
            {"logits": tf.TensorSpec([None, len(persons)]), "fault": _FAULT},
            PIECE,
        )
        return {
            "logits": tf.reshape(found["logits"], [batch, count, len(persons)]),
            "fault": words(tf.reshape(found["fault"], [batch, count])),
            "frames": tf.fill([batch], frames),
            "stride": tf.fill([batch], stride),
            "persons": tf.tile(tf.constant([persons]), [batch, 1]),
            **({} if identifier.frame_rate is None else {"frame_rate": tf.fill([batch], float(identifier.frame_rate))}),
        }

    each = SignatureLimits(
        frames=frames,
        stride=stride,
        piece=PIECE,
        window_bytes=_identifier_bytes(identifier, traced),
    )
    whole = dataclasses.replace(each, min_frames=frames, answer_row_bytes=_person_bytes(persons))
    parts = dataclasses.replace(
        each,
        answer_row_bytes=12 + sum(TEXT_BYTES + len(person.encode()) for person in persons),
        answer_window_bytes=4 * len(persons) + TEXT_BYTES,
    )
    complete = Endpoint(identify, (walks,), whole, 2 * frames + 1)
    return {
        "serving_default": complete,
        "identify": complete,
        "padded": Endpoint(padded, (walks, lengths), whole, 2 * frames + 1),
        "windows": Endpoint(windows, (walks,), parts, 2 * frames + 1),
    }


def parts_of(count: tf.Tensor) -> tf.Tensor:
    """Parts of at most `PIECE` windows, at least one, of a walk that has so many: an embedder sees them one by one."""
    return tf.maximum(1, (count + PIECE - 1) // PIECE)


def _identifier_bytes(identifier: Any, recognize_windows: Any) -> int:
    """Memory that work on a window takes: that of the encoder, or of the embedder on as many frames."""
    of_windows = working_bytes(recognize_windows)
    if identifier.embedder is None:
        return of_windows
    walks = tf.TensorSpec([None, MEASURED_FRAMES, identifier.encoder.joints, 3])
    of_walks = working_bytes(identifier.recognize_walks, walks)
    return max(of_windows, -(-of_walks * identifier.stride // MEASURED_FRAMES))


def _named(found: Outputs, persons: list[str]) -> Outputs:
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


def _row_bytes(tensor: Any) -> int:
    return math.prod(size for size in tensor.shape if size is not None) * tensor.dtype.size


def _person_bytes(persons: list[str]) -> int:
    return 8 * len(persons) + 4 + 2 * TEXT_BYTES + max(len(person.encode()) for person in persons)


def refuse_unless(condition: tf.Tensor, message: str) -> Any:
    """Refuses a request, in the graph; the operation that does so, for those that have to wait for it."""
    # In the graph, so that it holds under tensorflow/serving too.
    return tf.debugging.Assert(condition, [message])
