"""What an exported identifier answers: its signatures, with named inputs and outputs."""

import dataclasses
from typing import Any

import tensorflow as tf

from agegait.layers import BodyCheck

from .endpoints import (
    FAULT,
    MEASURED_FRAMES,
    TEXT_BYTES,
    Endpoint,
    Outputs,
    person_bytes,
    refuse_unless,
    with_persons,
    words,
    working_bytes,
)
from .pieces import PIECE, map_pieces, sum_pieces
from .signature_limits import SignatureLimits


def identifier_endpoints(identifier: Any) -> dict[str, Endpoint]:
    """`skeletons [B, T, J, 3]`, raw metres, to the recognizer's outputs a walk; `padded` takes `lengths [B]` too.

    A walk that shows no body has an empty `person`, a `score`, `probabilities` and `logits` of 0, and a `fault` that
    says why; it is empty for others.

    `windows` is for walks that are still going on: it takes any T and gives `logits [B, W, N]` of the windows that are
    complete, with the `fault [B, W]` of those that show no body and therefore have no say, and for whoever adds them
    up, each a row: `frames` and `stride` of windows, the `persons [B, N]` and, where it is known, the `frame_rate [B]`
    of the walks.
    """
    graphs = _IdentifierGraphs(identifier)
    frames, persons = graphs.frames, graphs.persons
    walks = tf.TensorSpec([None, None, graphs.joints, 3], tf.float32, "skeletons")
    lengths = tf.TensorSpec([None], tf.int32, "lengths")
    each = SignatureLimits(frames=frames, stride=graphs.stride, piece=PIECE, window_bytes=graphs.window_bytes())
    whole = dataclasses.replace(each, min_frames=frames, answer_row_bytes=person_bytes(persons))
    parts = dataclasses.replace(
        each,
        answer_row_bytes=12 + sum(TEXT_BYTES + len(person.encode()) for person in persons),
        answer_window_bytes=4 * len(persons) + TEXT_BYTES,
    )
    complete = Endpoint(graphs.identify, (walks,), whole, 2 * frames + 1)
    return {
        "serving_default": complete,
        "identify": complete,
        "padded": Endpoint(graphs.padded, (walks, lengths), whole, 2 * frames + 1),
        "windows": Endpoint(graphs.windows, (walks,), parts, 2 * frames + 1),
    }


