"""What the tests of the server share: a small model in the place of an identifier, and a plain client."""

import atexit
import contextlib
import functools
import json
import shutil
import tempfile
import threading
import time
from dataclasses import fields
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from agegait.serving import Batching, ModelOptions, Server
from agegait.serving.server.limits import Limits
from agegait.serving.server.servable import Signature

FRAMES, JOINTS = 4, 5
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


class Walker(tf.Module):
    """Stands in for an identifier: its score is the mean coordinate times its factor."""

    def __init__(self, factor):
        super().__init__()
        self.factor = tf.Variable(float(factor))

    def default(self, skeletons):
        score = self.factor * tf.reduce_mean(skeletons, axis=[1, 2, 3])
        return {"score": score, "person": tf.strings.as_string(tf.cast(score > 0, tf.int32))}

    def padded(self, skeletons, lengths):
        inside = tf.sequence_mask(lengths, tf.shape(skeletons)[1], tf.float32)[..., None, None]
        return {"score": self.factor * tf.reduce_sum(skeletons * inside, axis=[1, 2, 3])}

    def fussy(self, skeletons):
        tf.debugging.Assert(tf.reduce_all(skeletons < 100), ["secret", skeletons])
        return {"score": tf.reduce_max(skeletons, axis=[1, 2, 3]), "total": tf.reduce_sum(skeletons)}

    def root(self, skeletons):
        return {"score": tf.sqrt(tf.reduce_mean(skeletons, axis=[1, 2, 3]))}


@functools.cache
def _saved(factor, joints):
    """A walker's files, which versions are copied from."""
    own = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, own)
    folder = own / "walker"
    module = Walker(factor)
    walks = tf.TensorSpec([None, None, joints, 3], tf.float32, "skeletons")
    lengths = tf.TensorSpec([None], tf.int32, "lengths")
    specs = {"serving_default": (module.default, [walks]), "padded": (module.padded, [walks, lengths])}
    specs |= {"fussy": (module.fussy, [walks]), "root": (module.root, [walks])}
    signatures = {
        name: tf.function(function, input_signature=spec, autograph=False).get_concrete_function()
        for name, (function, spec) in specs.items()
    }
    tf.saved_model.save(module, str(folder), signatures=signatures)
    extra = folder / "assets.extra"
    extra.mkdir()
    (extra / "agegait.json").write_text(json.dumps({"min_frames": dict.fromkeys(specs, FRAMES)}))
    return folder


def export(base_path, version, factor=None, warmup=None, joints=JOINTS):
    """A version that multiplies by its own number."""
    aside = base_path / f".{version}"
    shutil.copytree(_saved(version if factor is None else factor, joints), aside, dirs_exist_ok=True)
    if warmup is not None:
        warmup(aside)
    aside.rename(base_path / str(version))
    return base_path / str(version)


class Plain:
    """A plain client on tensorflow-serving-api, as other programs have it."""

    def __init__(self, server, channel=None):
        self.channel = channel or grpc.insecure_channel(server.address)
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.models = model_service_pb2_grpc.ModelServiceStub(self.channel)
        self.health = health_pb2_grpc.HealthStub(self.channel)

    def predict(self, request=None, timeout=20, **options):
        return self.prediction.Predict(request or walks_request(), timeout=timeout, **options)

    def score(self, timeout=20, **options):
        return tf.make_ndarray(self.predict(walks_request(**options), timeout).outputs["score"])

    def states(self, name="walker"):
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = name
        statuses = self.models.GetModelStatus(request, timeout=20).model_version_status
        return {status.version: status for status in statuses}

    def serving(self, service=""):
        return self.health.Check(health_pb2.HealthCheckRequest(service=service), timeout=20).status


def walks_request(walks=None, version=None, signature="", outputs=()):
    request = predict_pb2.PredictRequest(output_filter=outputs)
    request.model_spec.name = "walker"
    request.model_spec.signature_name = signature
    if version is not None:
        request.model_spec.version.value = version
    walks = np.ones((1, FRAMES, JOINTS, 3), np.float32) if walks is None else walks
    request.inputs["skeletons"].CopyFrom(tf.make_tensor_proto(walks))
    return request


@contextlib.contextmanager
def serving(folder, **options):
    """A server with these options, or fields of its groups of options, and a plain client."""

    def group(kind, **given):
        return kind(**given, **{field.name: options.pop(field.name) for field in fields(kind) if field.name in options})

    models = group(ModelOptions, folder=folder, poll_seconds=0.05)
    with Server(models, port=0, limits=group(Limits), batching=group(Batching), **options) as server:
        plain = Plain(server)
        with plain.channel:
            yield server, plain


@contextlib.contextmanager
def refused(code, *words):
    with pytest.raises(grpc.RpcError) as caught:
        yield
    assert caught.value.code() == code, caught.value.details()
    for word in words:
        assert word in caught.value.details()


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("it never came to be")
        time.sleep(0.02)


def changed(change, **options):
    request = walks_request(**options)
    change(request)
    return request


def tensor(**fields):
    """Puts another tensor in the place of skeletons."""

    def change(request):
        proto = request.inputs["skeletons"]
        shape = fields.pop("shape", None)
        for name, value in fields.items():
            if isinstance(value, list):
                del getattr(proto, name)[:]
                getattr(proto, name).extend(value)
            else:
                setattr(proto, name, value)
        if shape is not None:
            proto.tensor_shape.CopyFrom(tf.TensorShape(shape).as_proto())

    return change


class Gate:
    """Holds every run of a model until it is opened, and notes their sizes."""

    def __init__(self, monkeypatch):
        self.opened, self.entered, self.batches = threading.Event(), threading.Semaphore(0), []
        run = Signature.run

        def gated(signature, inputs):
            self.batches.append(len(next(iter(inputs.values()))))
            self.entered.release()
            if not self.opened.wait(20):
                raise TimeoutError("nobody opened the gate")
            return run(signature, inputs)

        monkeypatch.setattr(Signature, "run", gated)
