"""What each exported model answers: its signatures, with named inputs and outputs."""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

Outputs = dict[str, tf.Tensor]


class Endpoint(NamedTuple):
    """A function to export, the tensors that it takes, by name, and the frames that a walk of them needs at least."""

    function: Callable[..., Outputs]
    inputs: tuple[tf.TensorSpec, ...]
    min_frames: int = 0


def encoder_endpoints(identifier: Any) -> dict[str, Endpoint]:
    """`skeletons [B, f, J, 3]`, raw metres, to `ages`, `attention` and `reconstruction`, the last one normalized."""
    encoder = identifier.encoder
    windows = tf.TensorSpec([None, encoder.frames, encoder.joints, 3], tf.float32, "skeletons")

    def encode(skeletons: tf.Tensor) -> Outputs:
        outputs = encoder(identifier.normalization(skeletons))
        return {name: tf.cast(outputs[name], tf.float32) for name in ("ages", "attention", "reconstruction")}

    return dict.fromkeys(("serving_default", "encode"), Endpoint(encode, (windows,)))


def recognizer_endpoints(identifier: Any) -> dict[str, Endpoint]:
    """`ages [B, f, 3k]` to `logits` and `probabilities [B, N]`, `person` and `score [B]`."""
    encoder = identifier.encoder
    ages = tf.TensorSpec([None, encoder.frames, 3 * encoder.units], tf.float32, "ages")
    persons = list(identifier.persons)

    def recognize(ages: tf.Tensor) -> Outputs:
        return _named(tf.cast(identifier.recognizer(ages), tf.float32), persons)

    return dict.fromkeys(("serving_default", "recognize"), Endpoint(recognize, (ages,)))


def identifier_endpoints(identifier: Any) -> dict[str, Endpoint]:
    """`skeletons [B, T, J, 3]`, raw metres, to the recognizer's outputs a walk; `padded` takes `lengths [B]` too.

    `windows` is for walks that are still going on: it takes any T and gives `logits [B, W, N]` of the windows that are
    complete, and for whoever adds them up, each a row: `frames` and `stride` of windows and the `persons [B, N]`.
    """
    frames, stride = identifier.encoder.frames, identifier.stride
    walks = tf.TensorSpec([None, None, identifier.encoder.joints, 3], tf.float32, "skeletons")
    lengths = tf.TensorSpec([None], tf.int32, "lengths")
    persons = list(identifier.persons)

    def identify(skeletons: tf.Tensor) -> Outputs:
        _refuse_unless(tf.shape(skeletons)[1] >= frames, f"skeletons: expected at least {frames} frames")
        return _named(identifier(skeletons)["logits"], persons)

    def padded(skeletons: tf.Tensor, lengths: tf.Tensor) -> Outputs:
        fits = tf.reduce_all((lengths >= frames) & (lengths <= tf.shape(skeletons)[1]))
        _refuse_unless(fits, f"lengths: expected at least {frames} frames and at most as many as skeletons has")
        return _named(identifier(skeletons, lengths=lengths)["logits"], persons)

    def windows(skeletons: tf.Tensor) -> Outputs:
        batch, length = tf.unstack(tf.shape(skeletons)[:2])
        complete = tf.where(length < frames, 0, (length - frames) // stride + 1)
        filled = tf.pad(skeletons, [[0, 0], [0, tf.maximum(frames - length, 0)], [0, 0], [0, 0]])
        return {
            "logits": identifier(filled)["window_logits"][:, :complete],
            "frames": tf.fill([batch], frames),
            "stride": tf.fill([batch], stride),
            "persons": tf.tile(tf.constant([persons]), [batch, 1]),
        }

    whole = Endpoint(identify, (walks,), frames)
    return {
        "serving_default": whole,
        "identify": whole,
        "padded": Endpoint(padded, (walks, lengths), frames),
        "windows": Endpoint(windows, (walks,)),
    }


def _named(logits: tf.Tensor, persons: list[str]) -> Outputs:
    probabilities = keras.ops.softmax(logits, axis=-1)
    return {
        "logits": logits,
        "probabilities": probabilities,
        "person": tf.gather(tf.constant(persons), tf.argmax(logits, axis=-1)),
        "score": tf.reduce_max(probabilities, axis=-1),
    }


def _refuse_unless(condition: tf.Tensor, message: str) -> None:
    # In the graph, so that it holds under tensorflow/serving too.
    tf.debugging.Assert(condition, [message])