class _IdentifierGraphs:
    """The functions of an identifier's signatures, and what they share.

    Args:
        identifier: A `GaitIdentifier`.
    """

    def __init__(self, identifier: Any) -> None:
        self._identifier = identifier
        self.frames, self.joints, self.stride = identifier.encoder.frames, identifier.encoder.joints, identifier.stride
        self.persons = list(identifier.persons)
        self._walk_answers = {"logits": tf.TensorSpec([None, len(self.persons)]), "frames": tf.TensorSpec([None])}
        cut = tf.TensorSpec([None, self.frames, self.joints, 3])
        # One function that all graphs call: the encoder, which is nearly all of a graph, is traced and kept once.
        self._recognize = tf.function(
            identifier.recognize_windows,
            input_signature=[cut] if identifier.embedder is None else [cut, self._walk_answers],
            autograph=False,
        )

    def identify(self, skeletons: tf.Tensor) -> Outputs:
        batch, length = tf.unstack(tf.shape(skeletons)[:2])
        refuse_unless(length >= self.frames, f"skeletons: expected at least {self.frames} frames")
        return self._of_walks(skeletons, tf.fill([batch], length))

    def padded(self, skeletons: tf.Tensor, lengths: tf.Tensor) -> Outputs:
        fits = tf.reduce_all((lengths >= self.frames) & (lengths <= tf.shape(skeletons)[1]))
        refuse_unless(fits, f"lengths: expected at least {self.frames} frames and at most as many as skeletons has")
        return self._of_walks(skeletons, lengths)

    def windows(self, skeletons: tf.Tensor) -> Outputs:
        batch, length = tf.unstack(tf.shape(skeletons)[:2])
        count = self._identifier.window_count(length)
        of_parts = self._embedded(skeletons, tf.fill([batch], length))
        found = map_pieces(
            lambda windows: self._recognized(skeletons, windows, tf.maximum(count, 1), of_parts),
            batch * count,
            {"logits": tf.TensorSpec([None, len(self.persons)]), "fault": FAULT},
            PIECE,
        )
        rate = self._identifier.frame_rate
        return {
            "logits": tf.reshape(found["logits"], [batch, count, len(self.persons)]),
            "fault": words(tf.reshape(found["fault"], [batch, count])),
            "frames": tf.fill([batch], self.frames),
            "stride": tf.fill([batch], self.stride),
            "persons": tf.tile(tf.constant([self.persons]), [batch, 1]),
            **({} if rate is None else {"frame_rate": tf.fill([batch], float(rate))}),
        }

    def window_bytes(self) -> int:
        """Memory that work on a window takes: that of the encoder, or of the embedder on as many frames."""
        of_windows = working_bytes(self._recognize)
        if self._identifier.embedder is None:
            return of_windows
        walks = tf.TensorSpec([None, MEASURED_FRAMES, self.joints, 3])
        of_walks = working_bytes(self._identifier.recognize_walks, walks)
        return max(of_windows, -(-of_walks * self.stride // MEASURED_FRAMES))

    def _of_walks(self, skeletons: tf.Tensor, lengths: tf.Tensor) -> Outputs:
        batch, length = tf.unstack(tf.shape(skeletons)[:2])
        count, own = self._identifier.window_count(length), self._identifier.window_count(lengths)
        of_parts = self._embedded(skeletons, lengths)

        def work(windows: tf.Tensor) -> tuple[tf.Tensor, Outputs]:
            found = self._recognized(skeletons, windows, count, of_parts)
            numbers = windows // count
            inside = windows % count < tf.gather(own, numbers)
            counts = tf.one_hot(tf.where(inside, found["fault"], -1), len(BodyCheck.FAULTS), dtype=tf.int32)
            return numbers, {"logits": tf.where(inside[:, None], found["logits"], 0.0), "counts": counts}

        totals = {
            "logits": tf.zeros([batch, len(self.persons)]),
            "counts": tf.zeros([batch, len(BodyCheck.FAULTS)], tf.int32),
        }
        return with_persons(self._identifier.conclude(**sum_pieces(work, batch * count, totals, PIECE)), self.persons)

    def _embedded(self, skeletons: tf.Tensor, lengths: tf.Tensor) -> Outputs | None:
        """What the embedder says of parts of walks, the parts of a walk one after another; None without one."""
        if self._identifier.embedder is None:
            return None
        # One frame at least, for the embedder: it counts for nothing where the walk has none.
        skeletons = tf.pad(skeletons, [[0, 0], [0, tf.maximum(0, 1 - tf.shape(skeletons)[1])], [0, 0], [0, 0]])
        batch, length = tf.unstack(tf.shape(skeletons)[:2])
        each = _parts_of(self._identifier.window_count(length))
        size = tf.minimum(length, (PIECE - 1) * self.stride + self.frames)

        def work(parts: tf.Tensor) -> Outputs:
            rows, starts = parts // each, parts % each * PIECE * self.stride
            places = tf.minimum(starts[:, None] + tf.range(size), length - 1)
            walks = tf.gather(tf.gather(skeletons, rows), places, batch_dims=1)
            inside = tf.clip_by_value(tf.gather(lengths, rows) - starts, 0, size)
            return self._identifier.recognize_walks(walks, inside)

        at_once = tf.maximum(1, PIECE * self.stride // tf.maximum(size, 1))
        return map_pieces(work, batch * each, self._walk_answers, at_once)

    def _recognized(
        self, skeletons: tf.Tensor, windows: tf.Tensor, count: tf.Tensor, of_parts: Outputs | None
    ) -> Outputs:
        """Of windows by their numbers, when each walk has so many."""
        rows, own = windows // count, windows % count
        starts = rows * tf.shape(skeletons)[1] + own * self.stride
        flat = tf.reshape(skeletons, [-1, self.joints, 3])
        # Called eagerly, to be compared with what was exported, it is Keras itself.
        recognize = self._identifier.recognize_windows if tf.executing_eagerly() else self._recognize
        cut = tf.gather(flat, starts[:, None] + tf.range(self.frames))
        if of_parts is None:
            return recognize(cut)
        parts = rows * _parts_of(count) + own // PIECE
        return recognize(cut, {name: tf.gather(values, parts) for name, values in of_parts.items()})


def _parts_of(count: tf.Tensor) -> tf.Tensor:
    """Parts of at most `PIECE` windows, at least one, of a walk that has so many: an embedder sees them one by one."""
    return tf.maximum(1, (count + PIECE - 1) // PIECE)
