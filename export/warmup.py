"""Warm-up requests: written beside a SavedModel at export, replayed before the model serves."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

WARMUP_FILE = Path("assets.extra/tf_serving_warmup_requests")
"""Where TensorFlow Serving looks for them in a version's folder."""

MAX_RECORDS = 1000
"""TensorFlow Serving's limit."""


def write_warmup(version_folder: Path, model: str, requests: Mapping[str, list[dict[str, np.ndarray]]]) -> None:
    """Writes a TFRecord of PredictionLog.

    Args:
        version_folder: The version's folder.
        model: The model's name.
        requests: For each signature, the inputs of each of its requests.
    """
    file = version_folder / WARMUP_FILE
    file.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(file)) as writer:
        for signature, batches in requests.items():
            for inputs in batches:
                log = prediction_log_pb2.PredictionLog()
                request = log.predict_log.request
                request.model_spec.name = model
                request.model_spec.signature_name = signature
                for name, array in inputs.items():
                    request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
                writer.write(log.SerializeToString())


def read_warmup(version_folder: Path) -> Iterator[predict_pb2.PredictRequest]:
    """The requests of a version's warm-up file; none where there is no file.

    Raises:
        ValueError: A file that is no TFRecord, more than 1000 records, or one that is no Predict request.
    """
    file = version_folder / WARMUP_FILE
    if not file.exists():
        return
    for number, record in enumerate(_records(file)):
        if number == MAX_RECORDS:
            raise ValueError(f"{WARMUP_FILE}: the number of warm-up records exceeds the maximum ({MAX_RECORDS})")
        try:
            log = prediction_log_pb2.PredictionLog.FromString(record)
        except DecodeError:
            raise ValueError(f"{WARMUP_FILE}: record {number} is no PredictionLog") from None
        if log.WhichOneof("log_type") != "predict_log":
            raise ValueError(f"{WARMUP_FILE}: record {number} is no Predict request")
        yield log.predict_log.request


def _records(file: Path) -> Iterator[bytes]:
    try:
        yield from tf.data.TFRecordDataset(str(file)).as_numpy_iterator()
    except (tf.errors.OpError, OSError):
        raise ValueError(f"{WARMUP_FILE}: not a TFRecord file, or damaged") from None
