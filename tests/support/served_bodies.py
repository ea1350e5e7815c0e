"""A server with a gallery whose embedder is that of support.gallery_bodies, exported: no training."""

import contextlib

import numpy as np
import pytest
import tensorflow as tf
from support.export_walker import Plain
from support.gallery_bodies import SIZE, BoneLengths, bones

from agegait.export.embedder_file import EmbedderFile
from agegait.serving import GalleryClient, GalleryOptions, Limits, ModelOptions, Server
from agegait.serving.server import served_gallery
from agegait.skeletons import BONES, STANDING

NEAR = 0.2
"""A distance that parts these bodies."""

FARTHEST = 50.0
FAULT = "expected a body near the sensor, received one far away"


class Bones(tf.Module):
    """`BoneLengths` as a graph; it takes what is far away for no body."""

    def __init__(self):
        super().__init__()
        self.mean = tf.Variable(bones(STANDING).astype("float32"))

    def padded(self, skeletons, lengths):
        starts, ends = np.transpose(BONES)
        inside = tf.sequence_mask(lengths, tf.shape(skeletons)[1], tf.float32)
        sizes = tf.norm(tf.gather(skeletons, ends, axis=2) - tf.gather(skeletons, starts, axis=2), axis=-1)
        mean = tf.reduce_sum(sizes * inside[..., None], axis=1) / tf.reduce_sum(inside, axis=1)[:, None]
        far = tf.reduce_max(tf.abs(skeletons), axis=[1, 2, 3]) > FARTHEST
        fault = tf.where(far, FAULT, "")
        return {"embeddings": tf.where(far[:, None], 0.0, mean / self.mean - 1), "fault": fault}


def export_bones(folder, calibration=None, fingerprint="bone lengths", version=1):
    """Writes `folder/embedder/<version>`."""
    module, aside = Bones(), folder / "embedder" / ".aside"
    specs = [tf.TensorSpec([None, None, 20, 3], tf.float32, "skeletons"), tf.TensorSpec([None], tf.int32, "lengths")]
    padded = tf.function(module.padded, input_signature=specs, autograph=False).get_concrete_function()
    tf.saved_model.save(module, str(aside), signatures={"padded": padded})
    EmbedderFile(fingerprint, SIZE, 30.0, 20, calibration).write(aside)
    aside.rename(aside.parent / str(version))
    return folder


@contextlib.contextmanager
def serving_bones(folder, url, limits=None, **options):
    """A server, which looks at its gallery more often than others, and a client that may do everything."""
    client_options = options.pop("client", {})
    gallery = GalleryOptions(url, options.pop("model", None), options.pop("roles", None))
    models, limits = ModelOptions(folder, poll_seconds=0.05), Limits(**(limits or {}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(served_gallery, "_LOOK_SECONDS", 0.1)
        with (
            Server(models, port=0, gallery=gallery, limits=limits, **options) as server,
            GalleryClient(server.address, **{"timeout": 60, **client_options}) as client,
        ):
            yield server, client


@contextlib.contextmanager
def plain(server):
    client = Plain(server)
    with client.channel:
        yield client


__all__ = ["FAULT", "NEAR", "BoneLengths", "export_bones", "plain", "serving_bones"]
