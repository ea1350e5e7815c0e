"""The signature for walks of other frame rates than a model was trained at."""

import dataclasses

import numpy as np
import tensorflow as tf

from agegait.recordings.resampling import ALIKE

from .endpoints import Endpoint, Outputs, refuse_unless

SLOWEST, FASTEST = 1.0, 1000.0
"""Frame rates in Hz, between which those of walks lie."""

_ON_A_FRAME = 1e-4
"""Share of a frame: rates come as float32."""


def resampled_endpoint(padded: Endpoint, frame_rate: float) -> Endpoint:
    """What `padded` answers to walks that were resampled: it takes `frame_rate [B]`, that of each walk, too.

    They are resampled as `agegait.data.resample` does, in the graph, so that a client of tensorflow/serving need not
    know how, nor at which rate the model was trained. As everywhere, a walk whose rate is within a tenth of that one is
    left as it is.

    Args:
        padded: The endpoint of walks `skeletons [B, T, J, 3]` and `lengths [B]`.
        frame_rate: That of the model, Hz.
    """

    def resampled(skeletons: tf.Tensor, lengths: tf.Tensor, frame_rate: tf.Tensor) -> Outputs:
        rates = tf.reduce_all((frame_rate >= SLOWEST) & (frame_rate <= FASTEST))
        fits = tf.reduce_all((lengths >= 1) & (lengths <= tf.shape(skeletons)[1]))
        with tf.control_dependencies(
            [
                refuse_unless(rates, f"frame_rate: expected {SLOWEST:g} to {FASTEST:g}"),
                refuse_unless(fits, "lengths: expected at least 1 frame and at most as many as skeletons has"),
            ]
        ):
            return padded.function(*_resample(tf.identity(skeletons), lengths, frame_rate, wanted))

    wanted = float(frame_rate)
    inputs = (*padded.inputs, tf.TensorSpec([None], tf.float32, "frame_rate"))
    limits = dataclasses.replace(padded.limits, frame_rate=wanted)
    return Endpoint(resampled, inputs, limits, padded.sample_frames)


def resampled_lengths(lengths: np.ndarray, rates: np.ndarray, frame_rate: float) -> np.ndarray:
    """Frames of walks once the graph has brought them to a frame rate."""
    steps = rates.astype("float64") / frame_rate
    steps = np.where(np.abs(steps - 1) <= ALIKE, 1, steps)
    return np.floor((lengths - 1) / steps + _ON_A_FRAME).astype(int) + 1


def _resample(skeletons: tf.Tensor, lengths: tf.Tensor, rates: tf.Tensor, wanted: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Walks at the wanted rate, linear in time between the frames that there are, and their lengths."""
    steps = tf.cast(rates, tf.float64) / wanted
    steps = tf.where(tf.abs(steps - 1) <= ALIKE, tf.ones_like(steps), steps)
    last = tf.cast(lengths - 1, tf.float64)
    new_lengths = tf.cast(tf.floor(last / steps + _ON_A_FRAME), tf.int32) + 1
    places = tf.cast(tf.range(tf.reduce_max(new_lengths)), tf.float64) * steps[:, None]
    places = tf.minimum(places, last[:, None])
    before = tf.cast(tf.floor(places), tf.int32)
    after = tf.minimum(before + 1, lengths[:, None] - 1)
    share = tf.cast(places - tf.floor(places), skeletons.dtype)[..., None, None]
    # where, not a product alone: what is not finite may be of a frame that a new one does not lie beside.
    later = tf.where(share > 0, share * tf.gather(skeletons, after, batch_dims=1), 0.0)
    return (1 - share) * tf.gather(skeletons, before, batch_dims=1) + later, new_lengths
