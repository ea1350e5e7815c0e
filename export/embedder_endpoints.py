"""What an exported embedder answers: its signatures, with named inputs and outputs."""

from typing import Any

import tensorflow as tf

from agegait.layers import BodyCheck
from agegait.skeletons import JOINTS

from .endpoints import MEASURED_FRAMES, TEXT_BYTES, Endpoint, Outputs, refuse_unless, words, working_bytes
from .pieces import map_pieces
from .signature_limits import SignatureLimits

MOST_FRAMES = 8192
"""Frames that the graph works on at once, and the most that a walk may have: four minutes and a half at 30 Hz."""


def embedder_endpoints(embedder: Any) -> dict[str, Endpoint]:
    """`skeletons [B, T, J, 3]`, raw metres, to `embeddings [B, D]` of unit length; `padded` takes `lengths [B]` too.

    A walk that shows no body has an embedding of zeros and a `fault [B]` that says why; it is empty for others.
    """
    joints, size = embedder.joints, embedder.embedding_size
    walks = tf.TensorSpec([None, None, joints, 3], tf.float32, "skeletons")
    padded_lengths = tf.TensorSpec([None], tf.int32, "lengths")
    body_check = BodyCheck(finite_only=joints != len(JOINTS))
    specs = {"embeddings": tf.TensorSpec([None, size]), "fault": tf.TensorSpec([None], tf.int32)}

    def work(skeletons: tf.Tensor, lengths: tf.Tensor) -> Outputs:
        embeddings, faults = checked_embeddings(embedder, body_check, skeletons, lengths)
        return {"embeddings": tf.where((faults == 0)[:, None], embeddings, 0.0), "fault": faults}

    def of_walks(skeletons: tf.Tensor, lengths: tf.Tensor) -> Outputs:
        batch, length = tf.unstack(tf.shape(skeletons)[:2])
        with tf.control_dependencies(
            [refuse_unless(length <= MOST_FRAMES, f"skeletons: expected at most {MOST_FRAMES} frames")]
        ):
            skeletons = tf.identity(skeletons)
        piece = tf.maximum(1, MOST_FRAMES // tf.maximum(length, 1))
        found = map_pieces(lambda rows: work(tf.gather(skeletons, rows), tf.gather(lengths, rows)), batch, specs, piece)
        return {**found, "fault": words(found["fault"])}

    def embed(skeletons: tf.Tensor) -> Outputs:
        batch, length = tf.unstack(tf.shape(skeletons)[:2])
        with tf.control_dependencies([refuse_unless(length >= 1, "skeletons: expected at least 1 frame")]):
            return of_walks(tf.identity(skeletons), tf.fill([batch], length))

    def padded(skeletons: tf.Tensor, lengths: tf.Tensor) -> Outputs:
        fits = tf.reduce_all((lengths >= 1) & (lengths <= tf.shape(skeletons)[1]))
        expected = "lengths: expected at least 1 frame and at most as many as skeletons has"
        with tf.control_dependencies([refuse_unless(fits, expected)]):
            return of_walks(tf.identity(skeletons), lengths)

    measured = tf.TensorSpec([None, MEASURED_FRAMES, joints, 3])
    of_a_walk = working_bytes(lambda walks: work(walks, tf.fill([tf.shape(walks)[0]], MEASURED_FRAMES)), measured)
    limits = SignatureLimits(
        min_frames=1,
        frames=1,
        stride=1,
        piece=MOST_FRAMES,
        window_bytes=-(-of_a_walk // MEASURED_FRAMES),
        answer_row_bytes=4 * size + TEXT_BYTES,
    )
    whole = Endpoint(embed, (walks,), limits, MEASURED_FRAMES // 4)
    return {
        "serving_default": whole,
        "embed": whole,
        "padded": Endpoint(padded, (walks, padded_lengths), limits, MEASURED_FRAMES // 4),
    }


def checked_embeddings(
    embedder: Any, body_check: BodyCheck, skeletons: tf.Tensor, lengths: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Embeddings `[B, D]` of the frames that are known, and what is wrong with each walk `[B]`, 0 for nothing."""
    inside = tf.sequence_mask(lengths, tf.shape(skeletons)[1])
    faults = body_check(skeletons, mask=inside)
    known = tf.reduce_all(tf.abs(skeletons) < tf.float32.max, axis=[2, 3]) & inside  # NaN is not
    return tf.cast(embedder(skeletons, mask=known), tf.float32), faults
